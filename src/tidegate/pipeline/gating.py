"""Asks the witness what it knows of a release, lets the gates decide, and says no in one error.

What waits for people is kept on the witness, whole and signed: another person, on another
machine, sees the very release that would be deployed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tidegate.edges.agent import Agent
from tidegate.edges.signing import owner
from tidegate.errors import InputError, RefusedError, TidegateError, WaitingError
from tidegate.gates import Decision, Facts, Soak, Verdict, decide
from tidegate.model.config import Gate
from tidegate.pipeline.fleet import OBSERVE_S, Fleet
from tidegate.pipeline.witness import in_office
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


def pass_gates(fleet: Fleet, wanted: Wanted, soak: Callable[[str], Soak]) -> None:
    """Return where every gate is passed; ``soak`` says what another environment runs.

    ``RefusedError`` for a hold, a rejection, a window or a soak; ``WaitingError`` where people
    have to approve: the release is proposed to them then.
    """
    agent = in_office(fleet)
    decisions = _decisions(agent, wanted, soak)
    lacking = [d for d in decisions if d.verdict is not Verdict.PASSED]
    if not lacking:
        return
    hold = next((d for d in lacking if d.gate == "hold"), None)
    waits = [d for d in lacking if d.verdict is Verdict.WAITING]
    if waits and hold is None:
        proposal = {"release": wanted.release, "signature": wanted.signature}
        args = {**proposal, "plan": wanted.plan, "owner": owner(), "host": _host(fleet, agent)}
        agent.call("propose", args, timeout_s=OBSERVE_S)
    raise _error(wanted, hold or (waits or lacking)[0], lacking)


def _decisions(agent: Agent, wanted: Wanted, soak: Callable[[str], Soak]) -> tuple[Decision, ...]:
    told = agent.call("gates", wanted.told, timeout_s=OBSERVE_S)
    facts = Facts(
        environment=str(wanted.release["environment"]),
        release=wanted.release,
        now=moment(told["now"]),
        automatic=wanted.automatic,
        hold=told["hold"],
        policies=(told["policy"], wanted.release.get("gates") or {}),
        decisions=told["decisions"],
        soaks={g.settings["in"]: soak(g.settings["in"]) for g in wanted.gates if g.kind == "soak"},
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


# As the witness calls them, where it says no itself.
CODES = {
    ("hold", Verdict.REFUSED): "held",
    ("approval", Verdict.REFUSED): "rejected",
    ("approval", Verdict.WAITING): "approval-missing",
}


def _host(fleet: Fleet, agent: Agent) -> str:
    return agent.name if len(fleet.agents) > 1 else ""


def soaked(seen: Mapping[str, Any]) -> Soak:
    """What an environment runs, from what its witness observes, release included."""
    since = str(seen.get("since") or "")
    return Soak(seen.get("release"), moment(since) if since else None)


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
    decisions = _decisions(in_office(fleet), wanted, lambda _: Soak(None, None))
    return [d.reason for d in decisions if d.gate == "approval"]
