"""A lab server with a project on it, and every question the proofs ask of the two.

Answers come from a client over HTTP, from the server's own files over ssh, and never from
the tool that is being tried (but for ``ledger verify``, whose exit code is part of the proof).
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
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidegate.lab import Lab, Server
from tidegate.testing.load.process import LoadProcess
from tidegate.testing.prove.controller import Heard, Outcome, Run
from tidegate.testing.prove.judge import judge
from tidegate.testing.prove.project import Project

SURVEY = Path(__file__).with_name("survey.py")
INSTANCE = "prove"
SETTLE_S = 90.0


def fresh(*names: str) -> Lab:
    """Lab servers of these names that have never been used; those that were there are removed."""
    there = set(names) & set(Lab.open().names)
    if there:
        Lab.open(sorted(there)).down()
    return Lab.up(names)


def await_end(server: Server, instance: str, timeout_s: float) -> None:
    """Wait, with no hand on it, until nothing of an instance is open there, or time is up."""
    unit = f"tidegate@{instance}.service"
    words = (
        f"for i in $(seq {int(timeout_s * 5)}); do"
        f" state=$(systemctl --user show -P ActiveState {unit});"
        f" test -e .local/share/tidegate/{instance}/open.json"
        " || case $state in inactive|failed) exit 0;; esac; sleep 0.2; done; exit 1"
    )
    server.run(["sh", "-c", words], check=False, timeout_s=timeout_s + 60)


@dataclass(slots=True)
class Site:
    """One server, one project; ``number`` counts its versions."""

    lab: Lab
    server: Server
    project: Project
    runtime: Path
    lab_environment: dict[str, str]
    number: int

    @classmethod
    def up(cls, name: str, number: int = 0) -> Site:
        """Bring the server up, new each time, with a new project beside it."""
        lab = fresh(name)
        server = lab.server(name)
        folder = Path(tempfile.mkdtemp(prefix="tidegate-prove-")) / "project"
        project = Project.rich(folder, name, f"deploy@{server.address}")
        runtime = Path(tempfile.mkdtemp(prefix="tgp"))
        return cls(lab, server, project, runtime, lab.env(), number)

    # -- the controller -----------------------------------------------------------------------

    def environment(self) -> dict[str, str]:
        """Of every run: sockets of its own, so that its ssh processes can be told apart."""
        return {**self.lab_environment, "XDG_RUNTIME_DIR": str(self.runtime), "NO_COLOR": "1"}

    def start(
        self,
        *words: str,
        heard: Heard | None = None,
    ) -> Run:
        """Begin ``tidegate WORDS`` in the project."""
        return Run(
            self.project.folder,
            *words,
            environment=self.environment(),
            heard=heard,
        )

    def next_version(self) -> str:
        """Commit the next version; its name."""
        self.number += 1
        self.project.version(str(self.number))
        return str(self.number)

    def deploy(self) -> Outcome:
        """Deploy what is committed, and wait."""
        return self.start("deploy", "production").wait()

    def ssh_processes(self) -> list[int]:
        """Every ssh of our runs, the master in the background included."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                    ours = str(self.runtime).encode() in b" ".join(words)
                    if words[0].startswith(b"ssh") and ours:
                        found.append(int(entry.name))
        return found

    # -- the clients --------------------------------------------------------------------------

    def load(self, run: str, seed: int, *options: str) -> LoadProcess:
        """All seven kinds of client, against this server."""
        host = self.server.address
        return LoadProcess(
            f"{host}:8080",
            self.project.folder.with_name(f"load-{run}.json"),
            *("--tcp", f"{host}:8007", "--ws", f"{host}:8081"),
            *("--run", run, "--seed", str(seed), *options),
        )

    def get(self, path: str, timeout_s: float = 10.0) -> Any:
        """One GET as a user; OSError or HTTPException if it fails."""
        connection = http.client.HTTPConnection(self.server.address, 8080, timeout=timeout_s)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
            if response.status != 200:
                raise OSError(f"{path} answers {response.status}")
            return json.loads(body)
        finally:
            connection.close()

    def answers(self, patience_s: float = 30.0) -> dict[str, str]:
        """Service → version as callers see it; waits while a service is starting."""
        deadline = time.monotonic() + patience_s
        while True:
            try:
                return {name: copy["version"] for name, copy in self.get("/all").items()}
            except (OSError, http.client.HTTPException, ValueError) as error:
                if time.monotonic() > deadline:
                    return {"web": f"no answer: {error}"}
                time.sleep(0.2)

    def missing(self, acknowledged: Iterable[str]) -> list[str]:
        """Rows that a client was told are written, and that are not there."""
        there = set(self.get("/rows", 30.0)["ids"])
        return sorted(set(acknowledged) - there)

    # -- the server ---------------------------------------------------------------------------

    def survey(self) -> dict[str, Any]:
        """What is on the server."""
        done = self.server.run(["python3", "-", INSTANCE], input=SURVEY.read_text())
        facts: dict[str, Any] = json.loads(done.stdout)
        return facts

    def settle(self, timeout_s: float = SETTLE_S) -> float:
        """Wait, with no hand on it, until no deployment is open; seconds that it took."""
        began = time.monotonic()
        await_end(self.server, INSTANCE, timeout_s)
        return time.monotonic() - began

    def ledger(self) -> str:
        """Nothing if the chain is whole, else what is wrong."""
        command = [".local/bin/tidegate-host", "ledger", "verify", "--project", INSTANCE]
        done = self.server.run(command, check=False)
        return "" if done.returncode == 0 else f"ledger: {done.stdout}{done.stderr}".strip()

    def trace(self) -> list[str]:
        """The last words of the host's journals, for who looks into a violation."""
        folder = f".local/share/tidegate/{INSTANCE}/journals"
        words = (
            f"for f in $(ls -tr {folder}/* | tail -n 2); do echo $f; tail -n 25 $f; done;"
            f" journalctl --user -u tidegate@{INSTANCE} -n 20 -o cat; podman ps -a"
        )
        return self.server.run(["sh", "-c", words], check=False).stdout.splitlines()

    def violations(self, acknowledged: Iterable[str] = ()) -> list[str]:
        """Everything that is not as it must be when nothing is open."""
        answers = self.answers()
        found = judge(self.survey(), INSTANCE, answers)
        if broken := self.ledger():
            found.append(broken)
        if lost := self.missing(acknowledged):
            found.append(f"{len(lost)} acknowledged rows are gone: {', '.join(lost[:5])}")
        return found

    def close(self) -> None:
        """End the ssh connections that our runs left open, and remove what lies here."""
        for pid in self.ssh_processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        for folder in (self.project.folder.parent, self.runtime):
            shutil.rmtree(folder, ignore_errors=True)
