"""Steps before a build: run for what they read, once; their outputs are what is built from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidegate.edges.steps import perform
from tidegate.errors import DeploymentFailed, InputError
from tidegate.model.config import Step

RUN = ("sh", "-c", "echo run >> ../count; mkdir -p dist; tr a-z A-Z < page > dist/page")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with a folder that a step reads and writes."""
    place = tmp_path / "project"
    (place / "site").mkdir(parents=True)
    (place / "site" / "page").write_text("hello")
    return place


def step(**given: object) -> Step:
    found = {"run": RUN, "directory": "site", "outputs": ("site/dist",), **given}
    return Step("site", **found)  # type: ignore[arg-type]


def runs(root: Path, one: Step) -> list[bool]:
    return [perform(one, str(root), root.parent / "log") for _ in range(2)]


def test_runs_once_for_the_same_inputs(root: Path) -> None:
    """What it made is no input; another file is, and so are its words."""
    assert runs(root, step()) == [True, False]
    assert (root / "site/dist/page").read_text() == "HELLO"
    (root / "elsewhere").write_text("x")
    assert runs(root, step()) == [False, False]
    (root / "site" / "page").write_text("there")
    assert runs(root, step()) == [True, False]
    assert runs(root, step(run=(*RUN, "other"))) == [True, False]
    assert (root / "count").read_text().count("run") == 3


def test_runs_again_where_an_output_is_lost_or_spoilt(root: Path) -> None:
    """An image must not be built from what somebody else left there."""
    assert runs(root, step()) == [True, False]
    (root / "site/dist/page").write_text("spoilt")
    assert runs(root, step()) == [True, False]
    (root / "site/dist/page").unlink()
    assert runs(root, step()) == [True, False]


def test_only_declared_inputs_count(root: Path) -> None:
    """With inputs of its own, the rest of its folder says nothing."""
    one = step(inputs=("site/page",))
    assert runs(root, one) == [True, False]
    (root / "site/notes").write_text("x")
    assert runs(root, one) == [False, False]


def test_a_step_that_fails_stops_the_build(root: Path) -> None:
    """With its last words and the place of its log; it runs again the next time."""
    bad = step(run=("sh", "-c", "echo broken >&2; exit 3"))
    with pytest.raises(DeploymentFailed) as found:
        perform(bad, str(root), root.parent / "log")
    assert found.value.code == "step-failed"
    assert found.value.log == ("broken",)
    assert (root.parent / "log").read_text() == "broken\n"


def test_a_step_must_make_what_it_says(root: Path) -> None:
    """An output that is not there would be a silent hole in an image."""
    with pytest.raises(DeploymentFailed, match="site/nothing"):
        perform(step(outputs=("site/dist", "site/nothing")), str(root), root.parent / "log")
    with pytest.raises(InputError, match="there is no folder"):
        perform(step(directory="nowhere"), str(root), root.parent / "log")
