"""The plan of many hosts: each says what it would say alone, and the work is done once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tidegate.host.canon import digest
from tidegate.host.placement import here
from tidegate.plan import compare, plan, plan_fleet
from tidegate.plan.lines import Sections, differences
from tidegate.testing.releases import release, service

HIDDEN = {"drift": [{"subject": "hello-web-a.container", "kind": "edited", "detail": "was edited"}]}


def environment(value: str, hosts: int, services: int = 5, *, apart: bool = True) -> dict[str, Any]:
    """A release in which each service waits for the one before.

    ``apart``: a host has two services, and calls the others on theirs; else it has all.
    """
    names = [f"s{number:04}" for number in range(services)]
    entries = {
        name: service(
            unit={"Unit": [], "Container": [["Environment", f"A={value}"]], "Service": []},
            depends_on={names[number - 1]: {"condition": "service_started"}} if number else {},
        )
        for number, name in enumerate(names)
    }
    places = {
        f"host-{number}": {
            "address": f"10.0.0.{number}",
            "services": [
                n for i, n in enumerate(names) if not apart or (i - number) % services < 2
            ],
        }
        for number in range(hosts)
    }
    links = {
        name: {
            "hosts": [host for host, place in places.items() if name in place["services"]],
            "ports": [{"port": 8000, "mode": "http", "at": 20000 + number}],
        }
        for number, name in enumerate(names)
        if apart
    }
    return release(entries, hosts=places, links=links)


def answers(running: dict[str, Any] | None, new: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What the hosts say; the first one has drift in a copy of s0001."""
    found: dict[str, dict[str, Any]] = {
        host: {"host": host, "release": running, "release_digest": digest(running)}
        for host in new["hosts"]
    }
    found["host-0"] |= {**HIDDEN, "services": {"s0001": {"units": ["hello-web-a"]}}}
    return found


def alone(whole: dict[str, Any], host: str) -> dict[str, Any]:
    """What a host runs, with nothing in it that another one has, too."""
    found: dict[str, Any] = json.loads(json.dumps(here(whole, host)))
    return found


@pytest.mark.parametrize("apart", [True, False])
def test_a_host_in_a_fleet_is_planned_as_if_alone(apart: bool) -> None:
    """What is shared between the hosts changes no plan, and so no digest."""
    new, moved = environment("2", 4, apart=apart), environment("1", 4, apart=apart)
    moved["hosts"]["host-1"]["address"] = "10.9.9.9"
    for old in (environment("1", 4, apart=apart), moved, None):
        seen = answers(old, new)
        for host, made in plan_fleet(new, seen).plans.items():
            before = alone(old, host) if old else None
            digests = (digest(new), digest(old) if old else "")
            assert made == plan(before, alone(new, host), seen[host], digests)
            assert not made.empty


@pytest.mark.parametrize("apart", [True, False])
def test_units_are_taken_apart_once(apart: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many hosts a changed service runs on."""
    calls: list[Sections] = []

    def counted(old: Sections, new: Sections) -> Iterator[tuple[str, str, str]]:
        calls.append(old)
        return differences(old, new)

    monkeypatch.setattr(compare, "differences", counted)
    for hosts in (5, 50):
        calls.clear()
        new = environment("2", hosts, apart=apart)
        plan_fleet(new, answers(environment("1", hosts, apart=apart), new))
        assert len([old for old in calls if "Container" in old]) == len(new["services"])


def test_a_chain_may_be_long() -> None:
    """Each of 2,000 services waits for the one before, and is started after it."""
    new = environment("1", 2, 2000, apart=False)
    made = plan_fleet(new, answers(None, new)).plans["host-1"]
    assert [action.service for action in made.actions] == sorted(new["services"])


def test_hosts_with_equal_plans_are_one_group() -> None:
    """In the order of the hosts; the one with drift is its own."""
    new = environment("2", 4, apart=False)
    groups = list(plan_fleet(new, answers(environment("1", 4, apart=False), new)).groups())
    assert [hosts for hosts, _ in groups] == [["host-0"], ["host-1", "host-2", "host-3"]]
