"""Numbers and other scalars as Go prints them (`fmt.Sprint`), for values that become text."""

from __future__ import annotations

import decimal
import math
import struct

from tidegate.compose.nodes import Node, Timestamp, Value


def sprint(value: Value) -> str:
    """A YAML value as Go's ``fmt.Sprint`` prints it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, list):
        return "[" + " ".join(sprint(item.value) for item in value) + "]"
    if isinstance(value, dict):
        pairs = (f"{key}:{sprint(value[key].value)}" for key in sorted(value))
        return "map[" + " ".join(pairs) + "]"
    if isinstance(value, Timestamp):
        return _time_text(value)
    return str(value)


def _time_text(value: Timestamp) -> str:
    """A time as Go prints it outside of JSON."""
    day, _, clock = value.rfc3339().partition("T")
    if clock.endswith("Z"):
        return f"{day} {clock[:-1]} +0000 UTC"
    zone = clock[-6:].replace(":", "")
    return f"{day} {clock[:-6]} {zone} {zone}"


def sprint_node(node: Node) -> Node:
    """The node with its value as text."""
    return node if isinstance(node.value, str) else node.become(sprint(node.value))


def float_text(value: float) -> str:
    """A 64-bit number in the fewest digits, with an exponent below 1e-4 and from 1e6 on."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    short = repr(value)
    sign, digits, power = decimal.Decimal(short).normalize().as_tuple()
    assert isinstance(power, int)
    exponent = len(digits) - 1 + power
    if exponent < -4 or exponent >= 6:
        text = "".join(map(str, digits))
        mantissa = text[0] + ("." + text[1:] if len(text) > 1 else "")
        return f"{'-' * sign}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    return short.removesuffix(".0")


def float32(value: float) -> float:
    """The number that prints as Go's nearest float32 does."""
    try:
        narrow = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    for precision in range(1, 10):
        short = float(f"{narrow:.{precision}g}")
        if struct.unpack("f", struct.pack("f", short))[0] == narrow:
            return short
    return float(narrow)
