"""Whatever stands in a compose file: a project or an error with a place, soon, and nothing else.

`TIDEGATE_FUZZ=10000` takes that many damaged files instead of a sample; `TIDEGATE_SEED` another
sample.
"""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compose.casefiles import Memory, case_paths, read_case
from tests.compose.mutations import mutate
from tidegate.compose import as_json, load
from tidegate.compose.dotenv import parse
from tidegate.compose.variables import Used, VariableError, substitute
from tidegate.errors import InputError

CORPUS = Path(__file__).resolve().parents[3] / "shared/compose/corpus"
COUNT = int(os.environ.get("TIDEGATE_FUZZ", "300"))
SEED = int(os.environ.get("TIDEGATE_SEED", "1"))
LIMIT_S = 2.0


def outcome(text: str) -> float:
    """Load a text, in processor seconds; only a printable project or an InputError may come."""
    begin = time.process_time()
    try:
        project = load(
            ["compose.yaml"],
            reader=Memory({"compose.yaml": text}),
            variables={"X": "1"},
            project="p",
            profiles=["*"],
        )
        json.dumps(as_json(project))
    except InputError as error:
        assert error.where is not None
        assert error.message
    return time.process_time() - begin


def sources() -> list[str]:
    """Our own cases, and the corpus where it is beside the checkout."""
    own = [read_case(path).files.get("compose.yaml", "") for path in case_paths()]
    outside = [path for path in sorted(CORPUS.rglob("*")) if path.suffix in (".yml", ".yaml")]
    return own + [path.read_text(encoding="utf-8") for path in outside]


def test_damaged_files_are_results_or_errors() -> None:
    """Files with a few damages load or are refused, each within two seconds."""
    texts = sources()
    slowest = 0.0
    for number in range(COUNT):
        chance = random.Random(SEED * 1_000_003 + number)
        slowest = max(slowest, outcome(mutate(chance.choice(texts), chance, texts)))
    assert slowest < LIMIT_S


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab:{}[]-,&*!|>'\"#$ \n\t<?%@`\x00é"), max_size=60))
def test_any_text_is_a_result_or_an_error(text: str) -> None:
    """YAML's own characters in any order raise nothing but InputError."""
    outcome(text)
    outcome(f"services:\n  a:\n    image: x\n    {text}")


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
    outcome(json.dumps({"services": {"a": {"image": "x", **service}}}, ensure_ascii=True))


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
        parse(text, "a.env", {}, lambda _name: None)
    except InputError as error:
        assert error.where is not None


BOMBS = {
    "billion-laughs": "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)),
    "merge-laughs": "x-0: &a0 {k: v}\n"
    + "".join(f"x-{n}: &a{n} {{p: *a{n - 1}, q: *a{n - 1}}}\n" for n in range(1, 40)),
    "deep": "x-a: " + "[" * 50_000,
    "deep-blocks": "\n".join("  " * depth + "a:" for depth in range(2_000)),
    "deep-defaults": "services: {a: {image: '" + "${A:-" * 5_000 + "}" * 5_000 + "'}}",
    "many-variables": "services: {a: {image: x, command: ['" + "${A:-b}" * 20_000 + "']}}",
    "wide-ports": "services: {a: {image: x, ports: ["
    + ", ".join(['"1-65535:1-65535"'] * 20)
    + "]}}",
    "many-services": "services:\n" + "".join(f"  s{n}: {{image: x}}\n" for n in range(5_000)),
    "long-chain": "services:\n  s0: {image: x}\n"
    + "".join(f"  s{n}: {{extends: s{n - 1}}}\n" for n in range(1, 2_000)),
    "long-dependencies": "services:\n  s0: {image: x}\n"
    + "".join(f"  s{n}: {{image: x, depends_on: [s{n - 1}]}}\n" for n in range(1, 2_000)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_defused(name: str) -> None:
    """What grows, nests or repeats without end is a result or an error within two seconds."""
    assert outcome(BOMBS[name]) < LIMIT_S
