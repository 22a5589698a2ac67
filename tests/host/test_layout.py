"""Slots alternate, addresses stay, and nothing that did not change is moved."""

from __future__ import annotations

import ipaddress

import pytest

from tidegate.host.errors import HostError
from tidegate.host.layout import changed, compute, copy_addresses, unit_names
from tidegate.host.units import place, service_units
from tidegate.testing.releases import release, service

ONE = release({"web": service(), "db": service("recreate")})


def test_a_changed_service_goes_to_the_other_slot_and_back() -> None:
    """Slot a, then b, then a again, always at the same two addresses."""
    first = compute(ONE, 1, None, None, [], {})
    two = release({"web": service(image="x@sha256:2"), "db": service("recreate")})
    second = compute(two, 2, ONE, first, [], {})
    third = compute(ONE, 3, two, second, [], {})
    assert [laid["services"]["web"]["slot"] for laid in (first, second, third)] == ["a", "b", "a"]
    assert first["addresses"] == second["addresses"] == third["addresses"]


def test_what_did_not_change_is_not_touched() -> None:
    """Only the changed service is new; the other keeps its units' texts to the letter."""
    first = compute(ONE, 1, None, None, [], {})
    two = release({"web": service(image="x@sha256:2"), "db": service("recreate")})
    second = compute(two, 2, ONE, first, [], {})
    assert changed(second) == ["web"]
    place(ONE, first, None, {})
    first["units"]["db"]["hello-db.container"] += "# written by an older Tidegate"
    place(two, second, ONE, first)
    assert second["units"]["db"] == first["units"]["db"]
    assert list(second["units"]["web"]) == ["hello-web-b.container"]


def test_settings_keep_the_copy() -> None:
    """Another published port asks the edge for something, not the container."""
    first = compute(ONE, 1, None, None, [], {})
    port = {"address": "", "port": 8080, "target": 8000, "protocol": "tcp"}
    two = release({"web": service(published=[port]), "db": service("recreate")})
    assert changed(compute(two, 2, ONE, first, [], {})) == []


def test_a_new_secret_version_restarts_only_its_service() -> None:
    """The version of a secret is part of what a copy was made from."""
    use = [{"name": "key", "secret": "hello_key"}]
    with_secret = release({"web": service(secrets=use), "db": service("recreate")})
    first = compute(with_secret, 1, None, None, [], {"hello_key": "hello_key-1"})
    second = compute(with_secret, 2, with_secret, first, [], {"hello_key": "hello_key-2"})
    assert changed(second) == ["web"]


def test_addresses_are_apart_and_outside_the_dynamic_range() -> None:
    """Front and copies of every service have their own address, none that Podman may give."""
    services = {f"s{i}": service(replicas=2) for i in range(10)}
    laid = compute(release(services), 1, None, None, [], {})
    used = [spots["default"] for spots in laid["addresses"].values()]
    dynamic = ipaddress.ip_network(laid["networks"]["default"]["range"])
    assert len(used) == len(set(used)) == 10 * 5
    assert not [address for address in used if ipaddress.ip_address(address) in dynamic]
    assert laid["networks"]["default"]["gateway"] not in used
    assert len(copy_addresses(laid, "s1", "b", "default")) == 2


def test_a_subnet_of_others_is_left_alone() -> None:
    """The first free /24 that overlaps with nothing on the host."""
    laid = compute(ONE, 1, None, None, ["10.210.0.0/23", "fd00::/64"], {})
    assert laid["networks"]["default"]["subnet"] == "10.210.2.0/24"


def test_too_small_a_subnet_is_said() -> None:
    """A subnet without room for every copy is bad input, by name."""
    small = dict(ONE["networks"]["default"], subnets=["10.9.0.0/29"])
    with pytest.raises(HostError) as caught:
        compute(
            release({"web": service(replicas=3)}, networks={"default": small}),
            1,
            None,
            None,
            [],
            {},
        )
    assert caught.value.code == "subnet-full"


def test_replicas_have_units_of_their_own() -> None:
    """The first replica has the plain name."""
    two = release({"web": service(replicas=2)})
    assert unit_names(two, "web", "a") == ["hello-web-a", "hello-web-a-2"]


def test_ready_does_not_hang_on_a_message_that_may_be_lost() -> None:
    """A start waits by a program's end: Podman's own "healthy" is lost when it is read late."""
    lines = [["Image", "web"], ["HealthCmd", "true"], ["Notify", "healthy"]]
    checked = service(unit={"Unit": [], "Container": lines, "Service": []})
    made = release({"web": checked, "job": {**checked, "strategy": "job"}, "plain": service()})
    layout = compute(made, 1, None, None, [], {})
    web, job, plain = (
        next(iter(service_units(made, layout, name).values())) for name in ("web", "job", "plain")
    )
    assert "[Service]\nExecStartPost=podman wait --condition=healthy" in web
    assert "hello-web-a\n" in web.partition("ExecStartPost=")[2]
    assert "HealthStartupCmd=true" in web
    assert not any("Notify" in unit for unit in (web, job, plain))
    assert not any("ExecStartPost" in unit for unit in (job, plain))
