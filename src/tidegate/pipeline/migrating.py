"""Migrations of a deployment: each on one host, once, with the witness told of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate.errors import InfrastructureError, RefusedError, TidegateError
from tidegate.host import due
from tidegate.host.due import Contract, Task
from tidegate.pipeline.fleet import Fleet, locked
from tidegate.pipeline.states import Phase
from tidegate.plan import migrating
from tidegate.ports import Answer, Host

Result = Mapping[str, Any]
# What a task may take besides its own timeout and its check's: to be started, and to be ended.
MARGIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Migrations:
    """What is due, by host; ``begin`` and ``wait`` are the runner's own."""

    hosts: Sequence[Host]
    due: Sequence[tuple[str, Task]]
    begin: Callable[[Host, str, Mapping[str, Any]], Answer]
    wait: Callable[[Answer, Phase, float], Result]

    def pending(self, kind: str) -> list[str]:
        """The services that have one of that kind."""
        return [task.service for _, task in self.due if task.kind == kind]

    def expand(self, services: Sequence[str]) -> None:
        """Run the expand migrations of these services; the hosts side by side."""
        chosen = [(h, t) for h, t in self.due if t.kind == "expand" and t.service in services]
        asked = [(h, t, self._ask(h, t)) for h, t in chosen]
        for host, task, answer in asked:
            result = self.wait(answer, Phase.PREPARE, _limit_s(task))
            self._tell(host, task, result, Phase.PREPARE)

    def contract(self) -> list[Result]:
        """Run the contract migrations, one after the other.

        Before one begins the witness knows of it: from then on going back behind it is refused.
        """
        results = []
        for host, task in self.due:
            if task.kind != "contract":
                continue
            result = self.wait(self._ask(host, task), Phase.CONTRACT, _limit_s(task))
            if result.get("due"):
                self._note(task, due.CONTRACT, int(result["number"]), Phase.CONTRACT)
                answer = self._ask(host, task, noted=True)
                result = self.wait(answer, Phase.CONTRACT, _limit_s(task))
            self._tell(host, task, result, Phase.CONTRACT)
            results.append(result)
        return results

    def _ask(self, host: str, task: Task, *, noted: bool = False) -> Answer:
        args = {"service": task.service, "kind": task.kind, **({"noted": True} if noted else {})}
        place = next(each for each in self.hosts if each.name == host)
        return self.begin(place, "migrate", args)

    def _tell(self, host: str, task: Task, result: Result, phase: Phase) -> None:
        """The witness keeps what was done where: the next deployment asks it."""
        if host != self.hosts[0].name:
            event = due.RAN if "ran" in result else due.CHECKED
            self._note(task, event, int(result["number"]), phase)

    def _note(self, task: Task, event: str, number: int, phase: Phase) -> None:
        words = {"service": task.service, "kind": task.kind, "task": task.name}
        args = {"event": event, "number": number, **words}
        self.wait(self.begin(self.hosts[0], "note", args), phase, MARGIN_S)


def _limit_s(task: Task) -> float:
    return 2 * float(task.body["timeout_s"]) + MARGIN_S


def contract(environment: str, fleet: Fleet) -> list[tuple[str, Task, bool]]:
    """Run the contract migrations that what serves still owes: (host, which, whether it ran)."""
    release = fleet.seen.get("release") or {"services": {}}
    wanted = [(h, t) for h, t in migrating(release, fleet.by_host) if t.kind == "contract"]
    if not wanted:
        return []
    chosen = [agent for agent in fleet.agents if agent.name in {host for host, _ in wanted}]
    with locked(environment, fleet, chosen, "migrate") as ours:
        work = Migrations(
            fleet.agents,
            wanted,
            lambda host, op, args: host.begin(op, args, **ours),
            lambda answer, _, limit_s: answer.result(limit_s),
        )
        results = work.contract()
    return [(h, task, "ran" in r) for (h, task), r in zip(wanted, results, strict=True)]


def owed(deployment: str, environment: str, problem: TidegateError) -> InfrastructureError:
    """A contract that failed: nothing is put back for it, and it is tried again."""
    return InfrastructureError(
        f"{deployment} is decided and serves, but {problem.message}",
        code="contract-failed",
        hint=f"mend it, then: tidegate migrate {environment}",
        log=problem.log,
        subject=problem.subject,
    )


def refuse_crossing(fleet: Fleet, environment: str, number: int) -> None:
    """``RefusedError`` where a contract migration began after deployment ``number``."""
    told = [c for seen in fleet.observed for c in seen.get("contracts") or ()]
    found = {Contract(str(c["service"]), int(c["since"])) for c in told}
    behind = sorted(due.crossed(found, number))
    if behind:
        names = ", ".join(f"{c.service} ({environment}/{c.since})" for c in behind)
        raise RefusedError(
            f"{environment}/{number} is older than the contract migration of {names}: "
            "its code does not know the database as it is now",
            code="contract-crossed",
            subject=behind[0].service,
            hint="commit a change that works with the database as it is, and deploy that",
        )
