"""Which services of other folders a service names as hosts: dependencies that nobody wrote. Pure.

A folder's compose file that also runs by itself cannot say ``depends_on`` of another folder's
service. Its environment or its commands name it all the same: ``http://api:8000``,
``user@postgres/shop``, ``DB_HOST: redis``. Such a service starts after the one that it names, as
with ``depends_on: {…: {condition: service_started, required: false}}``. Where two name each other,
or a dependency that is written says the opposite, a name says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.compose.order import AFTER, Services, jobs, needs

_HOST = re.compile(r"(?:(?<=//)|(?<=@))[\w.-]+|(?<![\w./@-])[\w.-]+(?=:[0-9]{1,5}(?![\w.]))")
_HOST_KEY = re.compile(r"(?:.*_)?(?:HOST|HOSTNAME|SERVER|ADDR|ADDRESS)", re.IGNORECASE)


def named(services: Services, files: Mapping[str, str]) -> Services:
    """The services with the waits that names mean; ``files``: where each service is written."""
    written = {name: set(needs(services, name)) for name in services}
    never = jobs(services)
    told = {
        name: {
            other
            for other in hosts(body)
            if other in services and files[other] != files[name] and other not in never
        }
        for name, body in services.items()
    }
    circle = _circles({name: written[name] | told[name] for name in services})
    found = dict(services)
    for name, body in services.items():
        others = {o for o in told[name] - written[name] if circle[o] != circle[name]}
        if others:
            waits = {other: dict(AFTER) for other in sorted(others)}
            found[name] = {**body, "depends_on": {**(body.get("depends_on") or {}), **waits}}
    return found


def hosts(body: Mapping[str, Any]) -> Iterator[str]:
    """Every word of the environment and the commands that stands where a host does."""
    for key, value in (body.get("environment") or {}).items():
        yield from _HOST.findall(str(value))
        if _HOST_KEY.fullmatch(key):
            yield str(value)
    for key in ("command", "entrypoint"):
        for word in body.get(key) or ():
            yield from _HOST.findall(str(word))


def _circles(graph: Mapping[str, set[str]]) -> dict[str, str]:
    """A service for each service: the same for all that reach each other (Kosaraju's way)."""
    reverse: dict[str, set[str]] = {name: set() for name in graph}
    for name, others in graph.items():
        for other in others:
            reverse[other].add(name)
    seen: set[str] = set()
    ended = [name for start in graph for name in _ended(start, graph, seen)]
    found: dict[str, str] = {}
    seen = set()
    for start in reversed(ended):
        for name in _ended(start, reverse, seen):
            found[name] = start
    return found


def _ended(start: str, graph: Mapping[str, set[str]], seen: set[str]) -> Iterator[str]:
    """What is reached from here and was not seen, each after all that is reached from it."""
    stack = [(start, False)]
    while stack:
        name, leaving = stack.pop()
        if leaving:
            yield name
        elif name not in seen:
            seen.add(name)
            stack.append((name, True))
            stack += [(other, False) for other in sorted(graph[name])]
