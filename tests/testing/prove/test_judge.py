"""The judge finds each thing that a dead deployment can leave behind, and nothing else."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tidegate.testing.prove.judge import judge

Facts = dict[str, Any]
PIN = "tidegate.internal/p/web@sha256:aa"


def whole() -> Facts:
    """One release serves in slot b, and nothing else is there."""
    release = {
        "services": {
            "web": {"strategy": "blue-green", "image": PIN},
            "db": {"strategy": "recreate", "image": "docker.io/library/postgres@sha256:bb"},
        }
    }
    layout = {
        "services": {
            "web": {"slot": "b", "units": ["p-web-b"]},
            "db": {"slot": "", "units": ["p-db"]},
        },
        "secrets": {"db_password": "p_db_password-1"},
    }
    names = {"p-web-b": PIN, "p-db": "docker.io/library/postgres@sha256:bb", "p-web-front": "x"}
    return {
        "current": 4,
        "open": None,
        "generations": {"4": {"release": release, "layout": layout, "decision": "commit"}},
        "containers": [
            {"name": name, "state": "running", "status": "Up", "image": image}
            for name, image in names.items()
        ],
        "units": {f"{name}.service": "loaded active running" for name in names},
        "unit_files": [f"{name}.container" for name in names] + ["p-default.network"],
        "secrets": ["p_db_password-1", "other_secret"],
        "maps": {"web": {"live": [["live", "b"]], "callers": []}},
        "temporary": [],
    }


def there(name: str) -> Callable[[Facts], None]:
    """A container that is up, of that name."""
    extra = {"name": name, "state": "running", "status": "Up", "image": "x"}
    return lambda facts: facts["containers"].append(extra)


def changed(*path: Any, to: Any) -> Callable[[Facts], None]:
    """The facts with one value changed."""

    def change(facts: Facts) -> None:
        at: Any = facts
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = to

    return change


TRACES: dict[str, Callable[[Facts], None]] = {
    "generation 4 serves, and is not there": changed("generations", to={}),
    "container p-web-a belongs to nothing": there("p-web-a"),
    "p-web-b is Exited": changed("containers", 0, "status", to="Exited"),
    "unit file p-web-a.container": lambda f: f["unit_files"].append("p-web-a.container"),
    "p/5 is still open": changed("open", to={"deployment": "p/5", "state": "prepared"}),
    "tidegate@p.service": changed("units", "tidegate@p.service", to="loaded active running"),
    "p-web-a.service is": changed("units", "p-web-a.service", to="loaded failed failed"),
    "generation 5 was never committed": changed(
        "generations", "5", to={"release": {}, "layout": {}, "decision": "abort"}
    ),
    "secret p_db_password-2": lambda f: f["secrets"].append("p_db_password-2"),
    "leads to a, and b serves": changed("maps", "web", "live", to=[["live", "a"]]),
    "has an exception": changed("maps", "web", "callers", to=[["10.210.0.9", "a"]]),
    "temporary file": changed("temporary", to=["/home/deploy/.x.tmp"]),
    "and the release pins": changed("containers", 0, "image", to="x/web@sha256:cc"),
}


def test_a_whole_release_is_not_blamed() -> None:
    """Where one release serves and nothing else is there, the judge says nothing."""
    assert judge(whole(), "p", {"web": "7", "api": "7"}) == []


def test_services_of_two_releases() -> None:
    """A web that answers as 7 beside an api that answers as 6 is no whole release."""
    assert "more than one release" in judge(whole(), "p", {"web": "7", "api": "6"})[0]


@pytest.mark.parametrize("trace", TRACES)
def test_each_trace_is_found(trace: str) -> None:
    """Everything that a dead deployment can leave behind is named."""
    facts = copy.deepcopy(whole())
    TRACES[trace](facts)
    if trace.startswith("p-web-b is"):
        facts["containers"][0]["state"] = "exited"
    found = judge(facts, "p", {"web": "7"})
    assert [sentence for sentence in found if trace in sentence], found
