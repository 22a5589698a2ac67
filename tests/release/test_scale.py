"""Another number of copies is a release of its own, which the next one keeps."""

from __future__ import annotations

from typing import Any

import pytest

from tidegate.errors import InputError
from tidegate.host.layout import compute, unit_names
from tidegate.host.placement import here
from tidegate.plan import plan
from tidegate.release.scale import kept, scaled
from tidegate.testing.releases import release, service

PORT = {"address": "", "port": 8080, "target": 8000, "protocol": "tcp"}


def shop(**services: dict[str, Any]) -> dict[str, Any]:
    """A release with a web service, a worker and a database."""
    db = service("recreate", volumes=["data"], stateful=True)
    return release({"web": service(published=[PORT]), "worker": service(), "db": db, **services})


def test_more_copies_and_back_again() -> None:
    """It says what was asked for; with the file's own number it is the release of before."""
    three = scaled(shop(), {"web": 3})
    assert unit_names(three, "web", "a") == ["hello-web-a", "hello-web-a-2", "hello-web-a-3"]
    assert three["scale"] == {"web": {"copies": 3, "instead_of": 1}}
    assert scaled(three, {"web": 1}) == shop()
    before = shop()
    scaled(before, {"web": 2})
    assert before == shop(), "the release that serves is left as it is"


def test_no_copies_is_asleep() -> None:
    """Nothing of it is laid out, its reasons are told, and it wakes up as it was."""
    none = scaled(shop(), {"worker": 0})
    assert sorted(compute(none, 1, None, None, [], {})["services"]) == ["db", "web"]
    down = plan(shop(), none, {})
    assert [(a.service, a.what, a.because) for a in down.actions] == [
        ("worker", "remove", ("scaled to 0",))
    ]
    up = plan(none, scaled(none, {"worker": 2}), {})
    assert [(a.service, a.what, a.because) for a in up.actions] == [
        ("worker", "start", ("scaled up from 0",))
    ]
    assert scaled(none, {"worker": 1}) == shop()
    assert scaled(none, {"worker": 0}) == none


def test_asleep_on_several_hosts() -> None:
    """It is on no host and no host leads to it; awake it is where it was."""
    link = {"hosts": ["one"], "ports": [{"port": 8000, "mode": "http", "at": 20001}]}
    whole = shop() | {
        "hosts": {
            "one": {"address": "10.0.0.1", "services": ["db", "web"]},
            "two": {"address": "10.0.0.2", "services": ["worker"]},
        },
        "links": {"web": link},
    }
    none = scaled(whole, {"web": 0})
    assert here(none, "one")["services"].keys() == {"db"}
    assert here(none, "two")["services"].keys() == {"worker"}
    assert scaled(none, {"web": 1}) == whole


def test_volumes_that_each_copy_has_for_itself() -> None:
    """A copy more has one more; with a copy less the release is as the file would make it."""
    key = "worker-anonymous-cache"
    volume = {"name": f"hello_{key}", "external": False}
    lines = {"unit": {"Volume": [["VolumeName", f"hello_{key}"]]}}
    one = shop(worker=service(volumes=[key])) | {"volumes": {key: {**volume, **lines}}}
    two = scaled(one, {"worker": 2})
    assert two["services"]["worker"]["own_volumes"] == [key]
    assert two["volumes"][f"{key}.2"]["unit"] == {"Volume": [["VolumeName", f"hello_{key}.2"]]}
    again = scaled(two, {"worker": 1})
    assert again == one
    assert scaled(scaled(two, {"worker": 0}), {"worker": 1}) == one


@pytest.mark.parametrize(
    ("name", "entry", "count", "words"),
    [
        ("db", service("recreate", stateful=True), 2, "`stateful`"),
        ("db", service("recreate", published=[PORT]), 2, "port 8080"),
        (
            "db",
            service("recreate", networks=[{"network": "default", "ipv4": "10.0.0.9"}]),
            2,
            "address 10.0.0.9",
        ),
        ("init", service("job"), 2, "runs to its end"),
        ("init", service("job"), 0, "runs to its end"),
        ("web", service(), 1001, "1000"),
        ("wbe", service(), 2, "no service 'wbe'"),
    ],
)
def test_what_cannot_be(name: str, entry: dict[str, Any], count: int, words: str) -> None:
    """Each is bad input that says why."""
    whole = shop() if name == "wbe" else shop(**{name: entry})
    with pytest.raises(InputError, match=words):
        scaled(whole, {name: count})


def test_the_next_release_keeps_the_number() -> None:
    """Until the file says another number, or the service is gone or cannot have it any more."""
    asked = scaled(shop(), {"web": 3, "worker": 0})["scale"]
    following = kept(shop(web=service(image="x@sha256:2", published=[PORT])), asked)
    assert following["services"]["web"]["replicas"] == 3
    assert list(following["asleep"]) == ["worker"]
    assert following["scale"] == asked
    assert kept(following | {"version": "3"}, {}) == following | {"version": "3"}

    own = shop(web=service(replicas=2), worker=service(replicas=0))
    assert kept(own, asked) == own
    alone = release({"web": service("recreate", stateful=True)})
    assert kept(alone, asked) == alone
