"""What asks for new copies, and what does not: the rule that controller and host share."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.targets.quadlet.projects import release
from tidegate.host.diff import SETTINGS, change, template_digest

TEXT = """
services:
  web: {image: x, ports: ["8080:80"]}
  db: {image: y, volumes: ["data:/d"], ports: ["5432:5432"]}
volumes: {data: }
"""


def entry(name: str = "web") -> dict[str, Any]:
    """One service of a release."""
    found: dict[str, Any] = release(TEXT)["services"][name]
    return found


def test_equal_entries_are_left_alone() -> None:
    """The same entry asks for nothing and has the same digest."""
    assert change(entry(), copy.deepcopy(entry())) == "none"
    assert template_digest(entry()) == template_digest(copy.deepcopy(entry()))


def test_a_new_service_is_started() -> None:
    """What was not there before asks for copies."""
    assert change(None, entry()) == "restart"


@pytest.mark.parametrize("key", sorted(entry()))
def test_every_key(key: str) -> None:
    """Each key of an entry, changed alone, restarts the service, or is known to be a setting."""
    new = {**entry(), key: "other"}
    assert change(entry(), new) == ("settings" if key in SETTINGS else "restart")
    assert change(new, entry()) == change(entry(), new)
    assert template_digest(new) != template_digest(entry())


def test_ports_belong_to_a_container_that_publishes_them_itself() -> None:
    """Other published ports restart a service in place, where there is no edge before it."""
    new = {**entry("db"), "published": []}
    assert change(entry("db"), new) == "restart"


def test_an_unknown_key_restarts() -> None:
    """A key of a newer format is never mistaken for a setting."""
    assert change(entry(), {**entry(), "novelty": 1}) == "restart"
