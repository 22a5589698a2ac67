"""Companion files of a release: named by content, so an equal file is never sent twice.

A file's digest is over its bytes. A tree's digest is over its canonical entries (path, mode and
digest of each), so a changed mode is a changed tree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.host.canon import digest as canonical_digest


@dataclass(frozen=True, slots=True)
class FileFact:
    """One file of the project: ``mode`` is its permission bits, ``size`` bytes."""

    digest: str
    mode: int = 0o644
    size: int = 0


@dataclass(frozen=True, slots=True)
class TreeFact:
    """A folder of the project: paths relative to it, with ``/``. Empty folders do not count."""

    entries: Mapping[str, FileFact]


Fact = FileFact | TreeFact

# A folder that holds only these is kept in git for its name; its content is written by a service.
PLACEHOLDERS = frozenset({".gitkeep", ".gitignore", ".keep"})


def bytes_digest(content: bytes) -> str:
    """``sha256:`` and the hexadecimal digest of ``content``."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def describe(fact: Fact) -> tuple[str, dict[str, Any]]:
    """(digest, entry) of ``fact`` for the release's ``files``."""
    if isinstance(fact, FileFact):
        return fact.digest, {"kind": "file", "mode": fact.mode, "size": fact.size}
    entries = _entries(fact.entries.items())
    return canonical_digest(entries), {"kind": "tree", "entries": entries}


def _entries(items: Iterable[tuple[str, FileFact]]) -> list[dict[str, Any]]:
    return [
        {"path": path, "mode": fact.mode, "digest": fact.digest, "size": fact.size}
        for path, fact in sorted(items)
    ]


def is_placeholder(fact: Fact) -> bool:
    """Whether a folder holds nothing but what keeps it in git."""
    return isinstance(fact, TreeFact) and set(fact.entries) <= PLACEHOLDERS
