"""What must hold when nothing is open any more: from a survey to a list of violations.

Pure. An empty list means: one whole release serves, and nothing of any other is left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Facts = Mapping[str, Any]


def judge(facts: Facts, instance: str, answers: Mapping[str, str]) -> list[str]:
    """``answers`` is service → version as a client was told it; sentences, worst first."""
    serving = facts["generations"].get(str(facts["current"]))
    if serving is None or not serving["release"] or not serving["layout"]:
        return [f"generation {facts['current']} serves, and is not there"]
    expected = places(serving["release"], serving["layout"], instance)
    return [
        *versions(answers),
        *running(facts, serving["release"], expected),
        *orphans(facts, instance, expected),
        *maps(facts, serving["layout"]),
    ]


def places(release: Facts, layout: Facts, instance: str) -> dict[str, str]:
    """Container → service of everything that may be there; a front's service is ``""``."""
    found = {}
    for service, place in layout["services"].items():
        found.update(dict.fromkeys(place["units"], service))
        if release["services"][service]["strategy"] == "blue-green":
            found[f"{instance}-{service}-front"] = ""
    # Also those that lead to services on other hosts.
    found.update({f"{instance}-{service}-front": "" for service in layout.get("fronts", {})})
    return found


def versions(answers: Mapping[str, str]) -> Iterator[str]:
    """All services that answered are of one release."""
    if len(set(answers.values())) != 1:
        yield f"services of more than one release serve: {dict(answers)}"


def running(facts: Facts, release: Facts, expected: Mapping[str, str]) -> Iterator[str]:
    """Every container of the release runs, from the image that the release pins."""
    there = {container["name"]: container for container in facts["containers"]}
    for name, service in expected.items():
        if not service:
            continue
        if name not in there:
            yield f"{name} is not there"
            continue
        container = there[name]
        if release["services"][service]["strategy"] != "job" and container["state"] != "running":
            yield f"{name} is {container['status']}"
        pinned = release["services"][service]["image"]
        if "@" in container["image"] and container["image"] != pinned:
            yield f"{name} runs {container['image']}, and the release pins {pinned}"


def orphans(facts: Facts, instance: str, expected: Mapping[str, str]) -> Iterator[str]:
    """Nothing is left of a deployment that has ended."""
    if facts["open"] is not None:
        yield f"{facts['open'].get('deployment')} is still open ({facts['open'].get('state')})"
    for container in facts["containers"]:
        if container["name"] not in expected:
            yield f"container {container['name']} belongs to nothing ({container['status']})"
    for name in facts["unit_files"]:
        stem, _, kind = name.rpartition(".")
        if kind == "container" and stem not in expected:
            yield f"unit file {name} belongs to nothing"
    for unit, state in facts["units"].items():
        stem = unit.removesuffix(".service")
        if (
            unit.startswith(f"tidegate@{instance}") and "inactive" not in state
        ) or "failed" in state.split():
            yield f"{unit} is {state}"
        elif stem not in expected and " active" in state and "-front" in stem:
            yield f"{unit} is {state} and belongs to nothing"
    for number, generation in facts["generations"].items():
        if generation["decision"] != "commit":
            yield f"generation {number} was never committed ({generation['decision'] or 'none'})"
    yield from secrets(facts, instance)
    for path in facts["temporary"]:
        yield f"temporary file {path}"


def secrets(facts: Facts, instance: str) -> Iterator[str]:
    """Each secret of the instance is used by a generation that is kept."""
    used = {
        name
        for generation in facts["generations"].values()
        for name in ((generation["layout"] or {}).get("secrets") or {}).values()
    }
    for name in facts["secrets"]:
        if name.startswith(f"{instance}_") and name not in used:
            yield f"secret {name} belongs to nothing"


def maps(facts: Facts, layout: Facts) -> Iterator[str]:
    """Every front leads to the slot that the layout names, for every caller."""
    for service, content in facts["maps"].items():
        slot = layout["services"].get(service, {}).get("slot", "")
        for line in content["live"]:
            if slot and line[-1] != slot:
                yield f"the front of {service} leads to {line[-1]}, and {slot} serves"
        for line in content["callers"]:
            if slot and line[-1] != slot:
                yield f"the front of {service} has an exception for {line[0]}: {line[-1]}"
