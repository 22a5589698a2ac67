"""What systemd hands to podman, and how podman reads it: written without the code under test.

Sources: systemd 257 src/basic/extract-word.c, escape.c and src/core/load-fragment.c
(config_parse_exec); podman v5.4.2 pkg/specgenutil/specgen.go.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "s": " "}
# podman's options that take no value.
BARE = frozenset(
    {"--replace", "--rm", "-d", "--init", "--read-only", "--privileged", "--tty", "--interactive"}
    | {"--oom-kill-disable", "--ignore", "--internal", "--ipv6"}
)


def podman_argv(service: str, key: str = "ExecStart") -> list[str]:
    """The argv of a generated unit's ``ExecStart=``, as systemd 257 hands it to podman."""
    (line,) = commands(service, key)
    return line


def commands(service: str, key: str) -> list[list[str]]:
    """The argv of each line of a key."""
    start = f"{key}="
    lines = [line for line in service.split("\n") if line.startswith(start)]
    return [split(line.removeprefix(start)) for line in lines]


def split(line: str) -> list[str]:
    """systemd's own splitting: quotes, C escapes, then ``%%``, ``%i`` and ``$$``.

    ``%i`` is nothing in a unit that is no instance. Any other specifier but ``%%`` is kept; an
    unquoted ``;`` of its own is an error.
    """
    found: list[str] = []
    raw: list[bool] = []
    position = 0
    while position < len(line):
        if line[position] in " \t\n\r":
            position += 1
            continue
        word, quoted, position = _word(line, position)
        found.append(word)
        raw.append(quoted)
    assert not any(w == ";" and not q for w, q in zip(found, raw, strict=True)), "two commands"
    return [_expanded(word).replace("$$", "$") for word in found]


def _expanded(word: str) -> str:
    parts = word.split("%%")
    return "%".join(part.replace("%i", "") for part in parts)


def _word(line: str, position: int) -> tuple[str, bool, int]:
    word, quote, quoted = "", "", False
    while position < len(line):
        char = line[position]
        if char == "\\":
            text, position = _escape(line, position + 1)
            word += text
            continue
        if quote:
            quote, word = ("", word) if char == quote else (quote, word + char)
        elif char in "\"'":
            quote, quoted = char, True
        elif char in " \t\n\r":
            break
        else:
            word += char
        position += 1
    assert not quote, f"unbalanced quotes in {line!r}"
    return word, quoted, position


def _escape(line: str, position: int) -> tuple[str, int]:
    char = line[position]
    if char in ESCAPES:
        return ESCAPES[char], position + 1
    if char in "\\\"'":
        return char, position + 1
    assert char == "x", f"systemd knows no escape \\{char}"
    return chr(int(line[position + 1 : position + 3], 16)), position + 3


def parts(
    argv: Sequence[str], verb: Sequence[str] = ("run",)
) -> tuple[list[tuple[str, str]], list[str]]:
    """podman's options as pairs, global ones first, and the words after them: image, command.

    ``--a=b`` and ``--a b`` are the same.
    """
    pairs: list[tuple[str, str]] = []
    index, verbs = 1, list(verb)
    while index < len(argv):
        word = argv[index]
        if verbs and word == verbs[0]:
            index += 1
            verbs.pop(0)
            continue
        if not word.startswith("-"):
            break
        name, equals, value = word.partition("=")
        if not equals and name not in BARE:
            index += 1
            value = argv[index]
        pairs.append((name, value))
        index += 1
    return pairs, list(argv[index:])


def options(argv: Sequence[str]) -> list[tuple[str, str]]:
    """podman run's options as pairs, and the words after them under no name."""
    pairs, words = parts(argv)
    return [*pairs, *(("", word) for word in words)]


def health_command(text: str) -> list[str]:
    """What podman makes of ``--health-cmd``: MakeHealthCheckFromCli, in Python."""
    array = True
    try:
        words = json.loads(text)
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ValueError
    except ValueError:
        words, array = text.split(" ", 1), False
    first = words[0].upper()
    if first in ("CMD", "NONE"):
        return text.split()
    if first == "CMD-SHELL":
        return [str(word) for word in words]
    if array and len(words) > 1:
        return ["CMD", *words]
    return ["CMD-SHELL", " ".join(words)]
