"""The facts that gates look at, and what they decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from tidegate.errors import Where


class Verdict(StrEnum):
    """``refused``: not now, whoever approves; ``waiting``: for people."""

    PASSED = "passed"
    WAITING = "waiting"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Decision:
    """What one gate says, why, and what a person can do about it."""

    gate: str
    verdict: Verdict
    reason: str = ""
    hint: str = ""
    where: Where | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Soak:
    """What another environment runs, and since when; None: nothing, or nobody knows.

    ``failed`` are the words of tests that failed there last.
    """

    release: Mapping[str, Any] | None
    since: datetime | None
    failed: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """How the command of a check ended: exit status None where it took too long."""

    status: int | None
    said: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a decision may depend on; ``now`` is the witness's clock.

    ``policies`` are the rules of the release that serves and of the new one, ``decisions`` what
    people said of just this release and plan, ``soaks`` other environments by name, ``checks``
    how the commands of check gates ended.
    ``automatic``: no person asked for this deployment.
    """

    environment: str
    release: Mapping[str, Any]
    now: datetime
    automatic: bool = False
    hold: Mapping[str, str] | None = None
    policies: Sequence[Mapping[str, Any]] = ()
    decisions: Sequence[Mapping[str, Any]] = ()
    soaks: Mapping[str, Soak] = field(default_factory=dict)
    checks: Mapping[tuple[str, ...], Checked] = field(default_factory=dict)
