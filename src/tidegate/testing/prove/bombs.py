"""Compose files that are made to grow, to nest or to repeat without end, each by one trick.

Each bomb is a function, so that the large ones exist only while they are tried.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Files = Mapping[str, str]
WEB = "services:\n  web:\n    image: x\n"


def files(name: str) -> Files:
    """The files of a bomb; the one to load is compose.yaml."""
    made = BOMBS[name]()
    return {"compose.yaml": made} if isinstance(made, str) else made


def _lines(count: int, text: str, first: int = 0) -> str:
    """The text so many times; N is the number, M the one before."""
    numbers = range(first, first + count)
    return "".join(text.replace("N", str(n)).replace("M", str(n - 1)) for n in numbers)


def _chain(count: int, text: str) -> Files:
    """So many files, in each of which NEXT is the name of the next one."""
    named = {f"f{n}.yaml": text.replace("NEXT", f"f{n + 1}.yaml") for n in range(count)}
    return {"compose.yaml": text.replace("NEXT", "f0.yaml"), **named, f"f{count}.yaml": WEB}


def _fan(width: int, depth: int) -> Files:
    """Files that include all of the next level: width ** depth ways through them."""
    found = {"compose.yaml": f"include: [l0-0.yaml]\n{WEB}"}
    for level in range(depth):
        below = "".join(f"  - l{level + 1}-{n}.yaml\n" for n in range(width))
        found |= {f"l{level}-{n}.yaml": f"include:\n{below}" for n in range(width)}
    return found | {f"l{depth}-{n}.yaml": WEB for n in range(width)}


def _env(text: str) -> Files:
    """A service with an env file."""
    return {"compose.yaml": f"{WEB}    env_file: a.env\n", "a.env": text}


def _everybody(count: int) -> str:
    """Services of which each depends on all before it."""
    before = [", ".join(f"s{m}" for m in range(n)) for n in range(count)]
    return "services:\n" + "".join(
        f"  s{n}: {{image: x, depends_on: [{names}]}}\n" for n, names in enumerate(before)
    )


_FLOW = "services: {web: {image: x, command: ['"
_S0 = "services:\n  s0: {image: x, command: [a], labels: {a: b}}\n"

BOMBS: dict[str, Callable[[], str | Files]] = {
    "billion laughs by anchors": lambda: (
        f"{WEB}x-0: &a0 [{', '.join('x' * 10)}]\n"
        + _lines(9, f"x-N: &aN [{', '.join(['*aM'] * 10)}]\n", 1)
    ),
    "billion laughs by merge keys": lambda: (
        f"{WEB}x-0: &a0 {{k: v}}\n" + _lines(60, "x-N: &aN {<<: *aM, kN: *aM}\n", 1)
    ),
    "a mapping merged 50,000 times": lambda: (
        f"x-0: &a {{{_lines(1000, 'kN: v, ')}}}\nx-1: {{<<: [{'*a, ' * 50_000}]}}\n{WEB}"
    ),
    "an anchor inside itself": lambda: "services: &a {web: {image: x, labels: {l: *a}}}",
    "many anchors": lambda: _lines(20_000, "x-N: &aN {a: b}\n") + WEB,
    "many documents": lambda: "---\n".join([WEB] * 20_000),
    "deep lists, open": lambda: "x-a: " + "[" * 10_000,
    "deep lists": lambda: f"{WEB}x-a: " + "[" * 10_000 + "]" * 10_000,
    "deep mappings": lambda: "x-a: " + "{a: " * 50_000,
    "deep blocks": lambda: "\n".join("  " * depth + "a:" for depth in range(3_000)),
    "a scalar of 50 MB": lambda: f"{WEB}    command: {'a' * 50_000_000}\n",
    "a block of 50 MB": lambda: f"{WEB}    command: |\n" + "      aaaaaaaaa\n" * 3_000_000,
    "a long flow line": lambda: f"{WEB}    command: [{'a, ' * 1_000_000}a]\n",
    "a long line of quotes": lambda: f'{WEB}    command: "' + "\\\"'" * 500_000 + '"\n',
    "nested defaults": lambda: _FLOW + "${A:-" * 20_000 + "}" * 20_000 + "']}}",
    "nested defaults, not too deep": lambda: _FLOW + "${A:-${B:-" * 24 + "x" + "}}" * 24 + "']}}",
    "open braces": lambda: _FLOW + "${A:-" * 30_000 + "']}}",
    "closed braces": lambda: _FLOW + "${A:-" * 40 + "}" * 300_000 + "']}}",
    "many variables": lambda: _FLOW + "${A:-b}" * 100_000 + "']}}",
    "many dollars": lambda: _FLOW + "$$" * 500_000 + "']}}",
    "extends in a chain": lambda: (
        _S0 + _lines(2_000, "  sN: {extends: sM, environment: {EN: x}, cap_add: [CN]}\n", 1)
    ),
    "extends through files": lambda: _chain(
        300, "services: {web: {extends: {file: NEXT, service: web}}}"
    ),
    "extends in a circle": lambda: "services: {a: {extends: b}, b: {extends: a, image: x}}",
    "include in a chain": lambda: _chain(300, "include: [NEXT]"),
    "include in a circle": lambda: {
        "compose.yaml": "include: [a.yaml]",
        "a.yaml": "include: [compose.yaml]",
    },
    "include of many by many": lambda: _fan(8, 6),
    "include of one by many": lambda: f"include: [{'a.yaml, ' * 10_000}]\n{WEB}",
    "100,000 services": lambda: "services:\n" + _lines(100_000, "  sN: {image: x}\n"),
    "5,000 services": lambda: "services:\n" + _lines(5_000, "  sN: {image: x}\n"),
    "5,000 dependencies in a chain": lambda: (
        _S0 + _lines(5_000, "  sN: {image: x, depends_on: [sM]}\n", 1)
    ),
    "everybody depends on everybody": lambda: _everybody(300),
    "a million copies": lambda: "services: {a: {image: x, scale: 1000000}}",
    "more ports than there are": lambda: (
        f"services: {{a: {{image: x, ports: [{'1-65535:1-65535, ' * 20}]}}}}"
    ),
    "20,000 ports": lambda: "services: {a: {image: x, ports: ['1-20000:1-20000']}}",
    "50,000 labels": lambda: f"{WEB}    labels:\n" + _lines(50_000, "      - lN=x\n"),
    "50,000 volumes": lambda: f"{WEB}    volumes:\n" + _lines(50_000, "      - /sN:/tN\n"),
    "50,000 words": lambda: f"{WEB}    healthcheck: {{test: [CMD, {'a, ' * 50_000}]}}\n",
    "a long duration": lambda: f"{WEB}    stop_grace_period: {'1' * 100_000}s\n",
    "a long number": lambda: f"{WEB}    mem_limit: {'9' * 100_000}\n",
    "many wrong keys": lambda: WEB + _lines(20_000, "    imageN: x\n"),
    "an env file that doubles": lambda: _env("A0=xxxxxxxxxx\n" + _lines(60, "AN=$AM$AM\n", 1)),
    "a long env file": lambda: _env(_lines(100_000, "AN=$AM\n")),
    "an env file of quotes": lambda: _env("A='\n" * 200_000),
    "an env file of long values": lambda: _env(_lines(2_000, f"AN='{'a' * 1000}'\n")),
    "an env file of keys alone": lambda: _env("A\n" * 200_000),
    "an env file of one key": lambda: _env("A" * 2_000_000),
    "an env file of blanks": lambda: _env("A=" + " " * 2_000_000 + "b"),
    "many env files": lambda: {
        "compose.yaml": f"{WEB}    env_file: [{'a.env, ' * 10_000}]\n",
        "a.env": "A=1",
    },
}
