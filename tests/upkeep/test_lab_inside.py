"""Logs and commands on two real servers, and one-off containers beside what serves."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest

from tests.cli.schemas import check
from tests.semantics.site import Site, until
from tests.upkeep.pair import Pair

pytestmark = pytest.mark.lab

TWO = """\
services:
  web:
    image: busybox:1
    init: true
    command: sh -c "echo begin on $$(cat /etc/where); exec httpd -f -p 8000"
    volumes: ["/etc/hostname:/etc/where:ro"]
    ports: ["8080:8000"]
  db:
    image: busybox:1
    init: true
    command: sh -c "echo only here; exec sleep 1d"
"""


def test_logs_and_commands_reach_every_host(pair: Pair) -> None:
    """Output in the order of time with its host; a command in each copy; one host out of reach."""
    names = [host.server.name for host in pair.hosts]
    pair.write(TWO, {"db": {"on": "db"}})
    pair.site.deploy()

    told = check(json.loads(pair.site.run("logs", "--json").stdout))
    entries = told["entries"]
    assert {(e["host"], e["copy"]) for e in entries if "begin" in e["text"]} == {
        (name, "web-a") for name in names
    }
    assert [e["host"] for e in entries if e["text"] == "only here"] == names[:1]
    assert [e["at"] for e in entries] == sorted(e["at"] for e in entries)
    shown = pair.site.run("logs", "db").stdout
    assert "only here" in shown
    assert "begin" not in shown
    assert pair.site.run("logs", "db", "--since", "1s").stdout == ""
    assert "did you mean web?" in pair.site.run("logs", "wbe", code=2).stderr

    every = pair.site.run(
        "exec",
        "web",
        "--every",
        "--",
        "sh",
        "-c",
        "echo $(cat /etc/where); echo x >&2; exit 3",
        code=3,
    )
    lines = sorted(every.stdout.splitlines())
    assert [line.split(" | ")[0].strip() for line in lines] == [
        f"{name}/1" for name in names for _ in range(2)
    ]
    second = pair.site.run("exec", "web", "--host", names[1], "--", "cat", "/etc/where").stdout
    assert second.strip() == pair.hosts[1].on_server("cat", "/etc/hostname").strip()
    assert pair.site.run("exec", "db", "--", "sh", "-c", "exit 9", code=9).stdout == ""
    lost = pair.site.run("exec", "db", "--host", names[1], "--", "true", code=2).stderr
    assert "no service 'db' runs" in lost

    pair.hosts[1].server.kill()
    try:
        some = pair.site.run("logs", "web", "--json", code=4)
        data = check(json.loads(some.stdout))
        assert {entry["host"] for entry in data["entries"]} == {names[0]}
        assert data["lost"] == [names[1]]
        assert names[1] in some.stderr
        assert pair.site.run("exec", "db", "--", "echo", "still").stdout == "still\n"
    finally:
        pair.hosts[1].server.start()


def test_logs_are_followed(site: Site) -> None:
    """Lines come as they are written; after Ctrl-C nothing is left on the server."""
    site.write(TWO)
    site.deploy()
    argv = [sys.executable, "-m", "tidegate", "logs", "web", "-f", "-n", "1"]
    with subprocess.Popen(
        argv, cwd=site.folder, env=site.environment, stdout=subprocess.PIPE, text=True,
        # What runs in the background of a shell ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as running:  # fmt: skip
        assert running.stdout is not None
        assert "begin" in running.stdout.readline()
        site.exec("web", "sh", "-c", "echo later > /proc/1/fd/1")
        began = time.monotonic()
        assert running.stdout.readline().endswith("web-a | later\n")
        assert time.monotonic() - began < 5
        running.send_signal(signal.SIGINT)
        running.wait(10)
    until(lambda: site.on_server("pgrep", "-u", "deploy", "journalctl", check=False) == "")


ONCE = """\
services:
  web:
    image: busybox:1
    init: true
    command: sh -c "mkdir /w && echo %(version)s > /w/index.html && exec httpd -f -p 8000 -h /w"
    environment: {GREETING: "50%% of $$5"}
    volumes: ["data:/data"]
    ports: ["8080:8000"]
    secrets: [key]
  other:
    image: busybox:1
    init: true
    command: sh -c "mkdir /w && echo other > /w/index.html && exec httpd -f -p 8000 -h /w"
    expose: ["8000"]
volumes: {data: }
secrets: {key: {file: ./key}}
"""
SHOW = """\
cat /run/secrets/key; echo "$GREETING"; cat /data/kept; cat; wget -q -O - http://other:8000/; exit 7
"""


def test_a_one_off_container(site: Site) -> None:
    """Its service's configuration, secret, volume and network; its own streams and exit code."""
    site.write(ONCE % {"version": "1"}, {"key": "hidden\n"})
    site.deploy()
    site.exec("web", "sh", "-c", "echo kept > /data/kept")
    done = subprocess.run(
        [sys.executable, "-m", "tidegate", "run", "--rm", "web", "--", "sh", "-c", SHOW],
        cwd=site.folder,
        env=site.environment,
        input="from here\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == ["hidden", "50% of $5", "kept", "from here", "other"], done
    assert done.returncode == 7
    assert "once" not in site.podman("ps", "--all", "--format", "{{.Names}}")
    # Nobody reaches it by the service's name, its port stays the service's.
    assert site.run("run", "--rm", "web", "--", "true").stdout == ""
    assert site.get(8080) == "1"


def test_a_one_off_is_left_alone(site: Site) -> None:
    """It is no drift, and deployments pass it by; destroying takes it away."""
    site.write(ONCE % {"version": "1"}, {"key": "hidden\n"})
    site.deploy()
    argv = [sys.executable, "-m", "tidegate", "run", "--rm", "web", "--", "sleep", "120"]
    with subprocess.Popen(
        argv, cwd=site.folder, env=site.environment, stdin=subprocess.DEVNULL
    ) as running:
        ask = ("ps", "--filter", f"label=tidegate.once={site.name}", "--format", "{{.Names}}")
        [name] = until(lambda: site.podman(*ask).split())
        status = json.loads(site.run("status", "--json").stdout)["data"]["hosts"]
        assert [seen["drift"] for seen in status.values()] == [[]]
        assert "No changes" in site.deploy().stdout
        site.write(ONCE % {"version": "2"}, {"key": "hidden\n"})
        site.deploy()
        assert site.get(8080) == "2"
        assert site.podman(*ask).split() == [name]
        site.destroy()
        assert site.podman("ps", "--all", "--quiet", *ask[1:3]).split() == []
        assert running.wait(30) != 0
