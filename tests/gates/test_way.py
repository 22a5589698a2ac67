"""The way of a commit: by itself to staging, to people, on to production, back where it is bad."""

from __future__ import annotations

import os
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


def test_what_fails_its_tests_goes_back(place: Town) -> None:
    """Bad in production: one whole version before; bad in staging: it goes no further."""
    place.commit("1", way(gates=[], deploy="automatic"))
    place.ask("ci", "run")
    good = place.serves("production")
    bad = place.commit("2", way(gates=[], deploy="automatic"))[:7]
    (place.host(ONE) / f"{bad}-fails").touch()
    failed = place.ask("ci", "run", code=1)
    assert (failed["code"], failed["message"]) == ("tests-failed", "p-1: web fails")
    assert (place.serves("staging"), place.serves("production")) == (bad, good)
    entries = place.ask("anna", "history", "production")["entries"]
    tested = [e for e in entries if e["event"] == "testsuiterun.finished"]
    assert [(e["verdict"], e["version"]) for e in tested] == [("failed", bad), ("passed", good)]
    assert next(e["outcome"] for e in entries if e.get("outcome")) == "abort"
    again = place.ask("ci", "run", code=3)
    assert (again["code"], again["hint"].split("; ")[1].split()[:4]) == (
        "condemned",
        ["tidegate", "deploy", "production", bad],
    )

    (place.host(STAGING) / f"{bad}-fails").touch()
    seen = place.ask("anna", "e2e", "staging", code=1)
    assert (seen["verdict"], seen["results"][0]["log"]) == ("failed", ["a line"])
    refused = place.ask("ben", "promote", "staging", "production", code=3)
    assert (refused["code"], refused["hint"]) == ("not-verified", "tidegate e2e staging")
    back = place.ask("anna", "e2e", "staging", "--rollback", code=1)
    assert (back["rolledback_to"], place.serves("staging")) == ("staging/1", good)
    place.commit("3", way(gates=[], deploy="automatic"))
    assert place.ask("ci", "run", code=3)["code"] == "held"


def test_a_promotion_takes_what_runs_not_what_is_here(place: Town) -> None:
    """The commit and the images of staging; a plan that changed since its approval waits again."""
    first = place.commit("1", way())[:7]
    place.ask("ci", "run", code=5)
    place.ask("anna", "approve", "production")
    second = place.commit("2", way())[:7]
    place.ask("ci", "deploy", "staging")
    waits = place.ask("ben", "promote", "staging", "production", code=5)
    assert second in waits["message"]
    place.ask("anna", "approve", "production", second)
    place.commit("3", way())
    older = place.ask("ben", "deploy", "production", first)
    assert (older["version"], place.serves("production")) == (first, first)
    stale = place.ask("ben", "promote", "staging", "production", code=5)
    assert "0 of 1 approvals" in stale["message"]
    place.ask("anna", "approve", "production", second)
    assert place.ask("ben", "promote", "staging", "production")["version"] == second
    assert place.built() == 2


def test_what_waits_is_on_its_hosts(place: Town) -> None:
    """With no environment before it, and no registry: CI proposes, ben's machine goes on."""
    place.commit("1", {"production": way()["production"]})
    waits = place.ask("ci", "deploy", "production", code=5)
    place.ask("anna", "approve", "production")
    digest = waits["message"].partition("(")[2].partition(")")[0]
    place.ask("ben", "deploy", "production", digest)
    assert place.built() == 1


def test_a_run_ends_where_a_person_begins(place: Town) -> None:
    """Without an approval and not automatic: exit code 0, and the command that begins it."""
    place.commit("1", way(gates=[]))
    ended = place.run("ci", "run")
    assert ended.stdout == "production is begun by a person: tidegate promote staging production\n"
    assert place.serves("production") == ""
    place.ask("anna", "promote", "staging", "production")
    assert place.serves("production") == place.serves("staging")
    (place.machine("ci") / "shop/VERSION").write_text("other")
    assert place.ask("ci", "run", code=2)["code"] == "not-a-commit"


def test_a_deployment_goes_on_where_nobody_listens(place: Town) -> None:
    """`tidegate run 2>&1 | head -1`: it neither stops in the middle nor waits for ever."""
    place.commit("1", way())
    ear, mouth = os.pipe()
    os.close(ear)
    try:
        place.run("ci", "run", code=5, stderr=mouth)
    finally:
        os.close(mouth)
    assert place.serves("staging") != ""
