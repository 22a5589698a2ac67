"""Tests of an environment in a deployment: who is asked for what, and what a verdict leads to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pipeline.test_runner import PUT_BACK, Scripted, deployed
from tidegate.errors import InputError
from tidegate.pipeline.states import Phase
from tidegate.pipeline.verifying import Suite, judged, suite
from tidegate.testing.releases import release, service


def result(verdict: str, name: str = "web") -> dict[str, Any]:
    """What a host says of one application."""
    reason = "" if verdict == "passed" else f"{name} is {verdict}"
    return {"service": name, "verdict": verdict, "reason": reason, "seconds": 1.0, "log": ["x"]}


def said(*results: dict[str, Any]) -> dict[str, Any]:
    """A host's answer to ``verify``."""
    return {"verify": {"results": list(results)}}


def test_what_passes_is_committed_after_its_tests() -> None:
    """Each host is asked after the watch; the witness is told before anything is decided."""
    one, two = Scripted(said(result("passed"))), Scripted(said(), "two")
    report = deployed(one, two, suite=Suite("e2e", {"one": ["web"]}, 60.0))
    assert report.end is Phase.COMMITTED
    assert one.asked[3:7] == ["watch", "verify", "verdict", "decide commit"]
    asked = [dict(frame[1]) for host in (one, two) for frame in host.frames if frame[0] == "verify"]
    assert [args["services"] for args in asked] == [["web"], []]
    assert [args["timeout_s"] for args in asked] == [60.0, 60.0]
    assert "verdict" not in two.asked


@pytest.mark.parametrize(("verdict", "class_"), [("failed", "failed"), ("error", "error")])
def test_what_does_not_pass_goes_back(verdict: str, class_: str) -> None:
    """On every host, with the log; the witness keeps the verdict."""
    one, two = Scripted(said(result("passed"))), Scripted(said(result(verdict)), "two")
    report = deployed(one, two, suite=Suite("e2e", {"two": ["web"]}))
    assert (report.end, one.asked[-3:]) == (Phase.REVERTED, PUT_BACK)
    assert two.asked[-2:] == ["finish abort", "release"]
    assert report.error is not None
    assert (report.error.class_, report.error.log) == (class_, ("x",))
    told = next(dict(args) for op, args, *_ in one.frames if op == "verdict")
    assert told == {"suite": "e2e", "verdict": verdict, "reason": f"two: web is {verdict}"}


def test_a_bad_change_weighs_more_than_a_broken_test() -> None:
    """All that did not pass for the same reason is told."""
    hosts = {"a": [result("error")], "b": [result("failed", "api"), result("failed")]}
    found = judged({host: {"results": results} for host, results in hosts.items()})
    assert (found.verdict, found.reason) == ("failed", "b: api is failed; b: web is failed")
    assert [r["host"] for r in found.results] == ["a", "b", "b"]


def test_each_application_is_tested_once() -> None:
    """On the first host that runs its service; unknown ones are bad input."""
    services = {name: service(networks=[]) for name in ("api", "web")}
    places = {"one": ["web"], "two": ["api", "web"]}
    hosts = {name: {"address": name, "services": mine} for name, mine in places.items()}
    tests: dict[str, Any] = {"services": {name: {"lines": []} for name in services}}
    made = release(services, hosts=hosts, links={}, e2e=tests)
    assert suite(made, ["one", "two"]).services == {"one": ["web"], "two": ["api"]}
    assert suite(made, ["two", "one"]).services == {"two": ["api", "web"]}
    assert suite(made, ["one", "two"], ["api"]).services == {"two": ["api"]}
    with pytest.raises(InputError) as caught:
        suite(made, ["one"], ["apii"])
    assert "api, web" in caught.value.hint
