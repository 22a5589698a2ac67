"""Asks the witness what it knows of a release, lets the gates decide, and says no in one error.

What waits for people is kept on the witness, whole and signed: another person, on another
machine, sees the very release that would be deployed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tidegate.edges.agent import Agent
from tidegate.edges.signing import owner
from tidegate.errors import InputError, RefusedError, TidegateError, WaitingError
from tidegate.gates import Checked, Decision, Facts, Soak, Verdict, decide
from tidegate.model.config import Environment, Gate
from tidegate.pipeline.fleet import OBSERVE_S, Fleet, attach
from tidegate.pipeline.witness import in_office
from tidegate.ports import Reporter
from tidegate.release.manifest import release_digest

Release = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A release on its way into an environment; ``plan`` is its plan's digest there."""

    release: Release
    signature: str
    plan: str
    gates: Sequence[Gate]
    automatic: bool = False

    @property
    def told(self) -> dict[str, Any]:
        """What the witness is told of it when the lock is asked for."""
        digest = release_digest(dict(self.release))
        return {"release": digest, "plan": self.plan, "automatic": self.automatic}

    @property
    def variables(self) -> dict[str, str]:
        """What the command of a check is told."""
        return {
            "TIDEGATE_ENVIRONMENT": str(self.release["environment"]),
            "TIDEGATE_COMMIT": str(self.release["commit"]),
            "TIDEGATE_VERSION": str(self.release["version"]),
            "TIDEGATE_RELEASE": str(self.told["release"]),
            "TIDEGATE_PLAN": self.plan,
        }


@dataclass(frozen=True, slots=True)
class Outside:
    """What gates ask of others than the hosts: another environment, a command's end.

    ``check`` gets the gate and the variables that its command is told. ``bring`` gives the hosts
    the images of what waits, so that it can go on from any machine.
    """

    soak: Callable[[str], Soak]
    check: Callable[[Gate, Mapping[str, str]], Checked]
    bring: Callable[[], None]


def pass_gates(fleet: Fleet, wanted: Wanted, outside: Outside) -> None:
    """Return where every gate is passed.

    ``RefusedError`` for a hold, a rejection, a window, a soak or a check; ``WaitingError`` where
    people have to approve: the release is proposed to them then.
    """
    agent = in_office(fleet)
    decisions = _decisions(agent, wanted, outside)
    lacking = [d for d in decisions if d.verdict is not Verdict.PASSED]
    if not lacking:
        return
    hold = next((d for d in lacking if d.gate == "hold"), None)
    if hold is not None:
        raise _error(wanted, hold, [hold])
    waits = [d for d in lacking if d.verdict is Verdict.WAITING]
    if waits:
        _require_end(fleet)
        proposal = {"release": wanted.release, "signature": wanted.signature}
        args = {**proposal, "plan": wanted.plan, "owner": owner(), "host": _host(fleet, agent)}
        agent.call("propose", args, timeout_s=OBSERVE_S)
        outside.bring()
    raise _error(wanted, (waits or lacking)[0], lacking)


def _require_end(fleet: Fleet) -> None:
    """``RefusedError`` while another deployment is open: what people see would be past soon."""
    opened = fleet.seen.get("open")
    if opened:
        who = f"{opened['owner']} has it since {opened['since']}"
        raise RefusedError(
            f"{opened['deployment']} is open: {who}",
            code="locked",
            hint="wait for it to end, or for its lease to run out",
        )


def _decisions(agent: Agent, wanted: Wanted, outside: Outside) -> tuple[Decision, ...]:
    told = agent.call("gates", wanted.told, timeout_s=OBSERVE_S)
    soaks = [gate for gate in wanted.gates if gate.kind == "soak"]
    checks = [gate for gate in wanted.gates if gate.kind == "check"]
    facts = Facts(
        environment=str(wanted.release["environment"]),
        release=wanted.release,
        now=moment(told["now"]),
        automatic=wanted.automatic,
        hold=told["hold"],
        policies=(told["policy"], wanted.release.get("gates") or {}),
        decisions=told["decisions"],
        soaks={gate.settings["in"]: outside.soak(gate.settings["in"]) for gate in soaks},
        checks={g.settings["command"]: outside.check(g, wanted.variables) for g in checks},
    )
    return decide(wanted.gates, facts)


def _error(wanted: Wanted, first: Decision, lacking: Sequence[Decision]) -> TidegateError:
    """One error for all that is lacking; ``first`` says what is to be done."""
    kind = WaitingError if first.verdict is Verdict.WAITING else RefusedError
    short = wanted.told["release"].removeprefix("sha256:")[:12]
    name = f"{wanted.release['version'] or 'the release'} ({short})"
    others = [d.reason for d in lacking if d is not first]
    reason = first.reason
    if first.verdict is Verdict.WAITING:
        reason = f"{name} waits for people in {wanted.release['environment']}: {reason}"
    code = CODES.get((first.gate, first.verdict), first.gate)
    return kind("; ".join([reason, *others]), code=code, hint=first.hint, where=first.where)


NOBODY = Outside(lambda _: Soak(None, None), lambda *_: Checked(None), lambda: None)

# As the witness calls them, where it says no itself.
CODES = {
    ("hold", Verdict.REFUSED): "held",
    ("approval", Verdict.REFUSED): "rejected",
    ("approval", Verdict.WAITING): "approval-missing",
}


def _host(fleet: Fleet, agent: Agent) -> str:
    return agent.name if len(fleet.agents) > 1 else ""


def soak_of(environment: Environment, instance: str, reporter: Reporter) -> Soak:
    """What another environment runs, as its witness says."""
    alone = replace(environment, hosts={environment.witness.name: environment.witness})
    found = attach(alone, instance, reporter, full=True)
    found.close()
    seen = found.seen
    since = str(seen.get("since") or "")
    tests = seen.get("verified") or {}
    bad = tests.get("verdict", "passed") != "passed"
    words = f"its {tests['suite']} tests {tests['verdict']} at {tests['at']}" if bad else ""
    return Soak(seen.get("release"), moment(since) if since else None, words)


def moment(text: str) -> datetime:
    """A time as hosts write it, in UTC."""
    return datetime.fromisoformat(text)


def proposal(fleet: Fleet, environment: str, release: str) -> Mapping[str, Any]:
    """The release that waits, by the begin of its digest or version, or the newest."""
    try:
        args = {"release": release}
        return in_office(fleet).call("proposal", args, timeout_s=OBSERVE_S)
    except InputError as problem:
        problem.hint = f"tidegate deploy {environment} proposes one"
        raise


def missing(fleet: Fleet, release: Release, plan: str) -> list[str]:
    """What approvals a release lacks now, a line for each rule."""
    wanted = Wanted(release, "", plan, ())
    decisions = _decisions(in_office(fleet), wanted, NOBODY)
    return [d.reason for d in decisions if d.gate == "approval"]
