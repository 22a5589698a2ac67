"""Three lab servers with one small project on them, and every question that the proof asks.

Small on purpose: a deployment costs a few seconds, so that hundreds can be disturbed. ``web`` is
on all three hosts, ``rows`` on the first alone, in place, with a volume; web reaches it by name.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidegate.lab import Lab, Server
from tidegate.testing.prove.controller import Heard, Outcome, Run
from tidegate.testing.prove.project import Project
from tidegate.testing.prove.site import SURVEY, await_end
from tidegate.testing.prove.trouble import DROP_IN, FAKE

INSTANCE = "fleet"
LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
SETTLE_S = 120.0
LEASE_S = 6
WEB = """\
#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n%s\\n' "$VERSION"
"""
ROWS = """\
#!/bin/sh
case $REQUEST_METHOD in
POST) name=$(head -c "$CONTENT_LENGTH"); echo "$name" >> /data/rows; sync; code='201 Created';;
*) code='200 OK';;
esac
printf 'Status: %s\\r\\nContent-Type: text/plain\\r\\n\\r\\n' "$code"
cat /data/rows 2>/dev/null
"""
DOCKERFILE = """\
FROM busybox:1
COPY web /www/cgi-bin/version
COPY built /built
"""
COMPOSE = """\
services:
  web:
    build: .
    init: true
    environment: {VERSION: "%(version)s"}
    command: httpd -f -p 8000 -h /www
    ports: ["8080:8000"]
    healthcheck: {test: [CMD, wget, -qO, /dev/null, "http://127.0.0.1:8000/cgi-bin/version"],
                  interval: 10s}
  rows:
    image: busybox:1
    init: true
    command: httpd -f -p 8000 -h /www
    ports: ["8081:8000"]
    volumes: ["data:/data", "./rows:/www/cgi-bin/rows:ro"]
volumes: {data: {}}
"""


def get(address: str, port: int, path: str, body: bytes | None = None, timeout_s: float = 5) -> str:
    """One request; OSError or HTTPException where it fails."""
    connection = http.client.HTTPConnection(address, port, timeout=timeout_s)
    try:
        connection.request("POST" if body else "GET", path, body)
        response = connection.getresponse()
        text = response.read().decode()
        if response.status not in (200, 201):
            raise OSError(f"status {response.status}")
        return text
    finally:
        connection.close()


@dataclass(slots=True)
class Party:
    """The servers, the project, and how many versions there were."""

    lab: Lab
    servers: Sequence[Server]
    project: Project
    runtime: Path
    number: int = 0

    @classmethod
    def up(cls, names: Sequence[str]) -> Party:
        """New servers and a new project."""
        for name in names:
            if name in Lab.open().names:
                Lab.open((name,)).down()
        lab = Lab.up(tuple(names))
        servers = [lab.server(name) for name in names]
        folder = Path(tempfile.mkdtemp(prefix="tidegate-prove-")) / "project"
        folder.mkdir()
        for name, text in (("web", WEB), ("rows", ROWS)):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        (folder / "Dockerfile").write_text(DOCKERFILE)
        hosts = {
            server.name: {
                "ssh": f"deploy@{server.address}",
                "address": server.address,
                "roles": ["web", *(["data"] if server is servers[0] else [])],
            }
            for server in servers
        }
        production = {"hosts": hosts, "switch": {"watch": "300ms", "lease": f"{LEASE_S}s"}}
        config = {
            "version": 1,
            "project": INSTANCE,
            "services": {"rows": {"on": "data"}},
            "environments": {"production": production},
        }
        (folder / "tidegate.yaml").write_text(json.dumps(config))
        project = Project(folder)
        project.git("init", "--quiet", "--initial-branch=main")
        project.git("config", "user.name", "Somebody")
        project.git("config", "user.email", "somebody@example.com")
        party = cls(lab, servers, project, Path(tempfile.mkdtemp(prefix="tgp")))
        for server in servers:
            words = f"mkdir -p {DROP_IN}; cat > {DROP_IN}/clock.conf; echo +0 > .clock"
            server.run(["sh", "-c", words], input=FAKE.format(library=LIBRARY))
        return party

    def clock(self, server: Server, seconds: int) -> None:
        """What the agent of a server takes for the time is so far ahead, once it is in reach."""
        for _ in range(10):
            done = server.run(["sh", "-c", f"echo +{seconds} > .clock"], check=False)
            if done.returncode == 0:
                return
            time.sleep(1)

    # -- the controller -----------------------------------------------------------------------

    def next_version(self, *, image: bool = False) -> str:
        """Commit the next version, with an image of its own or only another variable; its name."""
        self.number += 1
        folder, version = self.project.folder, str(self.number)
        if image or self.number == 1:
            (folder / "built").write_text(version)
        (folder / "compose.yaml").write_text(COMPOSE % {"version": version})
        self.project.commit(f"Version {version}")
        return version

    def start(self, *words: str, heard: Heard | None = None) -> Run:
        """Begin ``tidegate WORDS`` in the project."""
        mine = {"XDG_RUNTIME_DIR": str(self.runtime), "NO_COLOR": "1"}
        environment = {**self.lab.env(), **mine}
        return Run(self.project.folder, *words, environment=environment, heard=heard)

    def deploy(self) -> Outcome:
        """Deploy what is committed, and wait."""
        return self.start("deploy", "production").wait()

    def ssh_processes(self, address: str = "") -> list[int]:
        """Every ssh of our runs, or those to one server."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    words = (entry / "cmdline").read_bytes()
                    ours = str(self.runtime).encode() in words
                    if words.startswith(b"ssh") and ours and address.encode() in words:
                        found.append(int(entry.name))
        return found

    # -- what is there ------------------------------------------------------------------------

    def version(self, server: Server, patience_s: float = 20.0) -> str:
        """What a client of one host is told."""
        deadline = time.monotonic() + patience_s
        while True:
            try:
                return get(server.address, 8080, "/cgi-bin/version").strip()
            except (OSError, http.client.HTTPException) as problem:
                if time.monotonic() > deadline:
                    return f"no answer: {problem}"
                time.sleep(0.2)

    def versions(self) -> dict[str, str]:
        """The same of every host."""
        with ThreadPoolExecutor(len(self.servers)) as pool:
            found = list(pool.map(self.version, self.servers))
        return {server.name: version for server, version in zip(self.servers, found, strict=True)}

    def rows(self) -> set[str]:
        """Every row that is there."""
        deadline = time.monotonic() + 20
        while True:
            try:
                return set(get(self.servers[0].address, 8081, "/cgi-bin/rows").split())
            except (OSError, http.client.HTTPException):
                if time.monotonic() > deadline:
                    return set()
                time.sleep(0.2)

    def settle(self) -> float:
        """Wait, with no hand on it, until no host has anything open; seconds that it took."""
        began = time.monotonic()
        with ThreadPoolExecutor(len(self.servers)) as pool:
            list(pool.map(lambda server: await_end(server, INSTANCE, SETTLE_S), self.servers))
        return round(time.monotonic() - began, 1)

    def surveys(self) -> dict[str, dict[str, Any]]:
        """What is on each server, seen by other eyes than the tool's."""
        script = SURVEY.read_text()

        def one(server: Server) -> dict[str, Any]:
            done = server.run(["python3", "-", INSTANCE], input=script)
            facts: dict[str, Any] = json.loads(done.stdout)
            return facts

        with ThreadPoolExecutor(len(self.servers)) as pool:
            found = list(pool.map(one, self.servers))
        return {server.name: facts for server, facts in zip(self.servers, found, strict=True)}

    def violations(self, acknowledged: Iterable[str]) -> list[str]:
        """Everything that is not as it must be when nothing is open anywhere."""
        surveys = self.surveys()
        found = []
        current = {name: facts["current"] for name, facts in surveys.items()}
        if len(set(current.values())) != 1:
            found.append(f"generations of more than one deployment serve: {current}")
        versions = self.versions()
        if len(set(versions.values())) != 1:
            found.append(f"hosts answer with different versions: {versions}")
        for name, facts in surveys.items():
            if facts["open"]:
                found.append(f"{name}: {facts['open']['deployment']} is {facts['open']['state']}")
            found += [f"{name}: {text}" for text in orphans(facts)]
        decisions: dict[str, set[str]] = {}
        for facts in surveys.values():
            for number, generation in facts["generations"].items():
                decisions.setdefault(number, set()).add(generation["decision"])
        found += [
            f"deployment {number} ended differently: {sorted(ends)}"
            for number, ends in decisions.items()
            if len(ends) > 1
        ]
        lost = set(acknowledged) - self.rows()
        if lost:
            found.append(f"{len(lost)} acknowledged rows are gone")
        return found

    def trace(self) -> list[str]:
        """The last words of all journals, for who looks into a violation."""
        folder = f".local/share/tidegate/{INSTANCE}/journals"
        words = (
            f"for f in $(ls -tr {folder}/* | tail -n 2); do echo $f; tail -n 12 $f; done;"
            f" journalctl --user -u tidegate@{INSTANCE} -n 15 -o cat; podman ps -a"
        )
        lines: list[str] = []
        for server in self.servers:
            lines += [server.name, *server.run(["sh", "-c", words], check=False).stdout.split("\n")]
        return lines

    def close(self) -> None:
        """End the connections that our runs left open, and remove what lies here."""
        for pid in self.ssh_processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        for folder in (self.project.folder.parent, self.runtime):
            shutil.rmtree(folder, ignore_errors=True)


def orphans(facts: dict[str, Any]) -> list[str]:
    """Containers of more than one slot, and generations that were never committed."""
    found = []
    slots = [c["name"] for c in facts["containers"] if c["name"].startswith(f"{INSTANCE}-web-")]
    copies = [name for name in slots if not name.endswith("-front")]
    if len(copies) != 1:
        found.append(f"{len(copies)} copies of web: {copies}")
    found += [
        f"generation {number} was never committed"
        for number, generation in facts["generations"].items()
        if generation["decision"] != "commit"
    ]
    return found
