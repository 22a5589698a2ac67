"""Which paths of a folder count: those that a Dockerfile or a list of patterns takes.

A path without special signs takes itself and all that is below it; ``*``, ``?``, ``[…]`` and
``**`` are those of .dockerignore (``tidegate.images.ignore``). "" takes everything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache

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


def is_pattern(text: str) -> bool:
    """Whether it has special signs; one without is a plain path."""
    return ignore.SPECIAL.search(text) is not None


@cache
def matcher(pattern: str) -> Test:
    """Whether a path, or a folder above it, is what a pattern means."""
    matches = re.compile(f"(?:{ignore.expression(pattern)})(?:/.*)?", re.DOTALL)
    return lambda path: matches.fullmatch(path) is not None


class Selection:
    """The union of some patterns, less others."""

    def __init__(self, patterns: Iterable[str], without: Iterable[str] = ()) -> None:
        self._patterns = tuple(sorted(set(patterns)))
        self._without = tuple(sorted(set(without)))
        self._wanted = [(begin(pattern), _test(pattern)) for pattern in self._patterns]
        self._unwanted = [_test(pattern) for pattern in self._without]

    @property
    def name(self) -> str:
        """Equal for equal selections."""
        return "\0".join((*self._patterns, "\0", *self._without))

    def takes(self, path: str) -> bool:
        """Whether a path counts."""
        wanted = any(test(path) for _, test in self._wanted)
        return wanted and not any(test(path) for test in self._unwanted)

    def enters(self, folder: str) -> bool:
        """Whether anything below a folder may count."""
        if any(test(folder) for test in self._unwanted):
            return False
        return any(_below(folder, start) or _below(start, folder) for start, _ in self._wanted)


def _test(pattern: str) -> Test:
    return matcher(pattern) if is_pattern(pattern) else lambda path: _below(path, pattern)


def _below(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")
