"""Which files two commits differ in: what git says became of each, and its path.

A renamed file is one entry with both paths. Which paths are submodules says ``.gitmodules``: the
modes that git could print for each file cost it a fifth of its time more, and 40 bytes a file.
Paths are text; bytes that are no UTF-8 are kept by ``surrogateescape`` (PEP 383).
Source: git-diff-tree(1), ``--name-status`` with ``-z``; plumbing, so that no setting of the
user (``diff.renames``, ``diff.relative``, ``diff.external``) changes the answer. gitmodules(5).
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import repeat

from tidegate.shapes import Row

SUBMODULE = "160000"
GITMODULES = ".gitmodules"
EMPTY_TREES = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",  # git hash-object -t tree /dev/null
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
PLAIN = frozenset("ADMT")  # kinds of change that have one path
WORDS = {"A": "added", "D": "deleted", "M": "changed", "R": "renamed", "T": "another kind of file"}


class FileChange(Row):
    """``status`` is A, D, M, R or T; ``old`` is the path before a rename, else ""."""

    status: str
    path: str
    old: str = ""
    submodule: bool = False


def command(base: str, head: str) -> tuple[str, ...]:
    """The argv that compares two trees; ``base`` "" stands for nothing at all."""
    return (
        *("git", "diff-tree", "-r", "-z", "--name-status", "-M", "--no-ext-diff"),
        *("--ignore-submodules=none", base or EMPTY_TREES[len(head)], head),
    )


def parse(raw: bytes, submodules: Collection[str] = ()) -> list[FileChange]:
    """The output of ``command``, in git's order: ``status path``, or ``R100 old new``."""
    every = decoded(raw).split("\0")
    statuses = every[:-1:2]
    if not submodules and set(statuses) <= PLAIN:  # no rename shifts them, and no loop is needed
        rest = repeat(""), repeat(False)
        return list(map(FileChange._make, zip(statuses, every[1::2], *rest, strict=False)))
    fields, made = iter(every), FileChange._make
    found = []
    for status in fields:
        if not status:
            break
        path, old = next(fields), ""
        if len(status) > 1:  # the score of a renamed one
            status, path, old = "R", next(fields), path
        found.append(made((status, path, old, path in submodules or old in submodules)))
    return found


def submodules(text: str) -> set[str]:
    """The paths that a ``.gitmodules`` names."""
    import re

    found = re.findall(r"^[ \t]*path[ \t]*=[ \t]*(.*?)[ \t]*$", text, re.MULTILINE | re.IGNORECASE)
    return {re.sub(r"\\(.)", r"\1", path.removeprefix('"').removesuffix('"')) for path in found}


def decoded(raw: bytes) -> str:
    """Bytes of git as text that keeps every byte."""
    return raw.decode("utf-8", "surrogateescape")


def shown(path: str) -> str:
    """A path for people and for JSON: a byte or a sign that cannot be printed is escaped."""
    if path.isascii() and path.isprintable():
        return path
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
