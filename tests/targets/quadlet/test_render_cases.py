"""Compose in, units out: the cases are data files, and the real generator accepts each of them.

A case: ``compose``, what else the renderer is given, and what of the release is expected. Of a
unit, ``has`` lists lines that must be there, ``lacks`` keys that must not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.targets.quadlet.projects import of_project, project, release, units
from tidegate.errors import InputError
from tidegate.targets.quadlet.table import ROWS
from tidegate.testing.quadlet.generator import generate

FOLDER = Path(__file__).with_name("cases")
GIVEN = ("instance", "settings", "images", "files", "variables")


def cases(name: str) -> list[Any]:
    """The cases of one file, each under its claim."""
    loaded = yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["claim"].replace(" ", "-")) for case in loaded if case]


def rendered(case: Mapping[str, Any]) -> dict[str, Any]:
    """The release of a case."""
    return release(case["compose"], **{key: case[key] for key in GIVEN if key in case})


UNITS = [
    case
    for name in ("process", "limits", "mounts", "networks", "health", "ports", "strategy")
    for case in cases(f"{name}.yaml")
]


@pytest.mark.parametrize("case", UNITS)
def test_units(case: Mapping[str, Any]) -> None:
    """Each compose key becomes the lines of its case, and nothing that the case forbids."""
    made = rendered(case)
    for name, wanted in (case.get("units") or {}).items():
        unit = made["services"][name]["unit"]
        lines = [f"{key}={value}" for section in unit.values() for key, value in section]
        for line in wanted.get("has", []):
            assert line in lines, f"{line} is not in\n" + "\n".join(lines)
        for key in wanted.get("lacks", []):
            assert not [line for line in lines if line.startswith(f"{key}=")]
    for path, expected in (case.get("release") or {}).items():
        found: Any = made
        for part in path.split("/"):
            found = found[int(part)] if isinstance(found, list) else found[part]
        assert found == expected, path


@pytest.mark.lab
@pytest.mark.parametrize("case", UNITS)
def test_generator_accepts(case: Mapping[str, Any]) -> None:
    """Quadlet makes a service of every unit of the case, and systemd finds no fault in it."""
    files = units(rendered(case))
    assert len(generate(files, verify=True)) == len(files)


@pytest.mark.parametrize("case", cases("refused.yaml"))
def test_refused(case: Mapping[str, Any]) -> None:
    """What cannot be carried out is an error with the user's line, before anything is touched."""
    with pytest.raises(InputError) as caught:
        rendered(case)
    error = caught.value
    assert error.code == case["code"], error.message
    assert case["message"] in error.message
    assert error.hint
    if "line" in case:
        assert error.where is not None
        assert error.where.line == case["line"]


def test_every_key_has_a_row() -> None:
    """No service key of the compose schema is without a row of the table."""
    schema = json.loads(
        resources.files("tidegate.compose").joinpath("compose-spec.json").read_text()
    )
    keys = set(schema["definitions"]["service"]["properties"])
    at_load = {"extends"}
    assert keys - set(ROWS) - at_load == set()


def test_unknown_part_is_named() -> None:
    """A part of a key that its row says nothing of is an error that names the part."""
    loaded = project("services: {web: {image: x, healthcheck: {test: [CMD, a, b]}}}")
    check = {"test": ["CMD", "a", "b"], "novelty": 1}
    newer = replace(loaded, services={"web": {"image": "x", "healthcheck": check}})
    with pytest.raises(InputError, match=r"services\.web\.healthcheck\.novelty"):
        of_project(newer)
