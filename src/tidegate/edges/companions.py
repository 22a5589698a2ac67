"""Companion files of a project: what its services mount from its own folder, read and digested.

A file's mode counts as git keeps it: executable or not. Symbolic links are followed within the
project, never out of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tidegate.errors import InputError
from tidegate.release.files import Fact, FileFact, TreeFact, bytes_digest

MAX_BYTES = 256 << 20
NOT_OURS = frozenset({".git"})


@dataclass(slots=True)
class Companions:
    """``facts`` by absolute path; ``content`` by digest, for the hosts to fetch."""

    facts: dict[str, Fact] = field(default_factory=dict)
    content: dict[str, bytes] = field(default_factory=dict, repr=False)
    size: int = 0


def sources(
    services: Mapping[str, Mapping[str, Any]], configs: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """Absolute paths that a project mounts: bind mounts, and files of configs."""
    for service in services.values():
        for mount in service.get("volumes") or ():
            if isinstance(mount, Mapping) and mount.get("type") == "bind":
                yield str(mount.get("source", ""))
    for config in configs.values():
        if config.get("file"):
            yield str(config["file"])


def read(paths: Iterable[str], root: str) -> Companions:
    """Read those that exist within ``root``; what lies elsewhere is the host's own."""
    found = Companions()
    inside = Path(root).resolve()
    for text in sorted(set(paths)):
        path = Path(text)
        if not path.is_absolute() or not path.resolve().is_relative_to(inside):
            continue
        if path.is_dir():
            found.facts[text] = TreeFact(dict(_tree(path, inside, found)))
        elif path.is_file():
            found.facts[text] = _file(path, found)
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
