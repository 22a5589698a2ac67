"""What stays together where lab tests run side by side: `pytest -n 2 --dist loadgroup`.

Tests of one folder share servers, so one worker runs them. Those of semantics wait more than they
work, and are many: there each worker has a server of its own, and only a file stays together.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

HERE = Path(__file__).parent
BY_FILE = ("semantics",)


def together(path: Path) -> str:
    """The name of the group of a file's tests."""
    folder, *rest = path.relative_to(HERE).parts
    return "/".join((folder, *rest)) if folder in BY_FILE else folder


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks in the same hook
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark the lab tests; the others may run anywhere."""
    for item in items:
        if item.get_closest_marker("lab"):
            item.add_marker(pytest.mark.xdist_group(together(item.path)))
