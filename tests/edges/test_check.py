"""The command of a check gate: where it runs, what it is told, how its end is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidegate.edges.check import check
from tidegate.errors import InputError, Where
from tidegate.gates import Checked
from tidegate.model.config import Gate

PLACE = Where("tidegate.yaml", 7, 9)


def gate(*words: str, **settings: float) -> Gate:
    """A check of this command."""
    return Gate("check", {"command": words, **settings}, PLACE)


def test_it_runs_beside_the_file_and_is_told(tmp_path: Path) -> None:
    """Its own script by a relative path, with our variables; its last line is kept."""
    script = tmp_path / "look"
    script.write_text('#!/bin/sh\necho first\necho "$1 of $TIDEGATE_ENVIRONMENT" >&2\nexit 3\n')
    script.chmod(0o755)
    told = {"TIDEGATE_ENVIRONMENT": "production"}
    assert check(gate("./look", "errors"), told, str(tmp_path)) == Checked(
        3, "errors of production"
    )
    assert check(gate("true"), told, str(tmp_path)) == Checked(0)


def test_it_may_not_wait_for_ever(tmp_path: Path) -> None:
    """Nor for somebody to type."""
    assert check(gate("sleep", "60", timeout=0.1), {}, str(tmp_path)) == Checked(None)
    assert check(gate("cat"), {}, str(tmp_path)) == Checked(0)


def test_one_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    """With the gate's line."""
    with pytest.raises(InputError) as caught:
        check(gate("./nowhere"), {}, str(tmp_path))
    assert (caught.value.code, caught.value.where) == ("check-missing", PLACE)
