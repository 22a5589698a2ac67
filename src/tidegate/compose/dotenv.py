"""Files of variables (`.env`, `env_file`, `label_file`) as docker compose reads them.

Comments, `export`, `KEY: value`, quotes, escapes, values over several lines and interpolation;
a key alone takes its value from outside. `raw` is the format of `docker run --env-file`.
Sources: https://github.com/compose-spec/compose-go/blob/v2.9.1/dotenv/parser.go and
https://github.com/docker/cli/blob/v28.5.1/pkg/kvfile/kvfile.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tidegate.compose.files import Allowance
from tidegate.compose.nodes import NO_NAMES, Mark, Names, Node, fail
from tidegate.compose.variables import Lookup, Used, VariableError, substitute

_CODE = "env-file"
_SPACE = "\t\v\f\r \x85\xa0"
_ESCAPE = re.compile(r'\\(?:[abcfnrtv$"\\]|0[0-9]{0,3})')
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_KEY_MARKS = frozenset("_.-[]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One variable: its value, the line that gave it, and the variables put into it."""

    value: str
    at: Mark
    used: Names = NO_NAMES

    def node(self) -> Node:
        """As a node, for values that become part of the project."""
        return Node(self.value, self.at, self.at, self.used)


def parse(
    text: str, file: str, known: Mapping[str, Entry], lookup: Lookup, allowance: Allowance
) -> dict[str, Entry]:
    """The file's variables; `known` are earlier ones, which values may also refer to."""
    return _Parser(text.removeprefix("\ufeff"), file, known, lookup, allowance).parse()


def parse_raw(text: str, file: str, lookup: Lookup) -> dict[str, Entry]:
    """The variables of a `format: raw` file: no quotes, no interpolation."""
    found: dict[str, Entry] = {}
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        line = line.removesuffix("\r").lstrip()
        if not line or line.startswith("#"):
            continue
        at = (file, number, 1)
        key, equals, value = line.partition("=")
        if not key:
            fail(f"no variable name on line {line!r}", at, code=_CODE)
        if " " in key or "\t" in key:
            fail(f"variable {key!r} contains whitespace", at, code=_CODE)
        if equals:
            found[key] = Entry(value, at)
        elif (outside := lookup(key)) is not None:
            found[key] = Entry(outside, at, frozenset((key,)))
    return found


class _Parser:
    def __init__(
        self,
        text: str,
        file: str,
        known: Mapping[str, Entry],
        lookup: Lookup,
        allowance: Allowance,
    ) -> None:
        self.text = text
        self.file = file
        self.position = 0
        self.line = (0, 1)  # a position, and the line that it is in
        self.known: Mapping[str, Entry] = known
        self.outside = lookup
        self.allowance = allowance
        self.counted = allowance.lookup(self.lookup)
        self.found: dict[str, Entry] = {}

    def lookup(self, name: str) -> str | None:
        """What a reference means: the outside first, then what is known already."""
        value = self.outside(name)
        if value is not None:
            return value
        entry = self.found.get(name) or self.known.get(name)
        return None if entry is None else entry.value

    def mark(self, position: int) -> Mark:
        known, line = self.line if self.line[0] <= position else (0, 1)
        line += self.text.count("\n", known, position)
        self.line = (position, line)
        return self.file, line, position - (self.text.rfind("\n", 0, position) + 1) + 1

    def parse(self) -> dict[str, Entry]:
        while self.to_statement():
            start = self.position
            key, alone = self.key()
            if " " in key:
                hint = "write NAME=value, one to a line, and # before a remark"
                fail(f"key {key!r} contains a space", self.mark(start), code=_CODE, hint=hint)
            if alone:
                value = self.lookup(key)
                if value is not None:
                    self.found[key] = Entry(value, self.mark(start), frozenset((key,)))
                continue
            self.allowance.take_values(1, self.mark(start))
            used = Used()
            value = self.value(used)
            self.found[key] = Entry(value, self.mark(start), self.sources(used.names))
        return self.found

    def sources(self, names: set[str]) -> Names:
        """The outside variables behind names, of which some are defined in this very file."""
        outside: set[str] = set()
        for name in names:
            inside = self.found.get(name) or self.known.get(name)
            if self.outside(name) is None and inside is not None:
                outside |= inside.used
            else:
                outside.add(name)
        return frozenset(outside)

    def to_statement(self) -> bool:
        """Past blank space and comments; whether a statement follows."""
        while True:
            while self.position < len(self.text) and self.text[self.position].isspace():
                self.position += 1
            if self.position == len(self.text):
                return False
            if self.text[self.position] != "#":
                return True
            self.position = self.text.find("\n", self.position)
            if self.position < 0:
                return False

    def key(self) -> tuple[str, bool]:
        """The key, and whether it stands alone on its line."""
        exported = re.compile(r"export\s+").match(self.text, self.position)
        if exported:
            self.position += len("export")
            self.skip_space()
        start = self.position
        for position in range(start, len(self.text)):
            character = self.text[position]
            if character in _SPACE:
                continue
            if character in "=:\n":
                self.position = position + 1
                self.skip_space()
                return self.text[start:position].rstrip(), character == "\n"
            if character not in _KEY_MARKS and not (character.isalpha() or character.isnumeric()):
                line = self.text[start:].split("\n")[0]
                fail(
                    f"unexpected character {character!r} in variable name {line!r}",
                    self.mark(position),
                    code=_CODE,
                    hint="each line is KEY=value; quote values over several lines",
                )
        # A key that the file's end cuts off has no name and takes the rest as its value.
        if start == len(self.text):
            fail("a key is missing", self.mark(start), code=_CODE)
        return "", False

    def skip_space(self) -> None:
        while self.position < len(self.text) and self.text[self.position] in _SPACE:
            self.position += 1

    def value(self, used: Used) -> str:
        start = self.position
        quote = self.text[start : start + 1]
        if quote not in ("'", '"') or not quote:
            end = self.text.find("\n", start)
            line = self.text[start:] if end < 0 else self.text[start:end]
            self.position = len(self.text) if end < 0 else end + 1
            return self.expand(line.partition(" #")[0].rstrip(), start, used)
        content = self.quoted(quote)
        return content if quote == "'" else self.expand(_unescape(content), start, used)

    def quoted(self, quote: str) -> str:
        """What is between the quotes; a backslash before the quote is dropped."""
        start = self.position
        content: list[str] = []
        escaped = False
        position = start + 1
        while (character := self.text[position : position + 1]) != quote or escaped:
            if not character:
                fail("unterminated quoted value", self.mark(start), code=_CODE, hint=f"add {quote}")
            position += 1
            if character == "\\" and not escaped:
                escaped = True
                continue
            if escaped and character != quote:
                content.append("\\")
            escaped = False
            content.append(character)
        self.position = position + 1
        return "".join(content)

    def expand(self, value: str, start: int, used: Used) -> str:
        try:
            return substitute(value, self.counted, used)
        except VariableError as error:
            fail(str(error), self.mark(start), code=_CODE, hint=error.hint)


def _unescape(text: str) -> str:
    def character(found: re.Match[str]) -> str:
        escape = found[0][1:]
        if escape == "$":
            return "$$"
        if escape in _ESCAPES:
            return _ESCAPES[escape]
        if escape in ('"', "\\"):
            return escape
        octal = escape[1:]
        if len(octal) == 3 and set(octal) <= set("01234567") and int(octal, 8) < 256:
            return chr(int(octal, 8))
        return found[0]

    return _ESCAPE.sub(character, text)
