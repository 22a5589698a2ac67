"""Companion files of a project: what its services mount from its own folder, read and digested.

A file's mode counts as git keeps it: executable or not. In a folder, symbolic links are followed
within that folder, never out of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tidegate.errors import InputError, Where
from tidegate.release.files import Fact, FileFact, TreeFact, bytes_digest

MAX_BYTES = 256 << 20
NOT_OURS = frozenset({".git"})


class Wanted(Protocol):
    """A path that a project names, absolute."""

    @property
    def path(self) -> str: ...
    @property
    def required(self) -> bool: ...
    @property
    def where(self) -> Where: ...


@dataclass(slots=True)
class Companions:
    """``facts`` by absolute path; ``content`` by digest, for the hosts to fetch."""

    facts: dict[str, Fact] = field(default_factory=dict)
    content: dict[str, bytes] = field(default_factory=dict, repr=False)
    size: int = 0


def read(wanted: Iterable[Wanted]) -> Companions:
    """Read those that exist; a required one that does not is an ``InputError``."""
    found = Companions()
    for want in wanted:
        path = Path(want.path)
        if path.is_dir():
            found.facts[want.path] = TreeFact(dict(_tree(path, path.resolve(), found)))
        elif path.is_file():
            found.facts[want.path] = _file(path, found)
        elif want.required:
            raise InputError(
                f"there is no file {path}", code="companion-missing", where=want.where,
                hint="its path is read from the compose file's own folder",
            )  # fmt: skip
    return found


def _tree(folder: Path, inside: Path, found: Companions) -> Iterator[tuple[str, FileFact]]:
    for current, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(set(folders) - NOT_OURS)
        for name in sorted(files):
            path = Path(current) / name
            if path.is_file() and path.resolve().is_relative_to(inside):
                yield path.relative_to(folder).as_posix(), _file(path, found)


def _file(path: Path, found: Companions) -> FileFact:
    try:
        executable = path.stat().st_mode & 0o111
        content = path.read_bytes()
    except OSError as problem:
        raise InputError(
            f"cannot read {path}: {problem.strerror}",
            code="companion-unreadable",
            hint="it is mounted into a service, so it travels with the release",
        ) from None
    found.size += len(content)
    if found.size > MAX_BYTES:
        raise InputError(
            f"the files that services mount from this folder have more than {MAX_BYTES >> 20} MiB",
            code="companions-too-big",
            hint="build them into an image, or mount a smaller folder",
        )
    digest = bytes_digest(content)
    found.content[digest] = content
    return FileFact(digest, 0o755 if executable else 0o644, len(content))
