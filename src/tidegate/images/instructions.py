"""A Dockerfile as its instructions: continued lines joined, comments and here-documents out.

Tolerant: a word that no builder knows is an instruction, too.
Source: https://docs.docker.com/reference/dockerfile/ (Dockerfile syntax 1.14), for
here-documents github.com/moby/buildkit v0.20 frontend/dockerfile/parser/parser.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from tidegate.shapes import Row

_DIRECTIVE = r"#[ \t]*([A-Za-z][A-Za-z0-9]*)[ \t]*=[ \t]*(.+?)[ \t]*"
_DOCUMENT = r"(?:^|(?<=\s))\d*<<(-?)([\"']?)([A-Za-z_][\w.]*)\2(?=\s|$|[|;&)>])"
_TAKES_DOCUMENTS = frozenset({"ADD", "COPY", "RUN"})


class Instruction(Row):
    """Its word in capitals, what follows on one line, and the line that it begins at."""

    word: str
    rest: str
    line: int


@cache
def instructions(text: str) -> tuple[Instruction, ...]:
    """The instructions of a Dockerfile, in order."""
    return tuple(_instructions(text))


def _instructions(text: str) -> Iterator[Instruction]:
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    continued = re.compile(re.escape(_escape(lines)) + r"[ \t]*$")
    at = 0
    while at < len(lines):
        begin = at
        whole, at = _joined(lines, at, continued)
        word, _, rest = whole.strip().replace("\t", " ").partition(" ")
        if not word or word.startswith("#"):
            continue
        if word.upper() in _TAKES_DOCUMENTS:
            at = _after_documents(lines, at, rest)
        yield Instruction(word.upper(), rest.strip(), begin + 1)


def _escape(lines: list[str]) -> str:
    r"""What continues a line: ``\``, or what the parser directive ``escape`` says."""
    for line in lines:
        found = re.fullmatch(_DIRECTIVE, line) if line.startswith("#") else None
        if found is None:
            break
        if found[1].lower() == "escape":
            return found[2][0]
    return "\\"


def _joined(lines: list[str], at: int, continued: re.Pattern[str]) -> tuple[str, int]:
    """A line with those that continue it, and where the next one begins."""
    parts = [lines[at]]
    at += 1
    if parts[0].lstrip().startswith("#"):
        return parts[0], at
    while continued.search(parts[-1]) and at < len(lines):
        parts[-1] = continued.sub("", parts[-1])
        while at < len(lines) and (not lines[at].strip() or lines[at].lstrip().startswith("#")):
            at += 1
        if at < len(lines):
            parts.append(lines[at])
            at += 1
    return " ".join(parts), at


def _after_documents(lines: list[str], at: int, rest: str) -> int:
    """Where the instruction's here-documents have ended; one without an end is none."""
    for dash, _, name in re.findall(_DOCUMENT, rest) if "<<" in rest else ():
        for end in range(at, len(lines)):
            if (lines[end].lstrip("\t") if dash else lines[end]) == name:
                at = end + 1
                break
    return at
