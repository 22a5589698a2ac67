"""Hosts that come later, hosts that lost what they kept, and services that need a place."""

from __future__ import annotations

import json

import pytest

from tests.fleet.fleet import WEB, Fleet
from tests.semantics.site import Site

pytestmark = pytest.mark.lab


def copy(host: Site) -> str:
    """The one container of web."""
    return str(host.container("web")["Id"])


def alone(host: Site, *words: str) -> str:
    """``tidegate-host rollback`` by hand; all that it says, its exit status last."""
    command = f".local/bin/tidegate-host rollback --project {host.name} {' '.join(words)}"
    return host.on_server("sh", "-c", f"{command} 2>&1; echo ended with $?")


def test_a_host_is_added(fleet: Fleet) -> None:
    """It gets the release, and the others are not touched; going back knows who came later."""
    first, second, third = fleet.hosts
    fleet.write(WEB % {"version": "1"}, {}, without=2)
    fleet.deploy()
    before = [copy(host) for host in (first, second)]
    fleet.write(WEB % {"version": "1"}, {})
    plan = fleet.site.run("plan", "production").stdout
    assert third.server.name in plan
    fleet.deploy()
    assert fleet.answers() == ["1", "1", "1"]
    assert [copy(host) for host in (first, second)] == before
    fleet.write(WEB % {"version": "2"}, {})
    fleet.deploy()
    assert fleet.answers() == ["2", "2", "2"]

    # Without a controller: the host that came later says so, and stays whole.
    said = alone(first, "--to", "1")
    assert f"next, on {second.server.name}: tidegate-host rollback" in said
    assert f"{third.server.name} came later" in said
    serving = copy(third)
    said = alone(third)
    assert "went back to generation 1, which this host never had" in said
    assert said.strip().endswith("ended with 3")
    assert (copy(third), third.get(8080)) == (serving, "2")
    assert "ended with 0" in alone(second)
    assert fleet.answers() == ["1", "1", "2"]

    # With one: no release that it knows has this host, so it runs nothing, and that is said.
    said = fleet.site.rollback("--to", "1").stderr
    assert f"{third.server.name} was not there yet" in said
    assert [host.get(8080) for host in (first, second)] == ["1", "1"]
    assert third.containers("web") == []
    assert len(set(fleet.generations())) == 1

    # A release that has the host, but that the host lost: it gets it from the others.
    lost = f".local/share/tidegate/{fleet.site.name}/generations/3"
    third.on_server("rm", "-r", lost)
    fleet.site.rollback("--to", "3")
    assert fleet.answers() == ["2", "2", "2"]
    assert len(set(fleet.generations())) == 1
    fleet.write(WEB % {"version": "3"}, {})
    fleet.deploy()
    assert fleet.answers() == ["3", "3", "3"]


def test_a_release_of_one_host_is_not_for_another(fleet: Fleet) -> None:
    """It does not say what a second host runs: going back is refused, and nothing changes."""
    fleet.write(WEB % {"version": "1"}, {})
    config = fleet.site.folder / "tidegate.yaml"
    written = json.loads(config.read_text())
    environment = written["environments"]["production"]
    every = dict(environment["hosts"])
    environment["hosts"] = dict(list(every.items())[:1])
    config.write_text(json.dumps(written))
    fleet.deploy()
    before = copy(fleet.hosts[0])
    environment["hosts"] = every
    config.write_text(json.dumps(written))
    fleet.deploy()
    assert fleet.answers() == ["1", "1", "1"]
    assert copy(fleet.hosts[0]) == before
    refused = fleet.site.rollback(code=2).stderr
    assert "the environment had one host" in refused
    assert fleet.answers() == ["1", "1", "1"]
    assert copy(fleet.hosts[0]) == before


def test_data_needs_a_place(fleet: Fleet) -> None:
    """An error with file, line and what to write, before any host is touched."""
    compose = (
        "services:\n  db:\n    image: busybox:1\n    volumes: [data:/data]\nvolumes: {data: {}}\n"
    )
    fleet.write(compose, {})
    told = json.loads(fleet.deploy("--json", code=2).stderr.splitlines()[-1])["data"]
    assert told["code"] == "placement-missing"
    assert (told["where"]["file"], told["where"]["line"]) == ("compose.yaml", 2)
    assert f"db: {{on: {fleet.hosts[0].server.name}}}" in told["hint"]
    fleet.write(compose, {"db": {"stateful": True, "on": "web"}})
    told = json.loads(fleet.deploy("--json", code=2).stderr.splitlines()[-1])["data"]
    assert told["code"] == "placement-many"
    assert told["where"]["file"] == "tidegate.yaml"
    assert all(not seen["deployment"] for seen in fleet.status().values())
