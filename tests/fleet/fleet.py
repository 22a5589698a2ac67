"""A project on several lab servers, looked at from each server's side."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.semantics.site import Done, Site, until
from tidegate.lab import Lab

ROLES = (("db",), ("web",), ("web",))


# Each host answers with the version on port 8080.
WEB = """\
services:
  web:
    image: busybox:1
    init: true
    command: sh -c "echo %(version)s > /tmp/index.html && exec httpd -f -p 8000 -h /tmp"
    ports: ["8080:8000"]
    volumes: ["/home/deploy/marks:/marks:ro"]
    healthcheck: {test: "test ! -e /marks/%(version)s", interval: 1s, retries: 2}
"""


def kill(running: subprocess.Popen[str]) -> None:
    """SIGKILL to a controller and all that it started."""
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()


@dataclass(frozen=True, slots=True)
class Fleet:
    """The project, and the same seen from each of its servers; the first is the witness."""

    site: Site
    hosts: Sequence[Site]

    @classmethod
    def make(cls, lab: Lab, names: Sequence[str], folder: Path, name: str) -> Fleet:
        """A new repository."""
        site = Site.make(lab.server(names[0]), folder, name, lab.env())
        return cls(site, [replace(site, server=lab.server(host)) for host in names])

    def write(
        self,
        compose: str | Mapping[str, Any],
        settings: Mapping[str, Any],
        files: Mapping[str, str | bytes] | None = None,
        *,
        witness: int = 0,
        without: int | None = None,
        **environment: Any,
    ) -> None:
        """The next version; ``settings`` are those of the services; one host may be left out."""
        hosts = {
            host.server.name: {
                "ssh": f"deploy@{host.server.address}",
                "address": host.server.address,
                "roles": list(roles),
                **({"witness": True} if number == witness else {}),
            }
            for number, (host, roles) in enumerate(zip(self.hosts, ROLES, strict=True))
            if number != without
        }
        everything = {"hosts": hosts, **environment}
        self.site.write(compose, files, settings={"services": settings}, **everything)

    def deploy(self, *words: str, code: int | None = 0) -> Done:
        """``tidegate deploy production``."""
        return self.site.deploy(*words, code=code)

    def begin(self, who: Site | None = None) -> subprocess.Popen[str]:
        """A deployment that runs beside us, in a session of its own, up to its watch."""
        site = who or self.site
        events = site.folder.parent / f"events-{time.monotonic_ns()}"
        running = subprocess.Popen(
            [sys.executable, "-m", "tidegate", "deploy", "production", "--events", str(events)],
            cwd=site.folder,
            env=site.environment,
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        watching = '"phase": "watch"'
        until(lambda: events.exists() and watching in events.read_text(), patience_s=60)
        return running

    def answers(self) -> list[str]:
        """What each host's port 8080 says."""
        return [host.get(8080) for host in self.hosts]

    def status(self) -> dict[str, Any]:
        """What each host says of itself."""
        done = self.site.run("status", "production", "--json")
        found: dict[str, Any] = json.loads(done.stdout)["data"]["hosts"]
        return found

    def generations(self) -> list[int]:
        """The generation that serves on each host."""
        return [int(seen["generation"]) for seen in self.status().values()]
