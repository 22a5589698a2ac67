"""Every rule of the loader has a case, and every error its code, place, message and hint."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tidegate.compose import Project, Source, as_json, load
from tidegate.errors import InputError, Where
from tidegate.testing.casefiles import ROOT, case_paths, read_case
from tidegate.testing.files import Memory

ALL = [pytest.param(path, id=path.stem) for path in case_paths()]


def told(error: InputError) -> str:
    """An error as the cases write it."""
    where = error.where
    file = where.file.removeprefix(f"{ROOT}/") if where else "-"
    place = f"{file}:{where.line}:{where.column}" if where else "-:0:0"
    lines = [f"{error.code} {place}", error.message, error.hint]
    return "\n".join(line for line in lines if line) + "\n"


@pytest.mark.parametrize("path", ALL)
def test_a_case_means_what_docker_compose_says(path: Path) -> None:
    """Each case gives the expected project, or the expected error at the expected place."""
    case = read_case(path)
    if case.error is not None:
        with pytest.raises(InputError) as caught:
            case.load()
        assert told(caught.value) == case.error
        return
    assert case.expected is not None
    assert as_json(case.load()) == json.loads(case.expected)


def loaded(text: str, **variables: str) -> Project:
    """A single file, loaded."""
    return load(["compose.yaml"], reader=Memory({"compose.yaml": text}), variables=variables)


def test_values_know_their_place() -> None:
    """A value's place is where a file writes it; what no file writes has the nearest one's."""
    text = (
        "services:\n  web:\n    image: x\n    ports:\n      - 80:80\n    environment:\n      A: b\n"
    )
    project = loaded(text)
    file = f"{ROOT}/compose.yaml"
    assert project.where(("services", "web", "image")) == Where(file, 3, 12)
    assert project.where(("services", "web", "ports", 0, "published")) == Where(file, 5, 9)
    assert project.where(("services", "web", "environment", "A")) == Where(file, 7, 10)
    assert project.where(("services", "web", "nothing", "here")) == Where(file, 3, 5)
    assert project.where(("networks", "default")).file == file


def test_values_know_their_variables() -> None:
    """A value names the variables that are part of it, and no others."""
    text = """
services:
  a:
    image: "x:${TAG:-$OTHER}"
    environment: ["URL=pg://$USER:${PASS}@db", "PLAIN=1", TOKEN, "ALT=${TAG:+$OTHER}"]
    command: ["$USER", b]
"""
    values = {"TAG": "1", "OTHER": "o", "USER": "u", "PASS": "p", "TOKEN": "t"}
    project = loaded(text, **values)
    service = ("services", "a")
    assert project.uses_variables((*service, "image")) == {"TAG"}
    assert project.uses_variables((*service, "environment", "URL")) == {"USER", "PASS"}
    assert project.uses_variables((*service, "environment", "PLAIN")) == set()
    assert project.uses_variables((*service, "environment", "TOKEN")) == {"TOKEN"}
    assert project.uses_variables((*service, "environment", "ALT")) == {"OTHER"}
    assert project.uses_variables((*service, "command")) == {"USER"}
    assert project.uses_variables((*service, "absent")) == set()


def test_env_files_pass_variables_on() -> None:
    """A value from an env file names the outside variables behind it, through others, too."""
    files = {
        "compose.yaml": "services: {a: {image: x, env_file: a.env}}",
        "a.env": "A=$SECRET\nB=x$A\nC=1\nSECRET2\n",
    }
    variables = {"SECRET": "s", "SECRET2": "t"}
    project = load(["compose.yaml"], reader=Memory(files), variables=variables)
    environment = ("services", "a", "environment")
    assert project.uses_variables((*environment, "A")) == {"SECRET"}
    assert project.uses_variables((*environment, "B")) == {"SECRET"}
    assert project.uses_variables((*environment, "C")) == set()
    assert project.uses_variables((*environment, "SECRET2")) == {"SECRET2"}
    assert project.where((*environment, "B")) == Where(f"{ROOT}/a.env", 2, 1)


def test_services_keep_their_extensions() -> None:
    """x- keys of services and of the top stay in the project; only the top's are printed."""
    project = loaded("x-a: {b: 1}\nservices: {a: {image: x, x-tidegate: {port: 80}}}")
    assert project.services["a"]["x-tidegate"] == {"port": 80}
    assert project.extensions == {"x-a": {"b": 1}}
    printed = as_json(project)
    assert printed["x-a"] == {"b": 1}
    assert "x-tidegate" not in printed["services"]["a"]


def test_dollars_are_single_inside_and_double_in_print() -> None:
    """The project has `$` once, what is printed twice."""
    project = loaded("services: {a: {image: x, command: [echo, $$HOME]}}")
    assert project.services["a"]["command"] == ["echo", "$HOME"]
    assert as_json(project)["services"]["a"]["command"] == ["echo", "$$HOME"]


def test_missing_variables_are_told() -> None:
    """Variables without a value are listed with the first place that asks for them."""
    project = loaded("services:\n  a: {image: 'x:$TAG', command: [$TAG]}")
    assert project.unset == {"TAG": Where(f"{ROOT}/compose.yaml", 2, 14)}


def test_sources_need_no_file() -> None:
    """A text that is already read is as good as a file."""
    source = Source("sub/compose.yaml", "services: {a: {build: .}}")
    project = load([source], reader=Memory({}), variables={}, project="p")
    assert project.working_dir == f"{ROOT}/sub"
    assert project.services["a"]["build"]["context"] == f"{ROOT}/sub"


def test_no_file_is_an_error() -> None:
    """Nothing to load is bad input."""
    with pytest.raises(InputError):
        load([], reader=Memory({}), variables={})
