"""The files of one commit, as whoever reads the repository without a working tree sees them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping

from tidegate.repo.diff import SUBMODULE, decoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from tidegate.compose.files import Allowance
    from tidegate.compose.nodes import Node
else:
    Protocol = object

FOLDERS = ("40000", "040000")


class Tree(Protocol):
    """Paths are relative to the top of the repository; "" is the top itself."""

    def fetch(self, paths: Iterable[str]) -> None:
        """Ask for these at once, without waiting: whatever is read next waits for itself only."""

    def text(self, path: str) -> str | None:
        """A file's text; None where there is none."""

    def documents(self, path: str, allowance: Allowance) -> list[Node]:
        """The YAML documents of a file that there is."""

    def names(self, path: str) -> Mapping[str, str]:
        """The names in a folder with their modes; none where there is no folder."""


def parse(content: bytes, id_bytes: int) -> dict[str, str]:
    """A tree object: ``mode name NUL id``, over and over (git's Documentation/git-ls-tree)."""
    text = content.decode("latin-1")  # a sign for each byte, so that ids keep their length
    entries = re.findall(rf"([0-7]+) ([^\0]+)\0.{{{id_bytes}}}", text, re.DOTALL)
    if all(name.isascii() for _, name in entries):
        return {name: mode for mode, name in entries}
    return {decoded(name.encode("latin-1")): mode for mode, name in entries}


def is_utf8(text: str) -> bool:
    """Whether a file's text is all of it: bytes that are no UTF-8 are kept as surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def is_folder(mode: str) -> bool:
    """Whether a mode is a folder's."""
    return mode in FOLDERS


def is_submodule(mode: str) -> bool:
    """Whether a mode is a submodule's: a commit of another repository."""
    return mode == SUBMODULE


def joined(folder: str, path: str) -> str:
    """A path seen from a folder; it begins with ``..`` where it leads out of the repository."""
    found = posixpath.normpath(f"{folder}/{path}" if folder else path)
    return "" if found == "." else found
