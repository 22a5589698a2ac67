"""Whatever stands in a compose file: a project or an error with a place, soon, and nothing else.

`TIDEGATE_SEED` takes another sample; `./scripts/prove compose` a far larger one.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.compose import Source, load
from tidegate.compose.dotenv import parse
from tidegate.compose.files import Allowance
from tidegate.compose.variables import Used, VariableError, substitute
from tidegate.errors import InputError
from tidegate.testing.casefiles import case_paths
from tidegate.testing.files import Memory
from tidegate.testing.prove import bombs, compose_fuzz
from tidegate.testing.prove.compose_fuzz import Material, Verdict, attempt, damaged, originals

COUNT = 150
SEED = int(os.environ.get("TIDEGATE_SEED", "1"))


def tried(text: str) -> None:
    """Load, print, export and render a text; only a result or an error with a place may come."""
    source = Source("/case/compose.yaml", text)
    verdict = attempt("text", Material(source, Memory({"compose.yaml": text})))
    assert verdict.problem == ""


def test_damaged_files_and_bombs_are_results_or_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Damaged cases and every bomb end soon, in little memory, with a result or an error."""
    # Processors that others use take longer for the same; the proof has a narrower limit.
    monkeypatch.setattr(compose_fuzz, "LIMIT_S", 3 * compose_fuzz.LIMIT_S)
    violations, figures = compose_fuzz.fuzz(SEED, COUNT, case_paths())
    assert violations == []
    assert figures["results"] + figures["errors"] == COUNT + figures["bombs"]
    assert figures["results"]
    assert figures["errors"]


TOO_LARGE = (
    "billion laughs by anchors",
    "many documents",
    "a scalar of 50 MB",
    "extends in a chain",
    "include in a chain",
    "include of many by many",
    "5,000 services",
    "more ports than there are",
    "a long env file",
)


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_grows_is_told_to_be_too_large(name: str) -> None:
    """A bomb that would grow is stopped for its size, and not for something else."""
    files = bombs.files(name)
    with pytest.raises(InputError) as caught:
        load(["compose.yaml"], reader=Memory(files), variables={})
    assert caught.value.code == "compose-too-large"
    assert caught.value.where is not None


def test_a_long_value_is_cut_in_a_message() -> None:
    """A message stays readable, however long the value is that is wrong."""
    files = bombs.files("a long duration")
    with pytest.raises(InputError) as caught:
        load(["compose.yaml"], reader=Memory(files), variables={})
    assert len(caught.value.message) < 600


def test_damages_can_be_repeated() -> None:
    """The same two numbers give the same damaged file."""
    materials = originals(case_paths())
    assert damaged(1, 7, materials).source == damaged(1, 7, materials).source
    assert damaged(1, 7, materials).source != damaged(2, 7, materials).source


def test_a_crash_and_a_slow_file_are_violations(monkeypatch: pytest.MonkeyPatch) -> None:
    """What raises, and what takes too long, is told with its name and its seed."""

    def judged(material: Material) -> str:
        if "image" in material.source.text:
            raise ZeroDivisionError("seen")
        while True:
            pass

    monkeypatch.setattr(compose_fuzz, "_outcome", judged)
    monkeypatch.setattr(compose_fuzz, "LIMIT_S", 0.1)
    monkeypatch.setattr(bombs, "BOMBS", {"a": lambda: "image", "b": lambda: "slow"})
    violations, figures = compose_fuzz.fuzz(3, 0, case_paths()[:1])
    assert sorted(line.splitlines()[0] for line in violations) == [
        "a of seed 3: ZeroDivisionError: seen",
        "b of seed 3: more than 0.2 s",
    ]
    assert figures["results"] == 0


def test_a_worker_that_dies_is_one_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that kills its worker is named, and the others are tried all the same."""

    def judged(name: str, _material: Material) -> Verdict:
        if name == "deadly":
            os._exit(1)
        return Verdict(name, "result")

    monkeypatch.setattr(compose_fuzz, "attempt", judged)
    made = {"deadly": lambda: "a", "b": lambda: "b", "c": lambda: "c", "d": lambda: "d"}
    monkeypatch.setattr(bombs, "BOMBS", made)
    violations, figures = compose_fuzz.fuzz(3, 0, case_paths()[:1])
    assert [line.splitlines()[0] for line in violations] == ["deadly of seed 3: hung or died"]
    assert figures["results"] == 3


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab:{}[]-,&*!|>'\"#$ \n\t<?%@`\x00é"), max_size=60))
def test_any_text_is_a_result_or_an_error(text: str) -> None:
    """YAML's own characters in any order raise nothing but InputError."""
    tried(text)
    tried(f"services:\n  a:\n    image: x\n    {text}")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = sorted(
    key
    for key in json.loads(
        (Path(__file__).resolve().parents[2] / "src/tidegate/compose/compose-spec.json").read_text()
    )["definitions"]["service"]["properties"]
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4))
def test_any_value_under_any_key_is_a_result_or_an_error(service: dict[str, object]) -> None:
    """Every key of a service takes any value, or refuses it with InputError."""
    tried(json.dumps({"services": {"a": {"image": "x", **service}}}, ensure_ascii=True))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("AB${}:-?+ \n"), max_size=40))
def test_any_expression_is_text_or_an_error(text: str) -> None:
    """Interpolation gives text or VariableError; without a dollar nothing changes."""
    try:
        found = substitute(text, {"A": "1"}.get, Used())
    except VariableError:
        return
    assert "$" in text or found == text


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("AB=:#'\"\\$ \n\texport"), max_size=40))
def test_any_env_file_is_variables_or_an_error(text: str) -> None:
    """An env file gives variables or InputError."""
    try:
        parse(text, "a.env", {}, lambda _name: None, Allowance())
    except InputError as error:
        assert error.where is not None
