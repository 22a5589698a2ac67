"""What a run does with one environment: a commit goes as far as nobody is asked. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any

from tidegate.model.config import Environment


class Step(StrEnum):
    """``serves``: it is there already; ``passed``: it was, and something newer serves since."""

    SERVES = "serves"
    PASSED = "passed"
    DEPLOY = "deploy"
    BY_HAND = "by-hand"


def step(
    environment: Environment, release: str, entries: Iterable[Mapping[str, Any]], *, serves: bool
) -> Step:
    """What is next here for the release of that digest; ``entries`` are history, newest first.

    Where nobody has to approve and nothing is automatic, a person begins: the run ends before it.
    """
    if serves:
        return Step.SERVES
    if passed(entries, release):
        return Step.PASSED
    asks = any(gate.kind == "approval" for gate in environment.gates)
    return Step.DEPLOY if environment.deploy == "automatic" or asks else Step.BY_HAND


def condemned(entries: Iterable[Mapping[str, Any]], release: str) -> str:
    """Why tests condemned a release here, as they said last; empty where they did not.

    It is not deployed by itself again: it would serve people once more until its tests fail.
    """
    for entry in entries:
        if "suite" in entry and entry.get("release") == release:
            bad = entry["verdict"] == "failed"
            return f"its {entry['suite']} tests failed at {entry['at']}" if bad else ""
    return ""


def passed(entries: Iterable[Mapping[str, Any]], release: str) -> bool:
    """Whether a release served here once, and nobody went back from it or past it since."""
    for entry in entries:
        if entry.get("outcome") != "commit":
            continue
        if entry.get("release") == release:
            return True
        if entry.get("kind") == "rollback":
            return False
    return False
