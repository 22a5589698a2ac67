"""Configurations of fronts and of the edge: cases with golden files, and refusals.

That HAProxy accepts the golden files is tested in test_lab.py: it must be 3.0.
"""

from __future__ import annotations

import re

import pytest

from tests.traffic import specs
from tidegate.traffic.edge import edge_config
from tidegate.traffic.proxy import stamp_of

NAMES = sorted(specs.load("configs.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_golden(name: str) -> None:
    """The configuration is that of the golden file, byte for byte."""
    text = specs.config(specs.load("configs.yaml")[name])
    assert text == (specs.CASES / f"{name}.cfg").read_text("utf-8")


@pytest.mark.parametrize("case", specs.load("refused.yaml"), ids=lambda case: str(case["words"]))
def test_refused(case: dict[str, object]) -> None:
    """A value that could break out of its line is refused where it enters."""
    with pytest.raises(ValueError, match=re.escape(str(case["words"]))):
        if "front" in case:
            specs.front_spec(case["front"])  # type: ignore[arg-type]
        else:
            specs.claim(case["claim"])  # type: ignore[arg-type]


def test_equal_claims_give_equal_bytes() -> None:
    """The order in which claims are read from the disk is not seen in the file."""
    claims = [specs.claim(each) for each in specs.load("configs.yaml")["edge-published"]["claims"]]
    assert edge_config(claims) == edge_config(claims[::-1])


def test_stamp_follows_the_content() -> None:
    """A running proxy's stamp tells whether it has this configuration; a switch is not in it."""
    cases = specs.load("configs.yaml")
    stamps = {name: stamp_of(specs.config(case)) for name, case in cases.items()}
    assert len(set(stamps.values())) == len(stamps)
    assert all(re.fullmatch(r"[0-9a-f]{16}", stamp) for stamp in stamps.values())
    assert stamp_of("global\n") == ""
