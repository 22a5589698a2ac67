"""The working folder as a ``repo.tree.Tree``: what would be committed, seen before it is.

Paths are relative to the project's root; a submodule is a folder like any other.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from tidegate.compose.files import Allowance
from tidegate.compose.nodes import Node
from tidegate.edges import parsed
from tidegate.repo.diff import decoded

FILE, FOLDER, LINK = "100644", "40000", "120000"


class DiskTree:
    """Folders and texts are read once."""

    def __init__(self, root: str) -> None:
        self._root = Path(root)
        self._folders: dict[str, dict[str, str]] = {}

    def fetch(self, paths: Iterable[str]) -> None:
        """Nothing is gained by reading several at once."""

    def text(self, path: str) -> str | None:
        """A file's text, for which every byte is kept."""
        if path.startswith(".."):
            return None
        try:
            return decoded((self._root / path).read_bytes())
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None

    def documents(self, path: str, allowance: Allowance) -> list[Node]:
        """The YAML documents of a file."""
        return parsed.roots(self.text(path) or "", path, "", allowance)

    def names(self, path: str) -> Mapping[str, str]:
        """What a folder holds; none where there is no folder."""
        if path not in self._folders:
            self._folders[path] = {} if path.startswith("..") else self._listed(path)
        return self._folders[path]

    def _listed(self, path: str) -> dict[str, str]:
        try:
            with os.scandir(self._root / path) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return {}
        return {entry.name: _mode(entry) for entry in entries if entry.name != ".git"}


def _mode(entry: os.DirEntry[str]) -> str:
    if entry.is_symlink():
        return LINK
    return FOLDER if entry.is_dir() else FILE
