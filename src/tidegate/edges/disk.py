"""The files of this machine for the compose loader: a Reader over the real file system."""

from __future__ import annotations

import os
from pathlib import Path

from tidegate.compose.files import MAX_TEXT


class Disk:
    """Paths are taken from ``root`` unless they are absolute."""

    def __init__(self, root: str) -> None:
        self._root = root

    def absolute(self, path: str) -> str:
        """A path of the caller's as an absolute one, without ``..``."""
        return os.path.normpath(Path(self._root, path))

    def read(self, path: str) -> str:
        """A file's text; OSError or UnicodeDecodeError where there is none."""
        try:
            with Path(path).open(encoding="utf-8") as file:
                return file.read(MAX_TEXT + 1)  # the loader refuses what is longer
        except UnicodeDecodeError:
            return Path(path).read_bytes().decode()  # whose error counts from the file's begin

    def is_file(self, path: str) -> bool:
        """Whether there is something to read."""
        return Path(path).exists() and not Path(path).is_dir()

    def is_dir(self, path: str) -> bool:
        """Whether the path is a directory."""
        return Path(path).is_dir()

    def follow(self, path: str) -> str:
        """The path with its first symbolic link resolved."""
        parts = Path(path).parts
        for end in range(1, len(parts) + 1):
            head = Path(*parts[:end])
            if head.is_symlink():
                return os.path.normpath(Path(head.parent, head.readlink(), *parts[end:]))
        return path
