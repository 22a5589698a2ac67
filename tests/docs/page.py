"""A page of the documents as what its reader does: files written, commands typed, in order. Pure.

A fenced block with a title is a file, one of the language `console` a terminal: a line after `$ `
is typed, and goes on while lines end with a backslash; the others are what is shown. What stands
before the `$` is the login of a server. `# exit code 3` says how a command ends. A terminal with a
title is another one, whose commands run beside the rest until a line `^C`: so long none may end.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace

FENCE = re.compile(r'^```(?P<language>\w*)(?:\s+title="(?P<title>[^"]+)")?\s*$')
PROMPT = re.compile(r"^(?P<login>\S+@\S+)?\$ (?P<text>.*)$")
EXIT_CODE = re.compile(r"#.*\bexit code (\d+)")
OURS = ("tidegate", "tidegate-host", "./scripts/prove")
INLINE = re.compile(rf"(?<!`)`((?:{'|'.join(map(re.escape, OURS))}) [^`]+)`(?!`)")
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
OPERATOR = re.compile(r"[;&|()<>]+")
NOT_OURS = ("sudo", "-E", "then", "do", "!", "time")


@dataclass(frozen=True, slots=True)
class File:
    """A file that the reader writes."""

    line: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command that the reader types, here or on a server, and what comes of it."""

    line: int
    text: str
    login: str = ""
    code: int = 0
    shown: tuple[str, ...] = ()
    beside: bool = False

    @property
    def bare(self) -> str:
        """What is typed, without the remark at its end."""
        return self.text.partition("  #")[0].strip()


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Ctrl-C in the other terminal."""

    line: int


Step = File | Command | Interrupt


def steps(text: str) -> list[Step]:
    """What the reader of a page does."""
    found: list[Step] = []
    for line, language, title, body in blocks(text):
        if language == "console":
            found += _typed(line, body, beside=bool(title))
        elif title:
            found.append(File(line, title, "".join(f"{one}\n" for one in body)))
    return found


def blocks(text: str) -> Iterator[tuple[int, str, str, list[str]]]:
    """Each fenced block: the number of its first line, its language, its title and its lines."""
    opened = None
    for number, line in enumerate(text.splitlines(), start=1):
        fence = FENCE.match(line)
        if opened is None and fence:
            opened = number + 1, fence["language"], fence["title"] or "", list[str]()
        elif opened is not None and line.rstrip() == "```":
            yield opened
            opened = None
        elif opened is not None:
            opened[3].append(line)


def _typed(first: int, body: list[str], *, beside: bool) -> list[Step]:
    found: list[Step] = []
    unfinished = False
    for number, line in enumerate(body, start=first):
        last, prompt = found[-1] if found else None, PROMPT.match(line)
        if unfinished and isinstance(last, Command):
            text = f"{last.text}\n{line}"
            found[-1] = replace(last, text=text, code=_code(text))
        elif prompt:
            text, login = prompt["text"], prompt["login"] or ""
            found.append(Command(number, text, login, _code(text), (), beside))
        elif line.strip() == "^C":
            found.append(Interrupt(number))
        elif isinstance(last, Command):
            found[-1] = replace(last, shown=(*last.shown, line))
        elif line.strip():
            raise ValueError(f"line {number}: shown before anything was typed: {line}")
        unfinished = line.endswith("\\") and (unfinished or bool(prompt))
    return found


def _code(text: str) -> int:
    ends = EXIT_CODE.search(text)
    return int(ends[1]) if ends else 0


def missing(shown: tuple[str, ...], said: str) -> str:
    """The first line that a page shows and a command did not say, in this order; else nothing.

    Numbers and digests differ from run to run, and `…` stands for anything.
    """
    lines = iter([_plain(line) for line in said.splitlines()])
    for line in filter(str.strip, shown):
        pattern = ".*".join(re.escape(part) for part in _plain(line).split("…"))
        if not any(re.fullmatch(pattern, one) for one in lines):
            return line
    return ""


def _plain(line: str) -> str:
    text = ESCAPE.sub("", line)
    text = re.sub(r"\b(?=[0-9a-f]*[0-9])[0-9a-f]{7,64}\b", "#", text)
    return " ".join(re.sub(r"[0-9]+(\.[0-9]+)*", "0", text).split())


@dataclass(frozen=True, slots=True)
class Invocation:
    """One of our programs with its words: typed, or only named in a line of prose."""

    line: int
    words: list[str]
    typed: bool


def invocations(text: str) -> list[Invocation]:
    """Every one of a page."""
    found = []
    for step in steps(text):
        if isinstance(step, Command):
            found += [Invocation(step.line, words, True) for words in simple(step.text)]
    for number, line in enumerate(prose(text), start=1):
        for span in INLINE.findall(line):
            found += [Invocation(number, words, False) for words in simple(span)]
    return [one for one in found if one.words and one.words[0] in OURS]


def prose(text: str) -> list[str]:
    """The lines of a page outside of fenced blocks; the others are empty."""
    lines = text.splitlines()
    for first, _, _, body in blocks(text):
        lines[first - 1 : first - 1 + len(body)] = [""] * len(body)
    return lines


def simple(command: str) -> list[list[str]]:
    """The simple commands of a shell line: cut at operators, without redirections and sudo."""
    lexer = shlex.shlex(command.replace("\\\n", " "), posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, "#"
    found: list[list[str]] = [[]]
    redirected = False
    for word in lexer:
        if redirected:
            redirected = False
        elif OPERATOR.fullmatch(word):
            redirected = word[0] in "<>"
            if not redirected:
                found.append([])
        else:
            found[-1].append(word)
    return [_own(words) for words in found if words]


def _own(words: list[str]) -> list[str]:
    while words and (words[0] in NOT_OURS or re.match(r"[A-Za-z_]\w*=", words[0])):
        words = words[1:]
    return words
