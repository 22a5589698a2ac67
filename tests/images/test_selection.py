"""What a selection takes, and where it must look for it."""

from __future__ import annotations

import pytest

from tidegate.images.selection import Selection

CASES = [
    ([""], "any/thing", True),
    (["src"], "src", True),
    (["src"], "src/a/b.py", True),
    (["src"], "srcs/a", False),
    (["a/*.txt"], "a/x.txt", True),
    (["a/*.txt"], "a/b/x.txt", False),
    (["a/*"], "a/b/x.txt", True),  # what lies below a match matches too
    (["**/x.py"], "a/b/x.py", True),
    (["src", "docs"], "docs/x", True),
    ([], "x", False),
]


@pytest.mark.parametrize(("patterns", "path", "taken"), CASES)
def test_takes(patterns: list[str], path: str, taken: bool) -> None:
    """Itself and what is below; patterns as in .dockerignore."""
    assert Selection(patterns).takes(path) is taken


@pytest.mark.parametrize(("patterns", "path", "taken"), [c for c in CASES if c[2]])
def test_every_folder_on_the_way_is_entered(patterns: list[str], path: str, taken: bool) -> None:
    """What is taken is found: no folder above it is passed by."""
    folders = path.split("/")[:-1]
    chosen = Selection(patterns)
    assert all(chosen.enters("/".join(folders[: n + 1])) for n in range(len(folders))) is taken


def test_other_folders_are_passed_by() -> None:
    """A large folder that nobody takes costs nothing."""
    assert not Selection(["src", "a/*.txt"]).enters("node_modules")
    assert not Selection(["src/x"]).enters("src/y")


def test_outputs_are_no_inputs() -> None:
    """What is left out is neither taken nor entered."""
    chosen = Selection(["web"], without=["web/dist", "web/*.map"])
    assert chosen.takes("web/a.js")
    assert not chosen.takes("web/dist/a.js")
    assert not chosen.takes("web/a.map")
    assert not chosen.enters("web/dist")
