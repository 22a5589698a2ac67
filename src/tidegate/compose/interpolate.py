"""Every text value of a file gets its variables, and some become numbers or booleans by place.

Keys are never interpolated. Source of the places and types:
https://github.com/compose-spec/compose-go/blob/v2.9.1/loader/interpolate.go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tidegate.compose.nodes import Mark, Node, Path, Value, dotted, fail
from tidegate.compose.variables import Lookup, Used, VariableError, substitute

Cast: TypeAlias = Callable[[str], Value]

_BOOLEANS = {
    **dict.fromkeys(("true", "y", "yes", "on"), True),
    **dict.fromkeys(("false", "n", "no", "off"), False),
}


def to_int(text: str) -> int:
    """A decimal number as Go's strconv.Atoi takes it."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"{text!r} is not a whole number")
    number = int(text[:40])
    if not -(2**63) <= number < 2**63:
        raise ValueError(f"{text!r} is out of range")
    return number


def to_float(text: str) -> float:
    """A number as Go's strconv.ParseFloat takes it."""
    if not text or text != text.strip() or "_" in text:
        raise ValueError(f"{text!r} is not a number")
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a number") from None


def to_bool(text: str) -> bool:
    """A boolean; also the words of YAML 1.1, where a boolean must stand."""
    try:
        return _BOOLEANS[text.lower()]
    except KeyError:
        raise ValueError(f"invalid boolean: {text!r}") from None


def _places() -> dict[str, Any]:
    update = {"parallelism": to_int, "max_failure_ratio": to_float}
    service: dict[str, Any] = {
        **dict.fromkeys(
            [
                "cpu_count",
                "cpu_period",
                "cpu_quota",
                "cpu_rt_period",
                "cpu_rt_runtime",
                "cpu_shares",
                "oom_score_adj",
                "pids_limit",
                "scale",
            ],
            to_int,
        ),
        **dict.fromkeys(("cpu_percent", "cpus"), to_float),
        **dict.fromkeys(
            ["init", "oom_kill_disable", "privileged", "read_only", "stdin_open", "tty"], to_bool
        ),
        "deploy": {
            "replicas": to_int,
            "update_config": update,
            "rollback_config": update,
            "restart_policy": {"max_attempts": to_int},
            "placement": {"max_replicas_per_node": to_int},
        },
        "healthcheck": {"retries": to_int, "disable": to_bool},
        "ports": {"[]": {"target": to_int}},
        "ulimits": {"*": {"": to_int, "hard": to_int, "soft": to_int}},
        "volumes": {"[]": {"read_only": to_bool, "volume": {"nocopy": to_bool}}},
    }
    network = dict.fromkeys(
        ["external", "internal", "attachable", "enable_ipv4", "enable_ipv6"], to_bool
    )
    external = {"*": {"external": to_bool}}
    return {
        "services": {"*": service},
        "networks": {"*": network},
        "volumes": external,
        "secrets": external,
        "configs": external,
    }


_PLACES = _places()


@dataclass(slots=True)
class Interpolation:
    """Replaces variables from one environment; remembers those without a value."""

    lookup: Lookup
    unset: dict[str, Mark] = field(default_factory=dict)

    def apply(self, root: Node) -> Node:
        """A new tree, nowhere shared with the old one; InputError for a bad expression."""
        return self._node(root, _PLACES, ())

    def _node(self, node: Node, places: Any, path: Path) -> Node:
        value = node.value
        if isinstance(value, str):
            return self._text(node, value, places, path)
        new: Value = value
        if isinstance(value, dict):
            below = places if isinstance(places, dict) else {}
            rest = below.get("*")
            new = {
                key: self._node(child, below.get(key, rest), (*path, key))
                for key, child in value.items()
            }
        elif isinstance(value, list):
            item = places.get("[]") if isinstance(places, dict) else None
            new = [self._node(child, item, (*path, i)) for i, child in enumerate(value)]
        return Node(new, node.at, node.key_at)

    def _text(self, node: Node, value: str, places: Any, path: Path) -> Node:
        used = Used()
        if "$" in value:
            try:
                value = substitute(value, self.lookup, used)
            except VariableError as error:
                fail(f"{dotted(path)}: {error}", node, code="compose-variable", hint=error.hint)
            for name in used.missing:
                self.unset.setdefault(name, node.at)
        cast: Cast | None = places.get("") if isinstance(places, dict) else places
        new: Value = value
        if cast is not None:
            try:
                new = cast(value)
            except ValueError as error:
                hint = "write true or false" if cast is to_bool else "as in 3, without a unit"
                fail(f"{dotted(path)}: {error}", node, code="compose-type", hint=hint)
        return Node(new, node.at, node.key_at, frozenset(used.names) if used.names else node.used)
