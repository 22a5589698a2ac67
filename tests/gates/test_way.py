"""The way of a commit: by itself to staging, to people, on to production, back where it is bad."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.gates.town import Town, town

STAGING, ONE, TWO = "10.9.0.1", "10.9.0.2", "10.9.0.3"
APPROVED = [{"approval": {"by": ["anna", "ben"], "count": 1}}]


@pytest.fixture
def place() -> Iterator[Town]:
    """A host for staging and two for production."""
    with town(STAGING, ONE, TWO) as made:
        yield made


def way(**production: Any) -> dict[str, Any]:
    """Staging by itself, tested; production by approval, tested, on two hosts."""
    two = {n: {"ssh": f"deploy@{a}", "address": a} for n, a in (("p-1", ONE), ("p-2", TWO))}
    quick = {"switch": {"watch": "100ms"}, "verify": ["e2e"]}
    staging = {"hosts": {"s-1": {"ssh": f"deploy@{STAGING}"}}, "deploy": "automatic"}
    return {
        "staging": {**quick, **staging},
        "production": {"hosts": two, "gates": APPROVED, **quick, **production},
    }


def test_a_run_ends_at_people_and_goes_on_elsewhere(place: Town) -> None:
    """CI takes a commit to staging; anna approves; ben's machine goes on, with CI's images."""
    place.commit("1", way())
    waits = place.ask("ci", "run", code=5)
    assert waits["code"] == "approval-missing"
    assert (place.serves("staging"), place.serves("production")) != ("", "")
    staged = place.serves("staging")
    assert place.serves("production") == ""
    assert place.built() == 1

    place.ask("anna", "approve", "production")
    done = place.ask("ben", "run")
    steps = [(stage["environment"], stage["step"]) for stage in done["stages"]]
    assert steps == [("staging", "serves"), ("production", "deploy")]
    assert place.serves("production") == staged
    assert place.built() == 1
    again = place.ask("anna", "run")
    assert [stage["step"] for stage in again["stages"]] == ["serves", "serves"]
