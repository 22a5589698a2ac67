"""Migrations on a real server: held to their time by systemd, run once, whatever dies."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.semantics.site import Site, until

pytestmark = pytest.mark.lab

COMPOSE = """\
services:
  store:
    image: busybox:1
    init: true
    environment: {VERSION: "%(version)s"}
    command: sh -c "mkdir -p /data/www; echo %(version)s > /data/www/index.html;
      exec httpd -f -p 8080 -h /data/www"
    ports: ["18080:8080"]
    volumes: ["data:/data"]
    healthcheck: {test: [CMD, wget, -qO-, "http://127.0.0.1:8080/"]}
  web:
    image: busybox:1
    init: true
    environment: {VERSION: "%(version)s"}
    command: sh -c "cat /data/ran; exec sleep 1d"
    volumes: ["data:/data:ro"]
    depends_on: {store: {condition: service_healthy}}
volumes: {data: }
"""


def migration(script: str, check: str = "", **more: Any) -> dict[str, Any]:
    """Settings that migrate the store by a shell's words."""
    checked = {"check": ["sh", "-c", check]} if check else {}
    entry = {"command": ["sh", "-c", script], **checked, **more}
    return {"services": {"store": {"migrate": entry}}}


def ran(site: Site) -> list[str]:
    """The lines that migrations wrote into the store's volume."""
    return site.exec("store", "cat", "/data/ran").split()


def meanwhile(site: Site, act: Callable[[], object]) -> tuple[int, str]:
    """Deploy, and do something once the migration runs; the exit code and what was said."""
    running = subprocess.Popen(
        [sys.executable, "-m", "tidegate", "deploy", "production"],
        cwd=site.folder,
        env=dict(site.environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    name = f"{site.name}-store.expand"
    until(lambda: name in site.podman("ps", "--format", "{{.Names}}"), patience_s=60)
    act()
    said, _ = running.communicate(timeout=180)
    return running.returncode, said


def test_before_the_copies_and_within_its_time(site: Site) -> None:
    """It sees the service's volume, and what waits for the service sees what it did.

    One that takes longer than it may is ended, and nothing that served was touched.
    """
    site.write(COMPOSE % {"version": "1"}, settings=migration("echo one >> /data/ran"))
    site.deploy()
    assert ran(site) == ["one"]
    assert site.log(f"{site.name}-web-a") == ["one"]
    assert site.get(18080) == "1"
    assert "No changes" in site.deploy().stdout

    slow = migration("echo two >> /data/ran; echo waiting; sleep 60", timeout="2s")
    site.write(COMPOSE % {"version": "2"}, settings=slow)
    before = site.container("store")["Id"]
    began = time.monotonic()
    failed = site.deploy(code=1).stderr
    assert time.monotonic() - began < 40
    assert "took too long" in failed
    assert "waiting" in failed
    assert site.container("store")["Id"] == before
    assert site.get(18080) == "1"
    assert "expand" not in site.podman("ps", "--all", "--format", "{{.Names}}")
    assert "expand" not in site.on_server("ls", ".config/containers/systemd")


def test_a_tool_that_is_killed_meanwhile(site: Site) -> None:
    """SIGKILL of the agent: systemd starts it again, and it finds the migration at work."""
    script = "echo one >> /data/ran; sleep 6; echo done >> /data/ran"
    site.write(COMPOSE % {"version": "1"}, settings=migration(script))
    unit = f"tidegate@{site.name}.service"
    code, said = meanwhile(
        site, lambda: site.on_server("systemctl", "--user", "kill", "-s", "KILL", unit)
    )
    assert (code, ran(site)) == (0, ["one", "done"]), said


def test_a_power_cut_meanwhile(site: Site) -> None:
    """Nobody knows how far it came, so its check is asked; the next deployment runs it again."""
    site.write(COMPOSE % {"version": "1"})
    site.deploy()
    script = "echo one >> /data/ran; sync; test -e /data/mended || sleep 8; echo done >> /data/ran"
    settings = migration(script, check="grep -q done /data/ran")
    site.write(COMPOSE % {"version": "2"}, settings=settings)

    def cut() -> None:
        time.sleep(1)
        site.server.kill()
        site.server.start()

    code, said = meanwhile(site, cut)
    until(lambda: site.get(18080) == "1", patience_s=60)
    assert (code, "cut off" in said) == (4, True), said
    assert ran(site) == ["one"]
    site.exec("store", "touch", "/data/mended")
    site.deploy()
    assert ran(site) == ["one", "one", "done"]
    assert site.get(18080) == "2"


def test_by_hand_on_the_server(site: Site) -> None:
    """The tool without a controller migrates as well; with the data gone it does so again."""
    settings = migration("echo one >> /data/ran")
    contract = {"kind": "contract", "command": ["sh", "-c", "echo two >> /data/ran"]}
    expand = settings["services"]["store"]["migrate"]
    settings["services"]["store"]["migrate"] = [expand, contract]
    site.write(COMPOSE % {"version": "1"}, settings=settings)
    site.deploy()
    assert ran(site) == ["one", "two"]
    kept = f".local/share/tidegate/{site.name}/generations/1"
    site.on_server("sh", "-c", f"mkdir -p by-hand && cp {kept}/release.* by-hand/")
    site.destroy()
    tool = (
        f".local/bin/tidegate-host deploy --project {site.name} --release by-hand/release.json 2>&1"
    )
    assert "serves" in site.on_server("sh", "-c", tool)
    assert ran(site) == ["one", "two"]
