"""YAML is kept by git's id of its bytes, and is the same when it comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidegate.compose import document
from tidegate.compose.files import MAX_VALUES, Allowance
from tidegate.compose.nodes import Mark, Node, plain
from tidegate.edges import parsed
from tidegate.errors import InputError

TEXT = """\
a: &shared {x: 1, when: 2020-01-02, "on": off}
b: [*shared, 2.5, null, text]
<<: {c: true}
---
second: yes
"""


def flat(node: Node, file: str) -> list[tuple[object, Mark, Mark | None]]:
    """Everything that a tree says, with its places, as in a file of that name."""
    found: list[tuple[object, Mark, Mark | None]] = []
    for one in node.walk():
        value = one.value if isinstance(one.value, str | int) else ""
        key_at = (file, *one.key_at[1:]) if one.key_at else None
        found.append((value, (file, *one.at[1:]), key_at))
    return found


def test_comes_back_as_it_was_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values, places and what it counts are the same; nothing is parsed the second time.

    Nothing is written before the reader says that it was of use.
    """
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first, second = Allowance(), Allowance()
    read = parsed.roots(TEXT, "one.yaml", "ab12", first)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    parsed.keep()
    monkeypatch.setattr(document, "read", lambda *_: pytest.fail("parsed again"))
    kept = parsed.roots(TEXT, "two.yaml", "ab12", second)
    assert [plain(root) for root in kept] == [plain(root) for root in read]
    assert {at[0] for root in kept for one in root.walk() for at in [one.at]} == {"two.yaml"}
    assert [flat(root, "x") for root in kept] == [flat(root, "x") for root in read]
    assert first.values == second.values < MAX_VALUES


def test_what_is_kept_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tree from the cache uses up what one that is read would."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    parsed.roots(TEXT, "one.yaml", "ab12", Allowance())
    parsed.keep()
    with pytest.raises(InputError, match="values"):
        parsed.roots(TEXT, "one.yaml", "ab12", Allowance(values=3))


def test_a_broken_or_missing_cache_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut files are read anew, and a place that cannot be written does no harm."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    wanted = plain(parsed.roots(TEXT, "one.yaml", "ab12", Allowance())[0])
    parsed.keep()
    [file] = [path for path in tmp_path.rglob("*") if path.is_file()]
    file.write_bytes(file.read_bytes()[:20])
    assert plain(parsed.roots(TEXT, "one.yaml", "ab12", Allowance())[0]) == wanted
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert plain(parsed.roots(TEXT, "one.yaml", "ab12", Allowance())[0]) == wanted
    parsed.keep()


def test_the_cache_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its limit it begins anew."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(parsed, "MOST", 3)
    for number in range(9):
        parsed.roots(TEXT, "one.yaml", f"ab{number}", Allowance())
        parsed.keep()
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) <= 3
