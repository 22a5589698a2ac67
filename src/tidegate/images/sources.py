"""Which paths of its build contexts a Dockerfile takes: COPY, ADD, and bind mounts of RUN.

Every stage counts, whatever the target. In doubt more is taken: a source whose variable has no
known value takes its whole context, and so does a Dockerfile that takes nothing (its base may
have ONBUILD triggers).
Source: https://docs.docker.com/reference/dockerfile/ (Dockerfile syntax 1.14).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator, Mapping

from tidegate.images.instructions import Instruction, instructions
from tidegate.shapes import Row

MAIN = ""  # the name of the main context
_VARIABLE = r"\\\$|\$\{(\w+)(?::([-+])([^}]*))?\}|\$(\w+)"
_ELSEWHERE = ("http://", "https://", "ftp://", "git://", "ssh://", "git@", "<<")
_PAIR = r"(\w+)=((?:\"[^\"]*\"|'[^']*'|\\.|\S)*)"

Known = dict[str, "str | None"]


class Taken(Row):
    """``path`` of a context, with all that is below; it may be a pattern. ``why`` for people."""

    context: str
    path: str
    line: int
    why: str


class _Stages:
    """The variables of the stage at hand; None is a value that cannot be known here."""

    def __init__(self, given: Mapping[str, str | None]) -> None:
        self.given = given
        self.outside: Known = {}  # ARG before the first FROM
        self.inside: Known = {}
        self.named: dict[str, Known] = {}
        self.count = 0

    def begin(self, rest: str) -> None:
        """FROM: a stage on top of an earlier one has its variables."""
        words = [word for word in rest.split() if not word.startswith("--")]
        self.inside = dict(self.named.get(words[0].lower(), {})) if words else {}
        if len(words) == 3:
            self.named[words[2].lower()] = self.inside
        self.count += 1

    def declare(self, rest: str) -> None:
        """ARG, before a stage or in it."""
        known = self.inside if self.count else self.outside
        for word in rest.split():
            name, equals, default = word.partition("=")
            value = self.outside.get(name) if self.count else None
            if equals:
                value = expanded(default, known)
            known[name] = self.given.get(name, value)

    def set(self, rest: str) -> None:
        """ENV, in both its forms."""
        pairs = re.findall(_PAIR, rest) or [rest.partition(" ")[::2]]
        values = {name: expanded(value, self.inside) for name, value in pairs}
        self.inside.update(values)


def taken(
    text: str, arguments: Mapping[str, str | None], contexts: Collection[str] = ()
) -> tuple[Taken, ...]:
    """What is taken, in the order of the Dockerfile; ``contexts`` names the additional ones."""
    stages = _Stages(arguments)
    found: list[Taken] = []
    for instruction in instructions(text):
        match instruction.word:
            case "FROM":
                stages.begin(instruction.rest)
            case "ARG":
                stages.declare(instruction.rest)
            case "ENV":
                stages.set(instruction.rest)
            case "COPY" | "ADD":
                found += _copied(instruction, stages.inside, contexts)
            case "RUN":
                found += _mounted(instruction, stages.inside, contexts)
    if not any(one.context == MAIN for one in found):
        found.append(Taken(MAIN, "", 1, "copies nothing by name, so its whole context counts"))
    return tuple(found)


def expanded(text: str, known: Known) -> str | None:
    """A word with its variables replaced and without quotes; None where one is not known."""
    failed = False

    def value(found: re.Match[str]) -> str:
        nonlocal failed
        if found[0] == "\\$":
            return "$"
        current = known.get(found[1] or found[4])
        if current is None:
            failed = True
            return ""
        if found[2] == "-":
            return current or found[3]
        return (found[3] if current else "") if found[2] == "+" else current

    result = re.sub(_VARIABLE, value, text) if "$" in text else text
    if failed or ("$" in result and "\\$" not in text):
        return None
    return result.replace('"', "").replace("'", "")


def _copied(one: Instruction, known: Known, contexts: Collection[str]) -> Iterator[Taken]:
    flags, words = _words(one.rest)
    context = flags.get("from", MAIN)
    if context != MAIN and context not in contexts:
        return  # a stage or an image
    for word in words[:-1]:
        if not word.startswith(_ELSEWHERE):
            yield _source(one, word, known, context)


def _mounted(one: Instruction, known: Known, contexts: Collection[str]) -> Iterator[Taken]:
    for mount in re.findall(r"--mount=(\S+)", one.rest) if "--mount=" in one.rest else ():
        options = dict(re.findall(_PAIR, mount.replace(",", " ")))
        context = options.get("from", MAIN)
        if options.get("type", "bind") == "bind" and (context == MAIN or context in contexts):
            source = options.get("source") or options.get("src") or "."
            yield _source(one, source, known, context)


def _source(one: Instruction, word: str, known: Known, context: str) -> Taken:
    said = f"{one.word} {word}" if one.word != "RUN" else f"RUN --mount of {word}"
    path = expanded(word, known)
    if path is None:
        why = f"{said} holds a variable of unknown value, so the whole context counts"
        return Taken(context, "", one.line, why)
    path = posixpath.normpath("/" + path).lstrip("/")
    return Taken(context, path, one.line, said)


def _words(rest: str) -> tuple[dict[str, str], list[str]]:
    """The flags and the other words of COPY or ADD, in its JSON form, too."""
    flags: dict[str, str] = {}
    while rest.startswith("--"):
        word, _, rest = rest.partition(" ")
        name, _, value = word[2:].partition("=")
        flags[name] = value
        rest = rest.lstrip()
    if rest.startswith("["):
        try:
            import json  # 3 ms, for this only

            return flags, [str(word) for word in json.loads(rest)]
        except ValueError:
            pass  # a pattern such as [ab].txt
    return flags, rest.split()
