"""A host that runs anything but the one whole release is found out, whoever notices it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tidegate.testing.demo.whole import Seen, violations

Facts = dict[str, Any]
COMMIT = "c" * 40
WEB = "tidegate.internal/p/web@sha256:aa"
DB = "docker.io/library/postgres@sha256:bb"
RELEASE: Facts = {
    "commit": COMMIT,
    "files": {
        "sha256:11": {"kind": "file"},
        "sha256:22": {"kind": "tree", "entries": [{"path": "a/b", "digest": "sha256:33"}]},
    },
    "hosts": {"one": {"services": ["web", "db"]}, "two": {"services": ["web"]}},
    "services": {
        "web": {
            "strategy": "blue-green",
            "image": WEB,
            "files": ["sha256:11", "sha256:22"],
            "secrets": [{"secret": "p_web_URL"}],
        },
        "db": {"strategy": "recreate", "image": DB, "files": [], "secrets": []},
    },
}


def container(name: str, pin: str) -> Facts:
    """One of a service as podman tells it."""
    web = name.startswith("p-web")
    return {
        "name": name,
        "service": name.split("-")[1],
        "running": True,
        "healthy": True,
        "pin": pin,
        "digest": pin.split("@")[1],
        "image": f"id of {pin}",
        "files": {"/conf": {"": "sha256:11"}, "/srv": {"a/b": "sha256:33"}} if web else {},
        "secrets": ["p_web_URL-7"] if web else [],
    }


def host(name: str) -> Facts:
    """One that is as it should be: ``db`` is on the first, with a front for it on the second."""
    units = {"web": ["p-web-a"], "db": ["p-db"] if name == "one" else []}
    pins = {"p-web-a": WEB, **({"p-db": DB} if name == "one" else {})}
    fronts = ["web"] if name == "one" else ["web", "db"]
    layout = {
        "services": {
            "web": {"slot": "a", "units": units["web"]},
            "db": {"slot": "", "units": units["db"]},
        },
        "fronts": {service: {} for service in fronts},
        "secrets": {"p_web_URL": "p_web_URL-7"},
    }
    there = {**pins, **{f"p-{service}-front": "haproxy" for service in fronts}}
    survey = {
        "current": 3,
        "open": None,
        "generations": {
            "3": {"release": copy.deepcopy(RELEASE), "layout": layout, "decision": "commit"}
        },
        "containers": [
            {"name": unit, "state": "running", "status": "Up", "image": image}
            for unit, image in there.items()
        ],
        "units": {},
        "unit_files": [f"{unit}.container" for unit in there],
        "secrets": ["p_web_URL-7"],
        "maps": {},
        "temporary": [],
    }
    status = {
        "release_digest": "sha256:99",
        "deployment": "production/3",
        "drift": [],
        "open": None,
        "generations": [{"commit": COMMIT, "current": True}],
    }
    containers = [container(unit, pin) for unit, pin in pins.items()]
    return {"status": status, "survey": survey, "containers": containers, "page": "1.1.0"}


def judged(hosts: dict[str, Facts]) -> list[str]:
    """What is said of them."""
    return violations({name: Seen(**facts) for name, facts in hosts.items()}, "p", COMMIT)


def test_what_is_whole_is_called_so() -> None:
    """Nothing is said of two hosts with one release, nor of one that knows no other."""
    assert judged({"one": host("one"), "two": host("two")}) == []
    alone = host("one")
    del alone["survey"]["generations"]["3"]["release"]["hosts"]
    assert judged({"one": alone}) == []


def changed(*path: Any, to: Any) -> Callable[[Facts], None]:
    """The second host with one value changed."""

    def change(facts: Facts) -> None:
        for key in path[:-1]:
            facts = facts[key]
        facts[path[-1]] = to

    return change


def older(facts: Facts) -> None:
    """The second host with another version of the secret, in all that it has."""
    facts["survey"]["generations"]["3"]["layout"]["secrets"]["p_web_URL"] = "p_web_URL-6"
    facts["survey"]["secrets"] = facts["containers"][0]["secrets"] = ["p_web_URL-6"]


RELEASED = ("survey", "generations", "3", "release")
FAULTS = {
    "runs commit ddddddd": changed(*RELEASED, "commit", to="d" * 40),
    "different manifests": changed(*RELEASED, "more", to=1),
    "drift": changed("status", "drift", to=["unit web was edited"]),
    "status says that": changed("status", "generations", 0, "commit", to="d" * 40),
    "differ in release_digest": changed("status", "release_digest", to="sha256:98"),
    "differ in deployment": changed("status", "deployment", to="production/2"),
    "and the release has ['web'] there": lambda facts: facts["containers"].append(
        container("p-web-b", WEB)
    ),
    "does not run": changed("containers", 0, "running", to=False),
    "is not healthy": changed("containers", 0, "healthy", to=False),
    "the release pins": changed("containers", 0, "digest", to="sha256:ab"),
    "2 images web": changed("containers", 0, "image", to="another"),
    "other files": changed("containers", 0, "files", "/srv", to={"a/b": "sha256:34"}),
    "other secrets": changed("containers", 0, "secrets", to=["p_web_URL-6"]),
    "2 versions of the secret": older,
    "customers see different": changed("page", to="1.0.0"),
    "p/4 is still open": changed("survey", "open", to={"deployment": "p/4", "state": "prepared"}),
}


@pytest.mark.parametrize("sentence", FAULTS)
def test_what_is_not_whole(sentence: str) -> None:
    """Each difference on one host has a sentence of its own."""
    hosts = {"one": host("one"), "two": host("two")}
    FAULTS[sentence](hosts["two"])
    assert sentence in "; ".join(judged(hosts))
