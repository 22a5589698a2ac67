"""Every command of the documents is run as it stands there, on lab servers.

`./scripts/test` follows the tutorial and a seeded sample of the other pages; TIDEGATE_PAGES=all
(`./scripts/prove docs`) follows all, TIDEGATE_PAGES=roll-back those with this in their name.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.docs.reader import LISTED, faults

SAMPLE = 3
TUTORIAL = "docs/tutorial.md"
RUN = [page for page, of in LISTED.items() if "held" not in of]


def chosen() -> list[str]:
    """The pages of this run."""
    wanted = os.environ.get("TIDEGATE_PAGES", "")
    if wanted:
        return [page for page in RUN if wanted in ("all", page) or wanted in page]
    others = sorted(set(RUN) - {TUTORIAL})
    seed = os.environ.get("TIDEGATE_SEED", "1")
    return [TUTORIAL, *random.Random(f"pages {seed}").sample(others, SAMPLE)]


@pytest.mark.lab
@pytest.mark.parametrize("page", chosen())
def test_a_page_is_true(page: str, tmp_path: Path) -> None:
    """Who does what the page says gets what it shows, and the exit codes that it names."""
    assert faults(page, tmp_path) == []
