"""What one host of several runs of a release, and in which order hosts prepare."""

from __future__ import annotations

from typing import Any

from tidegate.host.placement import here, order


def entry(*networks: str, **more: Any) -> dict[str, Any]:
    """A service's entry, as far as placement reads it."""
    joined = [{"network": name, "aliases": ["x"]} for name in networks]
    given = {"networks": joined, "depends_on": {}, "published": [], "volumes": [], "files": []}
    return {"strategy": "blue-green", **given, "ports": [], **more}


RELEASE: dict[str, Any] = {
    "services": {
        "api": entry("inner", depends_on={"db": {}, "job": {}}, files=["sha256:1"]),
        "db": entry("inner", volumes=["data"], ports=[{"port": 5432, "mode": "tcp"}]),
        "job": entry("inner", depends_on={"db": {}}),
        "web": entry("outer", depends_on={"api": {}}),
    },
    "images": {"api": 1, "db": 2, "job": 3, "web": 4},
    "networks": {"inner": {}, "outer": {}},
    "volumes": {"data": {}},
    "files": {"sha256:1": {}},
    "hosts": {
        "data": {"address": "10.0.0.1", "services": ["db"]},
        "one": {"address": "10.0.0.2", "services": ["api", "job"]},
        "two": {"address": "10.0.0.3", "services": ["api", "web"]},
    },
    "links": {"db": {"hosts": ["data"], "ports": [{"port": 5432, "mode": "tcp", "at": 20001}]}},
}


def test_a_release_for_one_host_is_all_its_own() -> None:
    """Nothing of it changes, so nothing of an installation of one host does."""
    release = {name: value for name, value in RELEASE.items() if name not in ("hosts", "links")}
    assert here(release, "anything") == release


def test_a_host_runs_its_own_services() -> None:
    """Services, images, networks, volumes and files of others are not here."""
    data = here(RELEASE, "data")
    assert set(data["services"]) == set(data["images"]) == {"db"}
    assert (set(data["networks"]), set(data["volumes"]), set(data["files"])) == (
        {"inner"},
        {"data"},
        set(),
    )


def test_what_others_call_is_published_inside() -> None:
    """At the internal address and the port of the link, beside what was published anyway."""
    (port,) = here(RELEASE, "data")["services"]["db"]["published"]
    assert port == {"address": "10.0.0.1", "port": 20001, "target": 5432, "protocol": "tcp"}
    assert RELEASE["services"]["db"]["published"] == []


def test_a_service_elsewhere_has_a_front_here() -> None:
    """It bears the service's names and leads to the hosts that have it."""
    db = here(RELEASE, "one")["services"]["db"]
    assert (db["strategy"], db["addresses"], db["replicas"]) == ("remote", ["10.0.0.1"], 0)
    assert db["networks"] == [{"network": "inner", "aliases": ["x"]}]
    assert db["ports"][0]["at"] == 20001


def test_dependencies_elsewhere_are_the_order_of_hosts() -> None:
    """A host waits only for what it has; the rest is told by the order of preparing."""
    two = here(RELEASE, "two")["services"]
    assert set(two["api"]["depends_on"]) == {"db"}
    assert order(RELEASE) == [["data"], ["one"], ["two"]]


def test_hosts_that_wait_for_each_other_prepare_together() -> None:
    """A circle of hosts is no circle of services."""
    services = {
        "a": entry("n", depends_on={"b": {}}),
        "b": entry("n"),
        "c": entry("n", depends_on={"a": {}}),
    }
    hosts = {
        "one": {"address": "", "services": ["a"]},
        "two": {"address": "", "services": ["b", "c"]},
        "three": {"address": "", "services": ["c"]},
    }
    assert order({"services": services, "hosts": hosts}) == [["one", "two"], ["three"]]
    assert order({"services": services}) == []


def test_a_host_that_came_later_runs_nothing() -> None:
    """A release does not know it, and what it would have run nobody has signed."""
    four = here(RELEASE, "four")
    assert [four[key] for key in ("services", "images", "networks", "volumes", "files")] == [{}] * 5
