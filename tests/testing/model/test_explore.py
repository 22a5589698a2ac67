"""The protocol's tables hold what they promise in every state, and a wrong table is found out."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tidegate.host.protocol import TRANSITIONS
from tidegate.pipeline.states import TABLE, Outcome, Phase
from tidegate.testing.model.explore import explore
from tidegate.testing.model.world import Rules

Hosts = Mapping[tuple[str, str], str]
APART = "is committed on one host and reverted on another"


@pytest.mark.parametrize(("hosts", "states"), [(1, 80), (2, 2_000), (3, 20_000)])
def test_every_state_of_a_deployment_is_well(hosts: int, states: int) -> None:
    """Whatever is lost, late, repeated or dead: together, one release, and nobody stuck."""
    found = explore(hosts, 1)
    assert (found.violation, found.way) == ("", ())
    assert found.states > states


def changed(*changes: tuple[str, str, str]) -> Rules:
    """The hosts' table with other next states; an empty one takes the line out."""
    table = dict(TRANSITIONS)
    for state, happened, following in changes:
        table[state, happened] = following
        if not following:
            del table[state, happened]
    return Rules(hosts=table)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (changed(("switched", "lapse", "aborting")), APART),
        (changed(("switched", "lapse", "committing")), "the witness does not say so"),
        (changed(("switched", "lapse", "")), "stuck in switched"),
        (changed(("in-doubt", "commit", "")), "stuck in in-doubt"),
        (changed(("prepared", "lapse", "in-doubt"), ("in-doubt", "abort", "")), "stuck in"),
        (changed(("switching", "switched", "committing")), "the witness does not say so"),
        (Rules(controller={**TABLE, (Phase.SWITCH, Outcome.FAILED): Phase.WATCH}), APART),
        (Rules(controller={**TABLE, (Phase.COMMIT, Outcome.FAILED): Phase.UNDO}), APART),
        (Rules(controller={**TABLE, (Phase.JOIN, Outcome.FAILED): Phase.PREPARE}), ""),
        (Rules(may_join=lambda _token, _seen: True), APART),
    ],
)
def test_a_wrong_table_is_found(rules: Rules, words: str) -> None:
    """One wrong line, and a state is found in which something is not true, with the way there.

    What is harmless is so because another rule holds: a host that never joined never switches.
    """
    found = explore(2, 1, rules)
    assert words in found.violation
    assert bool(found.way) == bool(words)
