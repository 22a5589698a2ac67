"""Which files of a build context count: .dockerignore as Docker reads it.

Source: https://docs.docker.com/build/concepts/context/#dockerignore-files and
github.com/moby/patternmatcher v0.6: patterns from the context's root, ``*`` and ``?`` within
one part, ``**`` over any number, ``!`` takes back, the last match wins, and what lies below
a match matches too.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from functools import lru_cache


def parse(text: str) -> tuple[tuple[bool, re.Pattern[str]], ...]:
    """The rules of a .dockerignore, in order: (whether it ignores, what it matches)."""
    rules = []
    for raw in text.removeprefix("\ufeff").splitlines():
        if raw.startswith("#") or not raw.strip():
            continue
        pattern = raw.strip()
        ignores = not pattern.startswith("!")
        pattern = posixpath.normpath(pattern.removeprefix("!").strip().lstrip("/") or "/")
        if pattern not in (".", "/"):
            rules.append((ignores, re.compile(_regex(pattern))))
    return tuple(rules)


def matcher(text: str) -> Callable[[str], bool]:
    """A function that says whether a path of the context is ignored."""
    rules = parse(text)

    def ignored(path: str) -> bool:
        verdict = False
        for ignores, pattern in rules:
            if ignores != verdict and _matches(pattern, path):
                verdict = ignores
        return verdict

    return ignored


def takes_back(text: str) -> bool:
    """Whether any rule begins with ``!``: then nothing below an ignored folder may be skipped."""
    return any(not ignores for ignores, _ in parse(text))


@lru_cache(maxsize=65536)
def _matches(pattern: re.Pattern[str], path: str) -> bool:
    """The path itself or a folder above it."""
    while path:
        if pattern.fullmatch(path):
            return True
        path = path.rpartition("/")[0]
    return False


def _regex(pattern: str) -> str:
    out, i = "", 0
    while i < len(pattern):
        char = pattern[i]
        if pattern.startswith("**", i):
            i += 2
            if pattern.startswith("/", i):
                i += 1
                out += "(?:.*/)?"
            else:
                out += ".*"
            continue
        if char == "*":
            out += "[^/]*"
        elif char == "?":
            out += "[^/]"
        elif char == "[" and "]" in pattern[i:]:
            end = pattern.index("]", i)
            out += "[" + pattern[i + 1 : end] + "]"
            i = end
        elif char == "\\" and i + 1 < len(pattern):
            i += 1
            out += re.escape(pattern[i])
        else:
            out += re.escape(char)
        i += 1
    return out
