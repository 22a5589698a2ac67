"""Which paths of a folder count: those that a Dockerfile or a list of patterns takes.

A path without special signs takes itself and all that is below it; ``*``, ``?``, ``[…]`` and
``**`` are those of .dockerignore (``tidegate.images.ignore``). "" takes everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from tidegate.images import ignore

Test = Callable[[str], bool]


def begin(pattern: str) -> str:
    """The part of a pattern before its first special sign, whole folders only."""
    start: list[str] = []
    for part in pattern.split("/"):
        if ignore.SPECIAL.search(part):
            break
        start.append(part)
    return "/".join(start)


def matcher(pattern: str) -> Test | None:
    """Whether a path, or a folder above it, is what a pattern means; None for a plain path."""
    if not ignore.SPECIAL.search(pattern):
        return None
    matches = re.compile(f"(?:{ignore.expression(pattern)})(?:/.*)?", re.DOTALL)
    return lambda path: matches.fullmatch(path) is not None


class Selection:
    """The union of some patterns, less others."""

    def __init__(self, patterns: Iterable[str], without: Iterable[str] = ()) -> None:
        self.patterns = tuple(sorted(set(patterns)))
        self._without = tuple(sorted(set(without)))
        self._tests = [(begin(p), matcher(p)) for p in self.patterns]

    @property
    def everything(self) -> bool:
        """Whether no path is left out."""
        return "" in self.patterns and not self._without

    @property
    def name(self) -> str:
        """Equal for equal selections."""
        return "\0".join((*self.patterns, "\0", *self._without))

    def takes(self, path: str) -> bool:
        """Whether a path counts."""
        if any(_below(path, place) for place in self._without):
            return False
        return any(
            test(path) if test is not None else _below(path, start) for start, test in self._tests
        )

    def enters(self, folder: str) -> bool:
        """Whether anything below a folder may count."""
        if any(_below(folder, place) for place in self._without):
            return False
        return any(_below(folder, start) or _below(start, folder) for start, _ in self._tests)


def _below(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")
