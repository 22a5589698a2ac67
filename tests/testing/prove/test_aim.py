"""Kills go to every boundary and inside every phase, the same ones for the same seed."""

from __future__ import annotations

from collections import Counter

import pytest

from tidegate.testing.prove.aim import INSIDE, aims, boundaries
from tidegate.testing.prove.controller import Event
from tidegate.testing.prove.kill import KINDS

BASELINE = [
    Event(100.0 + 2 * number + late, f"phase {phase}", state, 0.0, "")
    for number, phase in enumerate(INSIDE)
    for late, state in enumerate(("begin", "ok"))
]


def test_every_kind_at_every_boundary() -> None:
    """Each kind of kill meets each boundary once, and each phase often enough inside."""
    found = aims(7, BASELINE, 24)
    exact = Counter((aim.kind, aim.where) for aim in found if aim.delay_s == 0)
    assert exact == Counter((kind, name) for kind in KINDS for name in boundaries())
    inside = Counter((aim.kind, aim.where) for aim in found if aim.where in INSIDE)
    assert set(inside.values()) == {6}
    assert len(inside) == len(INSIDE) * len(KINDS)
    assert all(0 <= aim.delay_s <= 1 for aim in found)


def test_a_seed_repeats() -> None:
    """The same seed aims the same, another one otherwise."""
    assert aims(7, BASELINE, 24) == aims(7, BASELINE, 24)
    assert aims(7, BASELINE, 24) != aims(8, BASELINE, 24)


def test_a_baseline_without_a_phase_is_refused() -> None:
    """Nothing is aimed at a phase that was not measured."""
    with pytest.raises(ValueError, match="finish"):
        aims(7, BASELINE[:-1], 24)
