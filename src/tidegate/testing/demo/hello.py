"""Hello: a first deployment, a new version, three bad ones, a way back, a power cut.

Every claim that the table makes is checked here, by a client of the deployed service.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tidegate.lab import Server
from tidegate.testing.demo.chapter import Chapter, expect, settle
from tidegate.testing.demo.step import Step, phases
from tidegate.testing.prove.controller import Outcome
from tidegate.testing.prove.project import HELLO, MISTAKES, Project

PORT = 8080
KINDS = "keep-alive,new connection,websocket,row"


@dataclass(slots=True)
class Hello(Chapter):
    """One server, one compose file; ``acknowledged`` are the rows that must be there."""

    SERVERS = ("",)

    acknowledged: list[str] = field(default_factory=list)
    good: str = ""

    def tell(self) -> None:
        """All of it, in order."""
        self.make_project()
        self.deploy("first deployment", "1.0.0", watched=False)
        if not self.steps[-1].good:
            return  # nothing after it would say anything
        self.deploy("new version", "1.1.0", watched=True)
        for number, kind in enumerate(MISTAKES, 2):
            self.mistake(kind, f"1.{number}.0")
        self.roll_back("1.0.0")
        self.cut_power()
        self.count_rows()

    @property
    def server(self) -> Server:
        """The one that it has."""
        return self.servers[0]

    def to_try(self) -> Sequence[str]:
        """A next version, and back."""
        return (
            "tidegate status production",
            "tidegate history production",
            "echo 2.0.0 > VERSION && git commit -am 'Version 2.0.0' && tidegate plan production",
            "tidegate deploy production",
            "tidegate rollback production",
            f"curl http://{self.server.address}:{PORT}/version",
        )

    # -- the steps ----------------------------------------------------------------------------

    def make_project(self) -> None:
        """A copy of the example in a repository of its own, and ``tidegate init``."""
        with self.step("tidegate init") as step:
            self.project = Project.copy(HELLO, self.folder)
            outcome = self.run("init", "--host", f"deploy@{self.server.address}")
            self.project.commit("Deploy with Tidegate")
            self.good = self.project.git("rev-parse", "HEAD")
            settle(step, outcome, 0, "tidegate.yaml is written")

    def deploy(self, title: str, version: str, *, watched: bool) -> None:
        """A good version."""
        with self.step(f"{title} {version}") as step:
            if (self.folder / "VERSION").read_text().strip() != version:
                self.good = self.project.version(version)
            outcome = self.deployed(step, watched=watched)
            settle(step, outcome, 0, f"{self.version()} serves")
            expect(step, self.version() == version, f"{self.version()} serves")
            expect(step, not step.failed, f"{step.failed} requests failed")

    def mistake(self, kind: str, version: str) -> None:
        """A bad version: it must end with exit code 1, and the one before must serve."""
        with self.step(f"{version}: {kind}") as step:
            before = self.version()
            self.project.mistake(kind, version)
            outcome = self.deployed(step, watched=True)
            settle(step, outcome, 1, f"put back: {self.version()} serves")
            expect(step, self.version() == before, f"{self.version()} serves")
            self.project.revert(self.good)
            self.project.commit(f"Revert {version}")

    def roll_back(self, version: str) -> None:
        """Back to the version before."""
        with self.step("tidegate rollback") as step:
            with self.watched(step):
                outcome = self.run("rollback", "production", events=True)
            step.phases = phases(outcome)
            settle(step, outcome, 0, f"{self.version()} serves")
            expect(step, self.version() == version, f"{self.version()} serves")
            expect(step, not step.failed, f"{step.failed} requests failed")

    def cut_power(self) -> None:
        """The server loses its power and comes back, while clients go on asking."""
        with self.step("power cut") as step:
            before = self.version()
            with self.watched(step):
                time.sleep(1)
                self.server.kill()
                began = time.monotonic()
                self.server.start()
                after = self.version(patience_s=60)
                took = time.monotonic() - began
            step.ended = f"{after} serves, {took:.1f} s after power came back"
            expect(step, after == before, f"{after} serves")

    def count_rows(self) -> None:
        """Every row that a client was told is written is there."""
        with self.step("all rows are there") as step:
            there = set(self.get("/rows")["ids"])
            lost = set(self.acknowledged) - there
            step.ended = f"{len(self.acknowledged):,} acknowledged, {len(lost)} lost"
            expect(step, not lost, f"{len(lost)} of {len(self.acknowledged)} rows are lost")

    # -- what they are made of ----------------------------------------------------------------

    @contextmanager
    def watched(self, step: Step) -> Iterator[None]:
        """With clients that ask all the time; what they saw goes into ``step``."""
        with self.clients(step, {self.server: PORT}, KINDS) as reports:
            yield
        self.acknowledged += reports[self.server.name]["acknowledged"]

    def deployed(self, step: Step, *, watched: bool) -> Outcome:
        """``tidegate deploy production``, with clients or without."""
        if watched:
            with self.watched(step):
                outcome = self.run("deploy", "production", events=True)
        else:
            outcome = self.run("deploy", "production", events=True)
        step.phases, step.seconds = phases(outcome), outcome.seconds
        return outcome

    def version(self, patience_s: float = 5.0) -> str:
        """What a client is told."""
        deadline = time.monotonic() + patience_s
        while True:
            try:
                return str(self.get("/version", 2.0)["version"])
            except (OSError, http.client.HTTPException, KeyError, ValueError) as error:
                if time.monotonic() > deadline:
                    return f"nothing ({type(error).__name__})"
                time.sleep(0.1)

    def get(self, path: str, timeout_s: float = 10.0) -> Any:
        """One GET."""
        connection = http.client.HTTPConnection(self.server.address, PORT, timeout=timeout_s)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()
