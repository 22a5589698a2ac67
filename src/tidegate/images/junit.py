"""What a JUnit report says in four numbers.

Source: https://github.com/testmoapp/junitxml (there is no standard; every tool writes these).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree


@dataclass(frozen=True, slots=True)
class Counts:
    """Tests, and those among them that failed, could not run, or were left out."""

    tests: int = 0
    failures: int = 0
    errors: int = 0
    skipped: int = 0


def counts(texts: Iterable[str]) -> Counts | None:
    """The sum over some reports; None where none of them is one."""
    found = [one for text in texts if (one := _counts(text)) is not None]
    if not found:
        return None
    return Counts(*(sum(getattr(one, key) for one in found) for key in Counts.__match_args__))


def _counts(text: str) -> Counts | None:
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - as above
    except ElementTree.ParseError:
        return None
    if root.tag not in ("testsuite", "testsuites"):
        return None
    cases = list(root.iter("testcase"))

    def having(word: str) -> int:
        return sum(case.find(word) is not None for case in cases)

    return Counts(len(cases), having("failure"), having("error"), having("skipped"))
