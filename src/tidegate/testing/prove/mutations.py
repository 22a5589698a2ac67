"""Seeded small damages to compose files: what people mistype, and what nobody would."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

ODD_VALUES = (
    "",
    "null",
    "~",
    "true",
    "no",
    "0",
    "-1",
    "1.5",
    "1e3",
    "0o17",
    "99999999999999999999",
    ".inf",
    "2020-01-01",
    "''",
    "[]",
    "{}",
    "[1, a, {b: c}]",
    "{a: 1, b: }",
    "[[]]",
    "$X",
    "${X:-a${Y}}",
    "${",
    "$$",
    "!reset",
    "!override [a]",
    "&a b",
    "*a",
    "|",
    "80:80",
    "a=b",
    "1g",
    "1d",
    "service:web",
    "/a:/b:ro",
)
KEYS = [
    "image",
    "build",
    "command",
    "environment",
    "ports",
    "volumes",
    "networks",
    "depends_on",
    "deploy",
    "healthcheck",
    "env_file",
    "labels",
    "extends",
    "configs",
    "secrets",
    "ulimits",
    "devices",
    "dns",
    "extra_hosts",
    "logging",
    "sysctls",
    "tmpfs",
    "expose",
    "profiles",
    "links",
    "restart",
    "init",
    "cpus",
    "mem_limit",
    "scale",
    "container_name",
    "network_mode",
    "x-y",
    "develop",
    "gpus",
]
_VALUE = re.compile(r"(?<=[:\-] )\S.*$|(?<=:)$", re.MULTILINE)


def mutate(text: str, chance: random.Random, others: Sequence[str] = ()) -> str:
    """The text with one to three damages, mostly one: two or three rarely load."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        text = chance.choice(_DAMAGES)(text, chance)
        if others and chance.random() < 0.05:
            text += "\n" + chance.choice(others)
    return text


def _lines(change: Callable[[list[str], int, random.Random], None]) -> Callable[..., str]:
    def damage(text: str, chance: random.Random) -> str:
        lines = text.split("\n")
        change(lines, chance.randrange(len(lines)), chance)
        return "\n".join(lines)

    return damage


def _drop(lines: list[str], at: int, _chance: random.Random) -> None:
    del lines[at]
    lines.append("")


def _repeat(lines: list[str], at: int, chance: random.Random) -> None:
    lines.insert(chance.randrange(len(lines)), lines[at])


def _indent(lines: list[str], at: int, chance: random.Random) -> None:
    lines[at] = " " * chance.randrange(5) + lines[at].removeprefix("  ")


def _rename(lines: list[str], at: int, chance: random.Random) -> None:
    lines[at] = re.sub(r"[\w-]+(?=:( |$))", chance.choice(KEYS), lines[at], count=1)


def _add(lines: list[str], at: int, chance: random.Random) -> None:
    blank = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    lines.insert(at, f"{blank}{chance.choice(KEYS)}: {chance.choice(ODD_VALUES)}")


def _value(text: str, chance: random.Random) -> str:
    places = list(_VALUE.finditer(text))
    if not places:
        return text
    place = chance.choice(places)
    value = chance.choice(ODD_VALUES)
    return f"{text[: place.start()]}{'' if place[0] else ' '}{value}{text[place.end() :]}"


def _character(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text) + 1)
    odd = chance.choice("{}[]:#&*!|>'\"%@`\t\n\\$-, \x00\ud7ffé")
    return text[:at] + odd + text[at + chance.randrange(2) :]


def _cut(text: str, chance: random.Random) -> str:
    return text[: chance.randrange(len(text) + 1)]


_DAMAGES: tuple[Callable[[str, random.Random], str], ...] = (
    *map(_lines, (_drop, _repeat, _indent, _rename, _rename, _add, _add)),
    _value,
    _value,
    _value,
    _character,
    _cut,
)
