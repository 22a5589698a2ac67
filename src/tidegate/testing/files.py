"""Files that exist only in memory, for the compose loader; and texts that hold several files."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

_PART = re.compile(r"^-- (\S+) --\n", re.MULTILINE)


@dataclass(frozen=True)
class Memory:
    """A reader of files that exist only here, below ``root``."""

    files: Mapping[str, str]
    root: str = "/case"

    def absolute(self, path: str) -> str:
        """The path below the root."""
        return os.path.normpath(os.path.join(self.root, path))  # noqa: PTH118 - text only

    def read(self, path: str) -> str:
        """A file's text."""
        try:
            return self.files[os.path.relpath(path, self.root)]
        except KeyError:
            raise FileNotFoundError(path) from None

    def is_file(self, path: str) -> bool:
        """Whether there is such a file."""
        return os.path.relpath(path, self.root) in self.files

    def is_dir(self, path: str) -> bool:
        """Whether there is a file below this path."""
        return any(f"{self.root}/{name}".startswith(f"{path}/") for name in self.files)

    def follow(self, path: str) -> str:
        """There are no symbolic links."""
        return path


def parts(text: str) -> tuple[str, dict[str, str]]:
    """What stands before the first ``-- NAME --`` line, and the text of each name's part."""
    head, *rest = _PART.split(text)
    return head, dict(zip(rest[::2], rest[1::2], strict=True))
