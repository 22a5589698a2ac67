"""YAML text becomes trees of nodes, with places, bounded aliases and `!reset` and `!override`.

libyaml finds the events; scalars are read as go-yaml does (:mod:`tidegate.compose.scalars`).
Duplicate keys, keys that are not text, cycles, more than 100 levels and too many values are
errors. Source of the two tags:
https://github.com/compose-spec/compose-spec/blob/main/13-merge.md#reset-value.
"""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from tidegate.compose.files import Allowance, Source
from tidegate.compose.nodes import Mark, Node, fail
from tidegate.compose.scalars import ScalarError, resolve
from tidegate.shapes import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_DEPTH = 100

_CODE = "compose-yaml"


@record(frozen=True, slots=True)
class Document:
    """One YAML document, and the paths whose earlier values it discards."""

    root: Node
    discarded: tuple[tuple[str, ...], ...]


def read(source: Source, allowance: Allowance) -> Iterator[Document]:
    """The documents of a file; InputError with its place for anything that is not YAML."""
    file = source.name
    try:
        yield from _Reader(source.text, file, allowance).documents()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = (file, mark.line + 1, mark.column + 1) if mark else (file, 0, 0)
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        fail(f"not valid YAML: {problem}", at, code=_CODE, hint=_hint(problem))
    except yaml.reader.ReaderError as error:
        line = source.text.count("\n", 0, error.position) + 1
        sign = error.character  # a number where libyaml says it, a letter where Python does
        number = sign if isinstance(sign, int) else ord(sign)
        problem = f"the character #x{number:04x} cannot be in it"
        hint = 'remove it, or write it as an escape in double quotes, as in "\\x1b"'
        fail(f"not valid YAML: {problem}", (file, line, 0), code=_CODE, hint=hint)
    except yaml.YAMLError as error:
        fail(f"not valid YAML: {error}".splitlines()[0], (file, 0, 0), code=_CODE)


def _hint(problem: str) -> str:
    if "tab" in problem or "cannot start any token" in problem:
        return "indent with spaces, and quote values that begin with @, ` or %"
    if "mapping values" in problem:
        return "quote values that contain ': '"
    if "alias" in problem:
        return "define the anchor (&name) before its alias (*name)"
    return "check the indentation and the quotes around this line"


class _Reader:
    """One pass over a file's events; anchors live as long as the file, as in go-yaml."""

    def __init__(self, text: str, file: str, allowance: Allowance) -> None:
        self.file = file
        self.allowance = allowance
        self.parser: Any = yaml.CSafeLoader(text)
        self.anchors: dict[str, tuple[Node, int] | None] = {}
        self.discarded: list[tuple[str, ...]] = []
        self.path: list[str] = []
        self.values = 0

    def documents(self) -> Iterator[Document]:
        """Each document; empty text has none."""
        while True:
            event = self.parser.get_event()
            if isinstance(event, yaml.StreamEndEvent):
                return
            if isinstance(event, yaml.DocumentStartEvent):
                self.discarded = []
                root = self.node(self.parser.get_event())
                yield Document(root or Node({}, (self.file, 1, 1)), tuple(self.discarded))

    def node(self, event: Any) -> Node | None:
        """The value that an event begins; None where it is discarded by ``!reset``."""
        start = event.start_mark
        at = (self.file, start.line + 1, start.column + 1)
        kind = type(event)
        if kind is yaml.ScalarEvent and event.anchor is None and event.tag is None:
            self.count(1, at)
            return Node(resolve(event.value, None, plain=event.implicit[0]), at)
        if kind is yaml.AliasEvent:
            return self.alias(event.anchor, at)
        if len(self.path) > MAX_DEPTH:
            hint = "nothing that Tidegate reads is nested so deep; is a bracket left open?"
            fail(f"more than {MAX_DEPTH} levels of nesting", at, code=_CODE, hint=hint)
        self.count(1, at)
        first = self.values
        if event.anchor:
            self.anchors[event.anchor] = None
        if event.tag in ("!reset", "!override"):
            self.discarded.append(tuple(self.path))
        if kind is yaml.ScalarEvent:
            found = self.scalar(event, at)
        elif kind is yaml.SequenceStartEvent:
            found = Node(self.sequence(), at)
        else:
            found = Node(self.mapping(), at)
        if event.anchor:
            self.anchors[event.anchor] = (found, self.values - first + 1)
        return None if event.tag == "!reset" else found

    def alias(self, name: str | None, at: Mark) -> Node:
        """The anchored value; it is shared, so nobody changes what this module returns."""
        if name is None or name not in self.anchors:
            fail(f"unknown anchor {name!r}", at, code=_CODE, hint="define &name before *name")
        anchored = self.anchors[name]
        if anchored is None:
            fail(f"anchor {name!r} contains itself", at, code="compose-cycle")
        self.count(anchored[1], at)
        return anchored[0]

    def count(self, values: int, at: Mark) -> None:
        """Bounds what aliases can grow to."""
        self.values += values
        self.allowance.take_values(values, at)

    def scalar(self, event: Any, at: Mark) -> Node:
        """A scalar; one with a tag of its own is text."""
        try:
            return Node(resolve(event.value, event.tag, plain=event.implicit[0]), at)
        except ScalarError as error:
            fail(str(error), at, code=_CODE)

    def sequence(self) -> list[Node]:
        """The items up to the end of the sequence."""
        found: list[Node] = []
        self.path.append("")
        number = 0
        while type(event := self.parser.get_event()) is not yaml.SequenceEndEvent:
            self.path[-1] = str(number)
            item = self.node(event)
            number += 1
            if item is not None:
                found.append(item)
        self.path.pop()
        return found

    def mapping(self) -> dict[str, Node]:
        """The entries up to the end of the mapping; merged keys never replace written ones."""
        found: dict[str, Node] = {}
        lines: dict[str, int] = {}
        merged: Node | None = None
        while type(event := self.parser.get_event()) is not yaml.MappingEndEvent:
            key, key_at, is_merge = self.key(event)
            if key in lines:
                fail(
                    f"duplicate key {key!r}, already defined at line {lines[key]}",
                    key_at,
                    code="compose-duplicate-key",
                    hint="remove one of the two",
                )
            lines[key] = key_at[1]
            if not is_merge:
                self.path.append(key)
            value = self.node(self.parser.get_event())
            if not is_merge:
                self.path.pop()
            if value is None:
                continue
            if is_merge:
                merged = value
            else:
                found[key] = Node(value.value, value.at, key_at)
        if merged is not None:
            self.merge(found, merged)
        return found

    def key(self, event: Any) -> tuple[str, Mark, bool]:
        """A key's text and place, and whether it is the merge key."""
        start = event.start_mark
        at = (self.file, start.line + 1, start.column + 1)
        if isinstance(event, yaml.AliasEvent):
            key = self.alias(event.anchor, at).value
        elif isinstance(event, yaml.ScalarEvent):
            if event.value == "<<" and (
                event.implicit[0] or event.tag == "tag:yaml.org,2002:merge"
            ):
                return "<<", at, True
            node = self.scalar(event, at)
            if event.anchor:
                self.anchors[event.anchor] = (node, 1)
            key = node.value
        else:
            fail("a key must be text", at, code=_CODE, hint="quote it")
        if not isinstance(key, str):
            fail(f"non-string key {event.value!r}", at, code="compose-key", hint="quote the key")
        return key, at, False

    def merge(self, into: dict[str, Node], source: Node) -> None:
        """``<<``: a mapping or a list of them, of which earlier ones win."""
        sources = source.value if isinstance(source.value, list) else [source]
        for one in sources:
            if not isinstance(one.value, dict):
                fail(
                    "a merge key (<<) needs a mapping or a list of mappings",
                    one,
                    code=_CODE,
                    hint="<<: *anchor, or <<: [*one, *other]",
                )
            for key, value in one.value.items():
                into.setdefault(key, value)
