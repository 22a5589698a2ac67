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
from functools import cache

SPECIAL = re.compile(r"[*?\[\]\\]")


def parse(text: str) -> tuple[tuple[bool, re.Pattern[str]], ...]:
    """The rules of a .dockerignore, in order: (whether it ignores, what it matches)."""
    return tuple((ignores, _below(pattern)) for ignores, pattern in patterns(text))


def patterns(text: str) -> tuple[tuple[bool, str], ...]:
    """The rules as cleaned text: (whether it ignores, the pattern)."""
    rules = []
    for raw in text.removeprefix("\ufeff").splitlines():
        if raw.startswith("#") or not raw.strip():
            continue
        pattern = raw.strip()
        ignores = not pattern.startswith("!")
        pattern = posixpath.normpath(pattern.removeprefix("!").strip().lstrip("/") or "/")
        if pattern not in (".", "/"):
            rules.append((ignores, pattern))
    return tuple(rules)


@cache
def matcher(text: str) -> Callable[[str], bool]:
    """A function that says whether a path of the context is ignored."""
    found = patterns(text)
    if not found:
        return lambda _: False
    any_rule = _below("|".join(f"(?:{expression(pattern)})" for _, pattern in found), is_regex=True)
    if all(ignores for ignores, _ in found):
        return lambda path: any_rule.fullmatch(path) is not None
    rules: list[tuple[bool, re.Pattern[str]]] = []

    def ignored(path: str) -> bool:
        verdict = False
        if any_rule.fullmatch(path):  # most paths match no rule at all
            if not rules:
                rules.extend(parse(text))
            for ignores, rule in rules:
                if ignores != verdict and rule.fullmatch(path):
                    verdict = ignores
        return verdict

    return ignored


def takes_back(text: str) -> bool:
    """Whether any rule begins with ``!``: then nothing below an ignored folder may be skipped."""
    return any(not ignores for ignores, _ in patterns(text))


def expression(pattern: str) -> str:
    """A pattern as a regular expression for whole paths (moby's ``Pattern.compile``).

    ``a**b`` is ``a(.*/)?b``, but ``**`` at the very beginning of an otherwise plain pattern is
    any beginning.
    """
    if pattern.startswith("**") and not SPECIAL.search(pattern[2:]):
        rest = pattern[2:]
        return rf"(?:.*/)?{re.escape(rest[1:])}" if rest[:1] == "/" else f".*{re.escape(rest)}"
    if not SPECIAL.search(pattern):
        return re.escape(pattern)
    out, i = "", 0
    while i < len(pattern):
        char = pattern[i]
        i += 1
        if pattern.startswith("**", i - 1):
            i += 2 if pattern.startswith("/", i + 1) else 1
            out += "(?:.*/)?" if i < len(pattern) else ".*"
        elif char == "*":
            out += "[^/]*"
        elif char == "?":
            out += "[^/]"
        elif char == "[" and "]" in pattern[i:]:
            end = pattern.index("]", i)
            out += "[" + pattern[i:end] + "]"
            i = end + 1
        elif char == "\\" and i < len(pattern):
            out += re.escape(pattern[i])
            i += 1
        else:
            out += re.escape(char)
    return out


def _below(pattern: str, *, is_regex: bool = False) -> re.Pattern[str]:
    """Matches a path, or a folder above it."""
    text = pattern if is_regex else expression(pattern)
    return re.compile(f"(?:{text})(?:/.*)?", re.DOTALL)
