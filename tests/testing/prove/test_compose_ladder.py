"""Compose files climb the ladder: our own all rungs but the last, a seeded sample every one."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from tidegate.lab import Lab
from tidegate.targets.quadlet.table import ROWS
from tidegate.testing import corpus
from tidegate.testing.prove.compose import climb, prove, subjects
from tidegate.testing.prove.progress import Progress

SEED = int(os.environ.get("TIDEGATE_SEED", "1"))
FILES = 25


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A server of this file's own."""
    made = Lab.up(["test-ladder"], images=False)
    yield made
    made.down()


@pytest.mark.lab
def test_our_own_cases_climb() -> None:
    """Every key of compose is in one of our cases, and what it means is in the units."""
    ladder = climb.climb(subjects.own())
    assert [line for rung in ladder.rungs for line in rung.violations] == []
    services = [body for one in ladder.climbers for body in one.meant["services"].values()]
    unseen = set(ROWS) - {key for body in services for key in body}
    # Read at load, and what docker compose 2.40.3 does not know yet.
    assert unseen == {"env_file", "label_file", "pre_start", "pull_refresh_after"}


@pytest.mark.lab
def test_a_sample_climbs_every_rung(lab: Lab) -> None:
    """Files of others, or our own cases where the corpus is not at hand, pass on every rung."""
    found = corpus.find()
    if found is None:
        sample = random.Random(SEED).sample(subjects.own(), FILES)
    else:
        sample = prove.sample(found, FILES, SEED)
    climbed = prove.climb_all(sample, lab, Progress("ladder"))
    assert climbed.violations == []
    assert len(climbed.ladder.climbers) == FILES
    assert climbed.created.containers >= FILES
