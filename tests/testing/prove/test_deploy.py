"""An answer from a copy that was not verified is found by when it came."""

from __future__ import annotations

from tidegate.testing.prove.controller import Event, Outcome
from tidegate.testing.prove.deploy import unverified


def outcome(*, verified: float) -> Outcome:
    """A deployment whose copies were all verified at this time; 0 for never."""
    events = [Event(verified, "phase switch", "begin", 0.0, "")] if verified else []
    return Outcome((), 0 if verified else 1, 90.0, 120.0, "", "", events)


OUTCOMES = [outcome(verified=100.0), outcome(verified=110.0), outcome(verified=0)]


def sight(version: str, first: float) -> dict[str, object]:
    """When a version of web was first seen to answer."""
    return {"service": "web", "version": version, "first": first}


def test_answers_after_the_verification_are_right() -> None:
    """Copies that answer once they were verified are not blamed, nor is what came before."""
    seen = [sight("0", 1.0), sight("1", 100.2), sight("2", 110.1)]
    assert unverified(OUTCOMES, seen) == []


def test_an_answer_before_the_verification_is_found() -> None:
    """A copy that answers before the switch, and one that never was verified, are named."""
    found = unverified(OUTCOMES, [sight("2", 109.5), sight("3", 130.0)])
    assert found[0].startswith("web 2 answered 0.500 s before")
    assert found[1].startswith("web 3 answered inf s before")
