"""Which host runs what, by roles and names; and what has no place is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.targets.quadlet.projects import release
from tidegate.errors import InputError
from tidegate.model.config import Host

COMPOSE = """\
services:
  db: {image: db, volumes: [data:/data], expose: [5432], networks: [inner]}
  migrate: {image: api, networks: [inner], depends_on: [db], restart: "no"}
  api:
    image: api
    expose: [8000]
    networks: [inner, outer]
    depends_on: {migrate: {condition: service_completed_successfully}}
  web: {image: web, expose: [8000], networks: [outer]}
  alone: {image: alone, expose: [9000], network_mode: none}
volumes: {data: {}}
networks: {inner: {}, outer: {}}
"""
PLACES: dict[str, Any] = {
    "db": {"on": ("db",)},
    "migrate": {"strategy": "job"},
    "api": {"on": ("web",)},
    "web": {"on": ("two", "db")},
}
ALL = ("one", "two", "three")


def hosts(*names: str, **changes: dict[str, Any]) -> dict[str, Host]:
    """Hosts one (db), two and three (web), each with an address."""
    roles = {"one": ("db",), "two": ("web",), "three": ("web",)}
    found = {}
    for number, name in enumerate(names or ALL, 1):
        given = {"address": f"10.0.0.{number}", "roles": roles[name], **changes.get(name, {})}
        found[name] = Host(name, f"deploy@{name}", **given)
    return found


def places(made: dict[str, Any]) -> dict[str, list[str]]:
    """Host → services."""
    return {name: host["services"] for name, host in made["hosts"].items()}


def test_services_go_where_they_are_placed() -> None:
    """By role or by name; without a word on every host; a job on the first that waits for it."""
    made = release(COMPOSE, settings=PLACES, hosts=hosts())
    assert places(made) == {
        "one": ["alone", "db", "web"],
        "two": ["alone", "api", "migrate", "web"],
        "three": ["alone", "api"],
    }


def test_only_what_another_host_may_call_is_linked() -> None:
    """With a port on the internal address for each of its own, none of them twice."""
    links = release(COMPOSE, settings=PLACES, hosts=hosts())["links"]
    assert {name: link["hosts"] for name, link in links.items()} == {
        "api": ["two", "three"],
        "db": ["one"],
        "web": ["one", "two"],
    }
    ports = [port for link in links.values() for port in link["ports"]]
    assert [port["port"] for port in ports] == [8000, 5432, 8000]
    assert len({port["at"] for port in ports}) == 3
    assert all(20000 <= port["at"] < 30000 for port in ports)


def test_one_host_needs_no_places() -> None:
    """Everything is there, and the release says nothing of hosts."""
    made = release(COMPOSE, settings=PLACES, hosts=hosts("two"))
    assert not {"hosts", "links"} & set(made)


def test_a_drained_host_runs_nothing() -> None:
    """It stays in the release, empty; what it ran is elsewhere."""
    made = release(COMPOSE, settings=PLACES, hosts=hosts(), drained=["two"])
    assert places(made)["two"] == []
    assert made["hosts"]["two"]["drained"] is True
    assert places(made)["three"] == ["alone", "api", "migrate"]
    assert "two" not in made["links"]["api"]["hosts"]


def test_data_cannot_leave_with_its_only_host() -> None:
    """What is placed on the drained host alone has no other place."""
    with pytest.raises(InputError, match="db runs on one alone") as caught:
        release(COMPOSE, settings=PLACES, hosts=hosts(), drained=["one"])
    assert caught.value.hint == "tidegate host drain one --back"


@pytest.mark.parametrize(
    ("settings", "changes", "code", "words"),
    [
        ({"db": {}}, {}, "placement-missing", "db keeps data"),
        ({"db": {"on": ("cache",)}}, {}, "role-unknown", "'cache'"),
        ({"db": {"on": ("db", "two"), "stateful": True}}, {}, "placement-many", "one and two"),
        ({}, {"one": {"address": ""}}, "address-missing", "no internal address"),
    ],
)
def test_what_has_no_place_is_refused(
    settings: dict[str, Any], changes: dict[str, Any], code: str, words: str
) -> None:
    """With the line of the service or of the host, and what to write."""
    with pytest.raises(InputError, match=words) as caught:
        release(COMPOSE, settings={**PLACES, **settings}, hosts=hosts(**changes))
    assert caught.value.code == code
    assert caught.value.hint


def test_containers_that_share_a_network_stay_together() -> None:
    """One that joins another's network cannot be without it."""
    text = "services:\n  a: {image: a}\n  b: {image: b, network_mode: 'service:a'}\n"
    with pytest.raises(InputError, match="joins the network of a") as caught:
        release(text, settings={"a": {"on": ("two",)}}, hosts=hosts())
    assert caught.value.code == "placement-apart"
