"""What a run does next in an environment, as data; and which images it takes as decided."""

from __future__ import annotations

from typing import Any

import pytest

from tidegate.gates.way import condemned, step
from tidegate.model.config import Environment, Gate
from tidegate.pipeline.known import Known
from tidegate.testing.releases import release

MINE, OTHER = {"release": "mine"}, {"release": "other"}
COMMIT, ABORT = {"outcome": "commit"}, {"outcome": "abort"}
BACK = {**COMMIT, "kind": "rollback"}


@pytest.mark.parametrize(
    ("claim", "entries", "expected"),
    [
        ("never here", [{**OTHER, **COMMIT}], "deploy"),
        ("put back at once", [{**MINE, **ABORT}], "deploy"),
        ("something newer serves", [{**OTHER, **COMMIT}, {**MINE, **COMMIT}], "passed"),
        ("only tried since", [{**OTHER, **ABORT}, {**MINE, **COMMIT}], "passed"),
        ("rolled back from", [{**OTHER, **BACK}, {**MINE, **COMMIT}], "deploy"),
        (
            "rolled back past",
            [{**OTHER, **BACK}, {**OTHER, **COMMIT}, {**MINE, **COMMIT}],
            "deploy",
        ),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_a_commit_that_served_is_not_brought_back(claim: str, entries: Any, expected: str) -> None:
    """What served and was followed by newer ones has passed; what was rolled back has not."""
    environment = Environment("s", {}, deploy="automatic")
    assert step(environment, "mine", entries, serves=False) == expected, claim


def test_what_tests_condemned() -> None:
    """Their last word on just this release; tests that could not be run say nothing bad."""
    good, bad, broken = (
        {**MINE, "suite": "e2e", "verdict": verdict, "at": "noon"}
        for verdict in ("passed", "failed", "error")
    )
    assert condemned([{**good, **OTHER}, bad], "mine") == "its e2e tests failed at noon"
    assert [condemned(e, "mine") for e in ([], [good, bad], [broken, bad])] == ["", "", ""]
    assert condemned([{**MINE, "verdict": "rejected"}, {**bad, **OTHER}], "mine") == ""


@pytest.mark.parametrize(
    ("deploy", "gates", "expected"),
    [
        ("manual", (), "by-hand"),
        ("manual", (Gate("window", {}),), "by-hand"),
        ("manual", (Gate("approval", {}),), "deploy"),
        ("automatic", (), "deploy"),
    ],
)
def test_who_begins(deploy: str, gates: tuple[Gate, ...], expected: str) -> None:
    """A person, unless the environment is automatic or people are asked anyway."""
    environment = Environment("p", {}, deploy=deploy, gates=gates)
    assert step(environment, "mine", [], serves=False) == expected
    assert step(environment, "mine", [], serves=True) == "serves"


def entry(name: str, **more: str) -> dict[str, str]:
    """An image of a release."""
    return {"ref": f"{name}@sha256:1", "via": "registry", "tag": "", **more}


def test_which_images_are_decided() -> None:
    """The same key, whichever service; a tag at the same clean commit; a promotion's own."""
    images = {"web": entry("web", key="k"), "db": entry("db", tag="postgres:17")}
    there = release({}, images=images, commit="c", version="c")
    dirty = {**there, "version": "c+"}
    known, promoted = Known([dirty, there], commit="c"), Known([there], promoted=True, commit="d")
    assert known.built("k") == images["web"]
    assert known.built("other") is None
    assert known.named("db", "postgres:17") == images["db"]
    assert known.named("db", "postgres:16") is None
    assert Known([dirty], commit="c").named("db", "postgres:17") is None
    assert Known([there]).named("db", "postgres:17") is None
    assert (known.proxy(), Known([there], commit="d").proxy()) == (there["proxy"]["image"], "")
    assert promoted.given("web") == images["web"]
    assert known.given("web") is None
    assert promoted.named("db", "postgres:17") == images["db"]
    assert promoted.named("db", "postgres:16") is None
