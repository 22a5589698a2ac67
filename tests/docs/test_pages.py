"""Every command of the documents is run as it stands there, on lab servers.

`./scripts/test` follows the tutorial and a seeded sample of the other pages; TIDEGATE_PAGES=all
(`./scripts/prove docs`) follows all, TIDEGATE_PAGES=roll-back those with this in their name.
"""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.reader import LISTED, faults
from tests.docs.stage import Stage

SAMPLE = 3
TUTORIAL = "docs/tutorial.md"
RUN = [page for page in LISTED if not page.startswith("tests/")]


def chosen() -> list[str]:
    """The pages of this run."""
    wanted = os.environ.get("TIDEGATE_PAGES", "")
    if wanted:
        return [page for page in RUN if wanted in ("all", page) or wanted in page]
    others = sorted(set(RUN) - {TUTORIAL})
    seed = os.environ.get("TIDEGATE_SEED", "1")
    return [TUTORIAL, *random.Random(f"pages {seed}").sample(others, SAMPLE)]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One home and its servers for all pages; what is left of them is removed."""
    with tempfile.TemporaryDirectory(prefix="tgd") as runtime:
        made = Stage(tmp_path_factory.mktemp("pages"), Path(runtime))
        yield made
        made.clear()


@pytest.mark.lab
@pytest.mark.parametrize("page", chosen())
def test_a_page_is_true(page: str, stage: Stage) -> None:
    """Who does what the page says gets what it shows, and the exit codes that it names."""
    assert faults(page, stage) == []
