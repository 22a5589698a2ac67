"""Three lab servers, two machines that people work on, and every question that the proof asks.

Staging is one server; production has two, of which the first keeps the rows. The other machine
has a clone and the same keys, and nothing of the first one's caches.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidegate.lab import Lab, Server
from tidegate.testing.prove.controller import Outcome, Run
from tidegate.testing.prove.fleet.party import get
from tidegate.testing.prove.judge import orphans, places, running
from tidegate.testing.prove.project import ROOT, Project
from tidegate.testing.prove.site import SURVEY, await_end, fresh
from tidegate.testing.prove.stages.model import PRODUCTION, STAGING, Commit

SOURCE = ROOT / "benchmarks" / "stages"
INSTANCE = "stages"
PEOPLE = ("anna", "ben")
STRANGER = "carl"
SETTLE_S = 60
SWITCH = {"watch": "300ms", "lease": "6s"}


@dataclass(slots=True)
class Town:
    """``machines`` are the folders and environments of the two."""

    lab: Lab
    servers: Mapping[str, Sequence[Server]]
    project: Project
    machines: Sequence[tuple[Path, dict[str, str]]]
    keys: Path

    @classmethod
    def up(cls, names: Sequence[str]) -> Town:
        """New servers and a new project."""
        lab = fresh(*names)
        first, *others = [lab.server(name) for name in names]
        scratch = Path(tempfile.mkdtemp(prefix="tgp"))
        project = Project.copy(SOURCE, scratch / "project")
        for name in (*PEOPLE, STRANGER):
            words = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{name}@example.com")
            subprocess.run([*words, "-f", scratch / name], check=True)
        mine = {**lab.env(), "NO_COLOR": "1"}
        elsewhere = {**mine, "XDG_CACHE_HOME": str(scratch / "cache")}
        machines = [(project.folder, mine), (scratch / "other", elsewhere)]
        return cls(lab, {STAGING: [first], PRODUCTION: others}, project, machines, scratch)

    # -- the project --------------------------------------------------------------------------

    def commit(self, commit: Commit) -> None:
        """The next version, on both machines: everything that makes it is another one."""
        folder, number = self.project.folder, str(commit.number)
        (folder / "VERSION").write_text(f"{number} {commit.wrong}".strip())
        (folder / "motd").write_text(number)
        (folder / "tidegate.yaml").write_text(json.dumps(self._config(commit), indent=1))
        for environment in (STAGING, PRODUCTION):
            self.words("secrets", "set", environment, "TOKEN", given=number)
        self.project.commit(f"Version {number} {commit.wrong}".strip())
        other = self.machines[1][0]
        shutil.rmtree(other, ignore_errors=True)
        subprocess.run(("git", "clone", "--quiet", folder, other), check=True)

    def _config(self, commit: Commit) -> dict[str, Any]:
        people = {name: Path(f"{self.keys / name}.pub").read_text().strip() for name in PEOPLE}
        kinds = ("expand", "contract") if commit.contract else ("expand",)
        migrate = [self._migration(kind, str(commit.number)) for kind in kinds]
        return {
            "version": 1,
            "project": INSTANCE,
            "people": people,
            "services": {"store": {"on": "data"}, "web": {"migrate": migrate}},
            "environments": {
                STAGING: {**self._environment(STAGING, commit), "deploy": "automatic"},
                PRODUCTION: {
                    **self._environment(PRODUCTION, commit),
                    "gates": [{"approval": {"by": list(PEOPLE)}}],
                },
            },
        }

    def _migration(self, kind: str, number: str) -> dict[str, Any]:
        command = ["python", "-S", "migrate.py", kind, number]
        return {"kind": kind, "command": command, "check": [*command, "--check"], "timeout": "1m"}

    def _environment(self, name: str, commit: Commit) -> dict[str, Any]:
        hosts = {
            server.name: {
                "ssh": f"deploy@{server.address}",
                "address": server.address,
                "roles": ["data"] if server is self.servers[name][0] else ["web"],
            }
            for server in self.servers[name]
        }
        variables = {"GREETING": str(commit.number), "STAGE": name}
        secrets = f"secrets/{name}.age"
        rest = {"secrets": secrets, "verify": ["e2e"], "switch": SWITCH}
        return {"hosts": hosts, "variables": variables, **rest}

    # -- the command line ---------------------------------------------------------------------

    def start(self, machine: int, *words: str, events: bool = False) -> Run:
        """Begin ``tidegate WORDS`` on one of the machines."""
        folder, environment = self.machines[machine]
        return Run(folder, *words, environment=environment, events=events)

    def run(self, machine: int, *words: str) -> Outcome:
        """The same, to its end."""
        return self.start(machine, *words).wait()

    def words(self, *words: str, given: str) -> None:
        """A command that is given something on its standard input."""
        folder, environment = self.machines[0]
        subprocess.run(
            (sys.executable, "-m", "tidegate", *words), cwd=folder, check=True, text=True,
            env={**os.environ, **environment}, input=given, capture_output=True,
        )  # fmt: skip

    # -- what is there ------------------------------------------------------------------------

    @property
    def all(self) -> list[tuple[str, Server]]:
        """Every server with its environment."""
        return [(name, server) for name, servers in self.servers.items() for server in servers]

    def each(self, ask: Any) -> list[Any]:
        """What ``ask(environment, server)`` says, of all servers at once."""
        with ThreadPoolExecutor(len(self.all)) as pool:
            return list(pool.map(lambda pair: ask(*pair), self.all))

    def settle(self) -> float:
        """Wait, with no hand on it, until no host has anything open; seconds that it took."""
        began = time.monotonic()
        self.each(lambda _, server: await_end(server, INSTANCE, SETTLE_S))
        return time.monotonic() - began

    def parts(self, server: Server) -> dict[str, str]:
        """Each part of the release that a host's callers are told; nothing: nobody answers."""
        deadline = time.monotonic() + 10
        while True:
            try:
                found: dict[str, str] = json.loads(get(server.address, 8080, "/"))
                return found
            except ConnectionRefusedError:
                return {}
            except (OSError, http.client.HTTPException, ValueError):
                if time.monotonic() > deadline:
                    return {}
                time.sleep(0.2)

    def lines(self, environment: str, path: str) -> list[str]:
        """What the store of an environment keeps."""
        return get(self.servers[environment][0].address, 8081, path).split()

    def survey(self, server: Server) -> dict[str, Any]:
        """What is on a server, seen by other eyes than the tool's."""
        done = server.run(["python3", "-", INSTANCE], input=SURVEY.read_text())
        facts: dict[str, Any] = json.loads(done.stdout)
        return facts

    def close(self) -> None:
        """Remove what lies here."""
        shutil.rmtree(self.keys, ignore_errors=True)


def whole(parts: Mapping[str, str]) -> int:
    """The version that all parts are of; -1: they are of several, 0: nothing serves."""
    found = set(parts.values())
    if len(found) > 1:
        return -1
    return int(found.pop()) if found else 0


def wrongs(facts: Mapping[str, Any]) -> Iterable[str]:
    """What is not as the release of a host says, when nothing is open there."""
    if not facts["current"]:
        if facts["containers"]:
            yield f"nothing serves, and there is {facts['containers'][0]['name']}"
        return
    serving = facts["generations"][str(facts["current"])]
    expected = places(serving["release"], serving["layout"], INSTANCE)
    yield from running(facts, serving["release"], expected)
    yield from orphans(facts, INSTANCE, expected)
