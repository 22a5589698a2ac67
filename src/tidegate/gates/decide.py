"""Every gate of an environment looked at once; none stops the others, so all reasons are told.

The lock is no gate here: the witness gives it or not, in one step (``tidegate.host.deployment``).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from tidegate.gates import soak, window
from tidegate.gates.model import Decision, Facts, Verdict
from tidegate.host import approvals, holds
from tidegate.model.config import Gate


def decide(gates: Iterable[Gate], facts: Facts) -> tuple[Decision, ...]:
    """What the hold, people, and each window, soak and check say; all passed: go on."""
    found = [_hold(facts), *_people(facts)]
    found += [_window(gate, facts) for gate in gates if gate.kind == "window"]
    found += [_soak(gate, facts) for gate in gates if gate.kind == "soak"]
    found += [_check(gate, facts) for gate in gates if gate.kind == "check"]
    return tuple(found)


def _hold(facts: Facts) -> Decision:
    if facts.hold is None or not holds.stops(facts.hold, facts.automatic):
        return Decision("hold", Verdict.PASSED)
    told = holds.words(facts.environment, facts.hold)
    return Decision("hold", Verdict.REFUSED, told, f"tidegate unhold {facts.environment}")


def _people(facts: Facts) -> Iterator[Decision]:
    for record in approvals.rejections(facts.policies, facts.decisions):
        why = f": {record['reason']}" if record["reason"] else ""
        told = f"{record['person']} rejected this release and plan at {record['at']}{why}"
        hint = f"commit a change, then tidegate deploy {facts.environment}"
        yield Decision("approval", Verdict.REFUSED, told, hint)
    made_by = (facts.release.get("gates") or {}).get("made_by") or ()
    for line in approvals.unmet(facts.policies, facts.decisions, made_by):
        hint = f"tidegate approve {facts.environment}"
        yield Decision("approval", Verdict.WAITING, line, hint)


def _window(gate: Gate, facts: Facts) -> Decision:
    if window.opened(gate.settings, facts.now):
        return Decision("window", Verdict.PASSED, where=gate.where)
    opens = window.opens(gate.settings, facts.now)
    told = f"the window of {facts.environment} is closed"
    hint = f"it opens on {opens:%A} at {opens:%H:%M %Z}"
    return Decision("window", Verdict.REFUSED, told, hint, gate.where)


def _soak(gate: Gate, facts: Facts) -> Decision:
    place = gate.settings["in"]
    lacks = soak.lacking(gate.settings, facts.release, facts.soaks[place], facts.now)
    if not lacks:
        return Decision("soak", Verdict.PASSED, where=gate.where)
    hint = f"tidegate status {place} says what runs there"
    return Decision("soak", Verdict.REFUSED, f"not soaked yet: {lacks}", hint, gate.where)


def _check(gate: Gate, facts: Facts) -> Decision:
    words = gate.settings["command"]
    ended = facts.checks[words]
    if ended.status == 0:
        return Decision("check", Verdict.PASSED, where=gate.where)
    how = "took too long" if ended.status is None else f"ended with {ended.status}"
    said = f": {ended.said}" if ended.said else ""
    hint = f"try it by hand: {shlex.join(words)}"
    return Decision("check", Verdict.REFUSED, f"the check {words[0]} {how}{said}", hint, gate.where)
