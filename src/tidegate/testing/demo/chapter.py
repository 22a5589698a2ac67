"""What every chapter is made of: steps that are timed and told, and commands as users type them."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from tidegate.lab import Lab, Server
from tidegate.testing.demo.step import Step
from tidegate.testing.load.process import LoadProcess
from tidegate.testing.prove.controller import Outcome, Run
from tidegate.testing.prove.project import Project

LONGEST_S = 600.0


@dataclass(slots=True)
class Chapter(ABC):
    """One project's story on servers whose names begin with ``prefix``; ``doing`` is its latest."""

    SERVERS: ClassVar[Sequence[str]]  # what follows the prefix

    folder: Path
    prefix: str
    steps: list[Step] = field(default_factory=list)
    doing: str = ""
    lab: Lab = field(init=False)
    environment: Mapping[str, str] = field(init=False)
    project: Project = field(init=False)

    @abstractmethod
    def tell(self) -> None:
        """All of it, in order."""

    @property
    def names(self) -> list[str]:
        """Its servers'."""
        return [f"{self.prefix}{ending}" for ending in self.SERVERS]

    @property
    def servers(self) -> list[Server]:
        """What it runs on."""
        return [self.lab.server(name) for name in self.names]

    @abstractmethod
    def to_try(self) -> Sequence[str]:
        """Commands for the project's folder, for whoever has seen it."""

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """A step, timed."""
        step = Step(title)
        self.doing = title
        began = time.monotonic()
        yield step
        step.seconds = step.seconds or time.monotonic() - began
        self.steps.append(step)

    def run(self, *words: str, events: bool = False) -> Outcome:
        """A command, as a user types it in the project."""
        run = Run(self.project.folder, *words, environment=self.environment, events=events)
        return run.wait(LONGEST_S)

    @contextmanager
    def clients(
        self, step: Step, servers: Mapping[Server, int], kinds: str
    ) -> Iterator[dict[str, dict[str, Any]]]:
        """Clients that ask all the time, at each server's port; their reports are there at the end.

        They start in less time than any command needs before it changes what they see. What
        they saw goes into ``step``.
        """
        run = f"{self.folder.name}-{len(self.steps)}"
        out = self.folder.with_name
        loads = {
            server.name: LoadProcess(
                f"{server.address}:{port}",
                out(f"{run}-{server.name}.json"),
                *("--kinds", kinds, "--run", f"{run}-{number}"),
            )
            for number, (server, port) in enumerate(servers.items())
        }
        reports: dict[str, dict[str, Any]] = {}
        try:
            yield reports
            time.sleep(0.3)
            reports |= {name: load.stop() for name, load in loads.items()}
        finally:
            for load in loads.values():
                load.__exit__(None, None, None)
        step.watched = True
        step.requests += sum(report["requests"] for report in reports.values())
        step.failed += sum(report["failed"] for report in reports.values())
        pauses = (report["longest_pause_s"] for report in reports.values())
        step.pause_s = max(step.pause_s, *pauses)


def settle(step: Step, outcome: Outcome, code: int, ended: str) -> None:
    """How a command ended, against the exit code that is right."""
    step.ended = ended
    words = outcome.stderr or outcome.stdout
    expect(step, outcome.code == code, f"exit code {outcome.code}, not {code}:\n{words}")


def expect(step: Step, holds: bool, otherwise: str) -> None:
    """Mark the step as bad unless it holds; the first trouble is kept."""
    if not holds and step.good:
        step.good, step.trouble = False, otherwise
        step.ended = otherwise.partition("\n")[0].removesuffix(":")
