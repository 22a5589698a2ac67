"""tidegate.yaml is read: cases as data, each value and each error with its place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tidegate.config import find_compose_files, load_config, read_config
from tidegate.errors import InputError, Where
from tidegate.model.config import Config

CASES = Path(__file__).with_name("cases")


def cases(name: str) -> list[Any]:
    """The cases of a file, each under its claim."""
    loaded = yaml.safe_load((CASES / name).read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["claim"].replace(" ", "-")) for case in loaded]


def config(text: str) -> Config:
    """A text as the file ``tidegate.yaml`` of the directory ``/srv/My-Shop``."""
    return read_config(text, "tidegate.yaml", root="/srv/My-Shop")


def value_at(value: Any, path: str) -> Any:
    """The value that a dotted path leads to, through attributes and mappings."""
    for part in path.split("."):
        if isinstance(value, tuple):
            value = value[int(part)]
        else:
            value = value[part] if isinstance(value, Mapping) else getattr(value, part)
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("case", cases("accepted.yaml"))
def test_what_is_accepted(case: Any) -> None:
    """Each text of accepted.yaml has the values that the case names."""
    found = config(case["text"])
    assert {path: value_at(found, path) for path in case["values"]} == case["values"]


@pytest.mark.parametrize("case", cases("refused.yaml"))
def test_what_is_refused(case: Any) -> None:
    """Each text of refused.yaml is an InputError with its code, its place and its hint."""
    with pytest.raises(InputError) as caught:
        config(case["text"])
    error = caught.value
    assert (error.code, str(error.where)) == (case["code"], f"tidegate.yaml:{case['at']}")
    assert case.get("hint", "") in error.hint


def test_every_key_knows_its_place() -> None:
    """A key's place is its own; that of a key which is absent is its parent's."""
    found = config("version: 1\nenvironments:\n  p:\n    hosts: {a: {ssh: a@b}}\n")
    assert found.where("environments", "p", "hosts", "a", "ssh") == Where("tidegate.yaml", 4, 17)
    assert found.where("environments", "p", "switch", "keep") == Where("tidegate.yaml", 3, 3)


@given(st.text(alphabet=st.sampled_from("{}[]:,- \n'\"&*!|>%@`#ab1~"), max_size=60))
def test_any_text_is_a_config_or_an_input_error(text: str) -> None:
    """Whatever stands in the file, the answer is a Config or an InputError."""
    try:
        config(text)
    except InputError as error:
        assert error.message


@pytest.mark.parametrize(
    ("here", "found"),
    [
        ([], []),
        (["docker-compose.yml"], ["docker-compose.yml"]),
        (["compose.yml", "compose.yaml", "docker-compose.yml"], ["compose.yaml"]),
        (["compose.yaml", "compose.override.yml"], ["compose.yaml", "compose.override.yml"]),
        (["compose.override.yml"], []),
    ],
)
def test_compose_files_are_found_as_docker_compose_does(
    tmp_path: Path, here: list[str], found: list[str]
) -> None:
    """The first of the four names counts, with one override beside it."""
    for name in here:
        (tmp_path / name).touch()
    assert list(find_compose_files(tmp_path)) == found


def test_folders_count_where_no_compose_file_does(tmp_path: Path) -> None:
    """applications/ and services/ are looked at last: after `compose:` and a file at the root."""
    for name in ("services/10_db", "applications/web", "services/.hidden"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "docker-compose.yml").touch()
    (tmp_path / "services" / "version.env").touch()
    file = tmp_path / "tidegate.yaml"
    file.write_text("version: 1\nenvironments: {p: {hosts: {a: {ssh: a@b}}}}\n")
    folders = ("services/10_db/docker-compose.yml", "applications/web/docker-compose.yml")
    assert load_config(file).compose_files == folders

    (tmp_path / "compose.yaml").touch()
    assert load_config(file).compose_files == ("compose.yaml",)
    (tmp_path / "compose.yaml").unlink()
    file.write_text(f"{file.read_text()}compose: other.yaml\n")
    assert load_config(file).compose_files == ("other.yaml",)
    assert load_config(file).layout.folders == ()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The hint names the command that writes one."""
    with pytest.raises(InputError) as caught:
        load_config(tmp_path / "tidegate.yaml")
    assert caught.value.code == "config-missing"
    assert "tidegate init" in caught.value.hint
