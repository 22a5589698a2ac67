"""What ``--help`` prints reads well on a terminal of 80 columns."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise

import pytest

from tidegate.cli.help import flowing


@pytest.mark.parametrize(
    ("docstring", "shown"),
    [
        ("Is wrapped\nhere.", "Is wrapped here."),
        ("One.\n\nTwo is\nlonger.", "One.\n\nTwo is longer."),
        ("It is so. Example: tidegate plan", "It is so.\n\nExample: tidegate plan"),
        ("Example: tidegate plan", "Example: tidegate plan"),
    ],
)
def test_paragraphs_flow(docstring: str, shown: str) -> None:
    """Line ends of the source are none; the example stands alone, to be copied."""
    assert flowing(docstring) == shown


def test_no_line_is_broken_twice() -> None:
    """Where a docstring's own line ended there is no short line."""
    argv = [sys.executable, "-m", "tidegate", "run", "--help"]
    environment = {**os.environ, "COLUMNS": "80"}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=True)
    told = done.stdout.split("\n\n")[2].splitlines()
    assert len(told) > 2
    assert all(len(f"{line} {after.split()[0]}") > 80 for line, after in pairwise(told))
