"""What all tests share: lab tests run one after another, however many workers there are."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every lab test the one xdist group ``lab`` (honoured by ``--dist loadgroup``)."""
    for item in items:
        if item.get_closest_marker("lab"):
            item.add_marker(pytest.mark.xdist_group("lab"))
