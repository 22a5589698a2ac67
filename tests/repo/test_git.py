"""What git says about a folder, parsed."""

from __future__ import annotations

import pytest

from tidegate.repo.git import Revision, revision

HEAD = "# branch.oid 4da4d9012345678901234567890123456789abcd\n# branch.head main\n"
ENTRY = "1 .M N... 100644 100644 100644 aaa bbb src/a file.py\n"
RENAME = "2 R. N... 100644 100644 100644 aaa bbb R100 new name.py\told name.py\n"

CASES = [
    (HEAD, "4da4d90", ()),
    (HEAD + ENTRY, "4da4d90+", ("src/a file.py",)),
    (HEAD + RENAME, "4da4d90+", ("new name.py",)),
    (HEAD + "? notes.txt\n", "4da4d90+", ("notes.txt",)),
    ("# branch.oid (initial)\n# branch.head main\n? a\n", "", ("a",)),
]


@pytest.mark.parametrize(("status", "version", "changed"), CASES)
def test_status_is_read(status: str, version: str, changed: tuple[str, ...]) -> None:
    """The version is the short commit, with a plus where the tree differs from it."""
    found = revision(status)
    assert (found.version, found.changed) == (version, changed)


def test_a_detached_head_has_no_branch() -> None:
    """A checkout of a commit, as in CI, has a commit and no branch."""
    text = HEAD.replace("main", "(detached)")
    assert revision(text) == Revision("4da4d9012345678901234567890123456789abcd")
