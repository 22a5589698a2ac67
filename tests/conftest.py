"""What all tests share: lab tests run one after another, however many workers there are."""

from __future__ import annotations

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every lab test the one xdist group ``lab`` (honoured by ``--dist loadgroup``).

    First of all: xdist's own hook, which reads the marks, is registered later than this file.
    """
    for item in items:
        if item.get_closest_marker("lab"):
            item.add_marker(pytest.mark.xdist_group("lab"))
