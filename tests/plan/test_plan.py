"""A plan says what changes and what happens, no more: cases as data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.targets.quadlet.projects import release
from tidegate.cli.plan_text import plan_text
from tidegate.plan import Plan, plan

CASES = [
    pytest.param(case, id=case["claim"].replace(" ", "-"))
    for case in yaml.safe_load(Path(__file__).with_name("cases.yaml").read_text("utf-8"))
]


def planned(case: Mapping[str, Any]) -> Plan:
    """The plan of a case; ``digests`` gives images other letters than a."""
    old = release(case["old"]) if "old" in case else None
    new = release(case["new"])
    for name, letter in case.get("digests", {}).items():
        text = json.dumps(new["services"][name]).replace("a" * 64, letter * 64)
        new["services"][name] = json.loads(text)
        new["images"][name]["ref"] = new["services"][name]["image"]
    return plan(old, new, case.get("observed", {}))


@pytest.mark.parametrize("case", CASES)
def test_plan(case: Mapping[str, Any]) -> None:
    """Images, keys, actions with their reasons, ports and drift are those of the case."""
    data = json.loads(json.dumps(planned(case).as_dict()))
    for key, expected in case["expected"].items():
        assert data[key] == expected, key


@pytest.mark.parametrize("case", CASES)
def test_text(case: Mapping[str, Any]) -> None:
    """The words for people hold what matters, with and without colour, and never a credential."""
    made = planned(case)
    text = plan_text(made)
    for words in case.get("text", []):
        assert words in text, text
    for secret in case.get("never", []):
        assert secret not in text
        assert secret not in json.dumps(made.as_dict())
    assert "\x1b" not in text
    coloured = plan_text(made, colour=True)
    assert made.empty or "\x1b[1m" in coloured


def test_digest_leaves_out_ports_and_the_words_of_drift() -> None:
    """The same change has the same digest whatever a host says of ports and of drift."""
    old, new = release("services: {web: {image: x}}"), release("services: {web: {image: y}}")
    drift = {"subject": "web", "kind": "stopped", "detail": "web is stopped"}
    one = plan(old, new, {"drift": [drift]})
    two = plan(old, new, {"drift": [{**drift, "detail": "stopped at 12:00"}]})
    assert one.digest == two.digest
    assert plan(old, new, {}).digest != one.digest
    assert plan(new, old, {}).digest != one.digest


def test_going_back_is_the_same_change_turned_round() -> None:
    """A rollback is a plan like any other: each change reads the other way."""
    old = release("services: {web: {image: x, user: '1'}}")
    new = release("services: {web: {image: x, user: '2'}}")
    there, back = plan(old, new, {}), plan(new, old, {})
    assert [(c.old, c.new) for c in there.changes] == [(c.new, c.old) for c in back.changes]
    assert there.actions == back.actions


def test_columns_are_aligned() -> None:
    """Below each other: the second column of a block begins at one place."""
    text = plan_text(planned({"new": "services: {a: {image: x}, long-name: {image: y}}"}))
    lines = [line for line in text.splitlines() if "(none) →" in line]
    assert len({line.index("(none)") for line in lines}) == 1


def test_the_same_content_under_another_commit_says_so() -> None:
    """A release that differs in nothing that runs is no change, though its name differs."""
    old = release("services: {web: {image: x}}")
    new = {**old, "commit": "other", "version": "v2"}
    made = plan(old, new, {})
    assert made.empty
    assert "differs in nothing that runs" in plan_text(made)


def test_who_approves_is_part_of_the_plan() -> None:
    """Other people or rules are a change that is shown, where anything serves already."""
    old = release("services: {web: {image: x}}")
    people = {"anna": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAanna anna@example.com"}
    gates = {"people": people, "approval": [{"by": ["anna"], "count": 1}], "made_by": ["x@y"]}
    new = {**old, "gates": gates}
    made = plan(old, new, {})
    assert not made.empty
    text = plan_text(made)
    assert "gates: approval (none) → 1 of anna" in text
    assert "gates: people (none) → anna …NTE5AAAAanna" in text
    other = {**old, "gates": {**gates, "made_by": ["somebody@else"]}}
    assert plan(new, other, {}).empty
    assert plan(None, new, {}).changes == ()
