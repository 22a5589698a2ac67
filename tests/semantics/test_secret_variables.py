"""Secrets of the encrypted file in real containers: whole, seen nowhere, rotated, revoked."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.semantics.site import Site

pytestmark = pytest.mark.lab

COMPOSE = """\
services:
  web:
    image: busybox:1
    init: true
    command: sleep 1d
    environment: {URL: "postgres://shop:${PASSWORD}@db/shop", PLAIN: "1"}
  other: {image: busybox:1, init: true, command: sleep 1d}
  file:
    image: busybox:1
    init: true
    command: sleep 1d
    secrets: [token]
secrets: {token: {environment: TOKEN}}
"""
FIRST, SECOND, TOKEN = "plain-8d1f-first", "plain-22ac-second", "plain-77e0-token"


def secrets(site: Site, *words: str, given: str) -> None:
    """``tidegate secrets WORDS`` with a value on standard input."""
    subprocess.run(
        [sys.executable, "-m", "tidegate", "secrets", *words],
        cwd=site.folder,
        env=dict(site.environment),
        input=given,
        text=True,
        check=True,
        capture_output=True,
    )


class Argvs(threading.Thread):
    """Looks at every process of this machine, the lab's servers with it, again and again."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self.looks = 0
        self.seen: set[bytes] = set()

    def run(self) -> None:
        """Until it is over."""
        while not self.over.wait(0.01):
            self.looks += 1
            for entry in Path("/proc").iterdir():
                if entry.name.isdigit():
                    try:
                        self.seen.add((entry / "cmdline").read_bytes())
                    except OSError:
                        continue


def url(site: Site) -> str:
    """The variable as the service's first process has it."""
    words = r"tr '\0' '\n' < /proc/1/environ | grep ^URL="
    return site.exec("web", "sh", "-c", words).strip().removeprefix("URL=")


def everywhere(site: Site) -> str:
    """All that is written on the server: units, releases, records, logs; and what podman tells."""
    folders = ".config .local/share/tidegate"
    told = site.on_server("sh", "-c", f"grep -rah . {folders} 2>/dev/null; true")
    told += site.on_server("sh", "-c", "journalctl --user -q -o json --no-pager")
    return told + site.podman("inspect", *[one["Name"] for one in site.containers()])


def test_secret_variables(site: Site) -> None:
    """They arrive whole and are nowhere to be read; a rotated one never comes back."""
    watching = Argvs()
    watching.start()
    site.write(COMPOSE, secrets="production.age")
    secrets(site, "set", "production", "PASSWORD", given=FIRST)
    secrets(site, "set", "production", "TOKEN", given=TOKEN)
    said = site.deploy()
    assert url(site) == f"postgres://shop:{FIRST}@db/shop"
    assert site.exec("file", "cat", "/run/secrets/token").strip() == TOKEN
    before = {name: site.container(name)["Id"] for name in ("web", "other", "file")}
    assert "No changes" in site.deploy().stdout

    secrets(site, "rotate", "production", "PASSWORD", given=SECOND)
    plan = site.run("plan", "production")
    done = site.deploy()
    after = {name: site.container(name)["Id"] for name in ("web", "other", "file")}
    assert [name for name in before if before[name] != after[name]] == ["web"]
    assert url(site) == f"postgres://shop:{SECOND}@db/shop"

    back = site.rollback()
    assert url(site) == f"postgres://shop:{SECOND}@db/shop"
    watching.over.set()
    watching.join()
    assert watching.looks > 50
    told = everywhere(site) + "".join(p.stdout + p.stderr for p in (said, plan, done, back))
    told += "".join(
        path.read_text(errors="replace") for path in site.folder.glob("*.*") if path.is_file()
    )
    argvs = b"\n".join(watching.seen).decode(errors="replace")
    for value in (FIRST, SECOND, TOKEN):
        assert value not in told
        assert value not in argvs
