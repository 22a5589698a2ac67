"""Whether a project has the shape of the Compose Specification, and where it has not.

The rules are the JSON schema of compose-go 2.9.1, without its descriptions
(https://github.com/compose-spec/compose-go/blob/v2.9.1/schema/compose-spec.json, Apache-2.0),
compiled once. A right project costs one fast pass; only a wrong one is looked at for the reason.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from tidegate.compose.nodes import Mark, Node, Path, Timestamp, dotted, fail, plain

_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool))
        or (isinstance(value, float) and value.is_integer())
    ),
}
_PLAIN_NAMES = {"object": "a mapping", "array": "a list", "string": "text", "null": "nothing"}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at one place; the deeper one says more."""

    depth: int
    message: str
    at: Mark
    hint: str = ""
    wanted: tuple[str, ...] = ()
    unknown: str = ""
    known: Collection[str] = ()

    def advice(self) -> str:
        """The hint; for an unknown key, the key that was meant."""
        if not self.unknown:
            return self.hint
        close = difflib.get_close_matches(self.unknown, self.known, n=1, cutoff=0.6)
        if close:
            return f"did you mean {close[0]!r}?"
        if self.known:
            return "keys of your own begin with x-"
        return "use letters, digits, '.', '_' and '-'"


@dataclass(slots=True)
class Rule:
    """One compiled schema; empty fields ask for nothing."""

    types: tuple[str, ...] = ()
    tests: tuple[Callable[[Any], bool], ...] = ()
    properties: dict[str, Rule] = field(default_factory=dict)
    patterns: list[tuple[Callable[[str], Any], Rule]] = field(default_factory=list)
    closed: bool = False
    others: Rule | None = None
    required: tuple[str, ...] = ()
    item: Rule | None = None
    distinct: bool = False
    enum: tuple[Any, ...] = ()
    pattern: re.Pattern[str] | None = None
    minimum: float | None = None
    maximum: float | None = None
    choices: list[Rule] = field(default_factory=list)
    same_as: Rule | None = None

    def ok(self, node: Node) -> bool:
        """Whether the node follows the rule."""
        value = node.value
        if self.same_as is not None and not self.same_as.ok(node):
            return False
        if self.tests and not any(test(value) for test in self.tests):
            return False
        if isinstance(value, dict):
            if not self._mapping_ok(value):
                return False
        elif isinstance(value, list):
            if self.item is not None and not all(map(self.item.ok, value)):
                return False
            if self.distinct and _repeated(value) is not None:
                return False
        elif not self._scalar_ok(value):
            return False
        return not self.choices or sum(choice.ok(node) for choice in self.choices) == 1

    def _mapping_ok(self, value: dict[str, Node]) -> bool:
        if any(key not in value for key in self.required):
            return False
        for key, child in value.items():
            rules = list(self.for_key(key))
            if not rules and self.closed:
                return False
            if not all(rule.ok(child) for rule in rules):
                return False
        return True

    def _scalar_ok(self, value: Any) -> bool:
        if self.enum and not any(value == one and type(value) is type(one) for one in self.enum):
            return False
        if self.pattern is not None and isinstance(value, str) and not self.pattern.search(value):
            return False
        if isinstance(value, bool) or not isinstance(value, int | float):
            return True
        return (self.minimum is None or value >= self.minimum) and (
            self.maximum is None or value <= self.maximum
        )

    def for_key(self, key: str) -> Iterator[Rule]:
        """The rules for a key's value; none where the key is not foreseen."""
        found = False
        if key in self.properties:
            found = True
            yield self.properties[key]
        for matches, rule in self.patterns:
            if matches(key):
                found = True
                yield rule
        if not found and self.others is not None:
            yield self.others

    def problems(self, node: Node, path: Path) -> Iterator[Problem]:
        """Everything that is wrong, this node's own problems first."""
        value = node.value
        if self.same_as is not None:
            yield from self.same_as.problems(node, path)
        if self.tests and not any(test(value) for test in self.tests):
            yield _type_problem(node, path, self.types)
        elif isinstance(value, dict):
            yield from self._mapping_problems(node, value, path)
        elif isinstance(value, list):
            yield from self._list_problems(node, value, path)
        elif not self._scalar_ok(value):
            yield Problem(len(path), f"{dotted(path)} {self._range()}", node.at)
        if self.choices:
            yield from self._choice_problems(node, path)

    def _range(self) -> str:
        if self.enum:
            return "must be one of " + ", ".join(map(str, self.enum))
        if self.pattern is not None:
            return f"must match {self.pattern.pattern}"
        if self.minimum is not None and self.maximum is not None:
            return f"must be between {self.minimum} and {self.maximum}"
        return f"must be at least {self.minimum}"

    def _mapping_problems(
        self, node: Node, value: dict[str, Node], path: Path
    ) -> Iterator[Problem]:
        for key in self.required:
            if key not in value:
                yield Problem(
                    len(path), f"{dotted(path)}: {key!r} is missing", node.key_at or node.at
                )
        for key, child in value.items():
            rules = list(self.for_key(key))
            if not rules and self.closed:
                yield self._unknown(key, child, path)
            for rule in rules:
                yield from rule.problems(child, (*path, key))

    def _unknown(self, key: str, child: Node, path: Path) -> Problem:
        inside = f" in {dotted(path)}" if path else ""
        return Problem(
            len(path) + 1,
            f"unknown key {key!r}{inside}",
            child.key_at or child.at,
            unknown=key,
            known=self.properties,
        )

    def _list_problems(self, node: Node, value: list[Node], path: Path) -> Iterator[Problem]:
        if self.item is not None:
            for position, item in enumerate(value):
                yield from self.item.problems(item, (*path, position))
        repeated = _repeated(value) if self.distinct else None
        if repeated is not None:
            yield Problem(
                len(path),
                f"{dotted(path)} has an entry twice: {plain(repeated)!r}",
                repeated.at or node.at,
                "remove one of them",
            )

    def _choice_problems(self, node: Node, path: Path) -> Iterator[Problem]:
        matching = [choice for choice in self.choices if choice.ok(node)]
        if len(matching) == 1:
            return
        if matching:
            yield Problem(len(path), f"{dotted(path)} can be read in two ways", node.at)
            return
        found = [problem for choice in self.choices for problem in choice.problems(node, path)]
        deepest = max(problem.depth for problem in found)
        best = [problem for problem in found if problem.depth == deepest]
        wanted = tuple(dict.fromkeys(name for problem in best for name in problem.wanted))
        if deepest == len(path) and all(problem.wanted for problem in best):
            yield _type_problem(node, path, wanted)
        else:
            yield min(best, key=lambda problem: bool(problem.wanted))


def _type_problem(node: Node, path: Path, types: tuple[str, ...]) -> Problem:
    names = [_PLAIN_NAMES.get(name, f"a {name}".replace("a i", "an i")) for name in types]
    wanted = names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]
    value = node.value
    hint = ""
    if isinstance(value, Timestamp) or (
        "string" in types and isinstance(value, bool | int | float)
    ):
        hint = "quote the value"
    return Problem(len(path), f"{dotted(path)} must be {wanted}", node.at, hint, types)


def _repeated(items: list[Node]) -> Node | None:
    seen: set[str] = set()
    for item in items:
        text = json.dumps(plain(item), sort_keys=True, default=str)
        if text in seen:
            return item
        seen.add(text)
    return None


def _compile(schema: dict[str, Any], known: dict[str, Rule]) -> Rule:
    rule = Rule()
    if "$ref" in schema:
        rule.same_as = known[schema["$ref"].rpartition("/")[2]]
    types = schema.get("type", ())
    rule.types = (types,) if isinstance(types, str) else tuple(types)
    rule.tests = tuple(_TYPES[name] for name in rule.types)
    for key, below in schema.get("properties", {}).items():
        rule.properties[key] = _compile(below, known)
    for pattern, below in schema.get("patternProperties", {}).items():
        rule.patterns.append((re.compile(pattern).search, _compile(below, known)))
    others = schema.get("additionalProperties", True)
    rule.closed = others is False
    if isinstance(others, dict):
        rule.others = _compile(others, known)
    elif others:
        rule.others = _ANYTHING
    rule.required = tuple(schema.get("required", ()))
    rule.item = _compile(schema["items"], known) if "items" in schema else None
    rule.distinct = schema.get("uniqueItems", False)
    rule.enum = tuple(schema.get("enum", ()))
    rule.pattern = re.compile(schema["pattern"]) if "pattern" in schema else None
    rule.minimum, rule.maximum = schema.get("minimum"), schema.get("maximum")
    rule.choices = [_compile(below, known) for below in schema.get("oneOf", ())]
    return rule


_ANYTHING = Rule()


@cache
def _project_rule() -> Rule:
    text = resources.files("tidegate.compose").joinpath("compose-spec.json").read_text("utf-8")
    schema = json.loads(text)
    known = {name: Rule() for name in schema["definitions"]}
    for name, definition in schema["definitions"].items():
        compiled = _compile(definition, known)
        for slot in Rule.__slots__:
            setattr(known[name], slot, getattr(compiled, slot))
    return _compile(schema, known)


def validate(root: Node) -> None:
    """InputError at the deepest place that the specification does not allow."""
    rule = _project_rule()
    if rule.ok(root):
        return
    problem = max(rule.problems(root, ()), key=lambda found: found.depth)
    code = "compose-unknown-key" if problem.unknown else "compose-schema"
    fail(problem.message, problem.at, code=code, hint=problem.advice())
