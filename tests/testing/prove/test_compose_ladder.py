"""A seeded sample of compose files climbs the whole ladder, up to ``podman create``."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from tidegate.lab import Lab
from tidegate.testing import corpus
from tidegate.testing.prove.compose import prove, subjects
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
