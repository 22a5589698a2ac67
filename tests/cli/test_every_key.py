"""The table of every compose key is complete: each is tried, and each has a line."""

from __future__ import annotations

from importlib import resources
from typing import Any

import yaml

from tidegate.cli import every_key
from tidegate.cli.every_key import Key
from tidegate.cli.every_key_notes import LOADED, NOTES
from tidegate.targets.quadlet.sheet import CHOSEN_KEYS

CLASSES = {"native", "podman-args", "unit", "deployer", "unsupported", "loader"}


def tried(value: Any, key: Key, known: set[Key]) -> set[Key]:
    """The keys of the schema that a file uses."""
    found = {key}
    if isinstance(value, dict):
        for name, below in value.items():
            choices = ((*key, name), (*key, "*"))
            found |= tried(below, next((one for one in choices if one in known), key), known)
    elif isinstance(value, list):
        for item in value:
            found |= tried(item, (*key, "[]"), known)
    return found


def test_every_key_is_tried() -> None:
    """The project behind the table uses each key that the specification knows."""
    keys = set(every_key.schema_keys())
    known = {key[:length] for key in keys for length in range(len(key) + 1)}
    text = resources.files("tidegate.cli").joinpath("probe/compose.yaml").read_text("utf-8")
    assert keys - tried(yaml.safe_load(text), (), known) == set()


def test_every_key_has_a_line() -> None:
    """Each key has one line with a class on both sides, or stands above or in one that has."""
    lines = list(every_key.rows())
    keys = [line.key for line in lines]
    assert len(keys) == len(set(keys))
    for line in lines:
        assert {line.deploying.split(" ")[0], line.exporting.split(" ")[0]} <= CLASSES, line
        if "unsupported" in (line.deploying, line.exporting) or line.deploying == "loader":
            assert line.note, line
    for key in every_key.schema_keys():
        above = any(one[: len(key)] == key for one in keys)
        assert above or CHOSEN_KEYS & set(key[2:-1]), key


def test_notes_are_about_keys() -> None:
    """No note is about a key that is not there."""
    shown = {every_key.shown(line.key) for line in every_key.rows()}
    assert set(LOADED) | set(NOTES) <= shown
    used = {every_key.shown(line.key) for line in every_key.rows() if line.deploying == "loader"}
    assert used == set(LOADED)
