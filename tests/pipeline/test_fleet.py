"""Who keeps a release that somebody wants to go back to."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tidegate.errors import InputError
from tidegate.pipeline.fleet import Fleet, Observation, lacking


def fleet(**kept: list[int]) -> Fleet:
    """Hosts, and the deployments whose releases they keep."""
    agents = [cast(Any, SimpleNamespace(name=name)) for name in kept]
    observed: list[Observation] = [
        {"generations": [{"n": n} for n in numbers]} for numbers in kept.values()
    ]
    return Fleet(agents=agents, observed=observed)


def test_one_that_keeps_it_is_enough() -> None:
    """The first that does, and the names of those that do not."""
    holder, others = lacking(fleet(a=[2], b=[1, 2], c=[]), 1)
    assert (holder.name, others) == ("b", ["a", "c"])


def test_a_release_that_nobody_keeps_is_bad_input() -> None:
    """Told before anything is locked, with those that are kept."""
    with pytest.raises(InputError, match="deployment 99") as caught:
        lacking(fleet(a=[2], b=[1, 2]), 99)
    assert "1, 2" in caught.value.hint
