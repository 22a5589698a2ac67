"""What the loader needs to know of files: a reader, named texts, and where they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tidegate.compose.nodes import Node, fail
from tidegate.compose.paths import join

_REMOTE = ("oci://", "https://", "http://", "ssh://", "git://", "git@", "github.com/")


class Reader(Protocol):
    """The files that compose files may name; paths are absolute."""

    def absolute(self, path: str) -> str:
        """A path of the caller's as an absolute one."""

    def read(self, path: str) -> str:
        """A file's text. OSError or UnicodeDecodeError where there is none."""

    def is_file(self, path: str) -> bool:
        """Whether there is something to read."""

    def is_dir(self, path: str) -> bool:
        """Whether the path is a directory."""

    def follow(self, path: str) -> str:
        """The path with its first symbolic link resolved."""


@dataclass(frozen=True, slots=True)
class Source:
    """A compose file that is already read; `name` is what errors call it."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a group of files stands: `base` for the files it names, `directory` for all else."""

    base: str
    directory: str
    environment: Mapping[str, str]
    included: tuple[str, ...] = ()
    chain: tuple[tuple[str, str], ...] = ()


def parent(path: str) -> str:
    """The directory of a path."""
    return join(path.rpartition("/")[0] or "/", "")


def from_base(path: str, base: str) -> str:
    """A path, relative to a directory unless it is absolute."""
    return path if path.startswith("/") else join(base, path)


def local(item: Node, base: str) -> str:
    """The absolute path of a file that a compose file names."""
    name = item.text()
    if name.startswith(_REMOTE):
        fail(
            f"{name}: compose files from elsewhere are not loaded",
            item,
            code="compose-remote",
            hint="put a copy of the file into the repository",
        )
    return from_base(name, base)


def discard(root: Node, paths: Sequence[tuple[str, ...]]) -> None:
    """Remove what `!reset` and `!override` name."""
    for path in paths:
        node: Node | None = root
        for part in path[:-1]:
            node = node.get(part) if node is not None else None
        if node is not None and path:
            node.children().pop(path[-1], None)
