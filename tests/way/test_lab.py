"""From a commit to two servers of production, by way of staging, tests and a person: all real."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.semantics.site import until
from tests.way.project import Way

pytestmark = pytest.mark.lab


def test_the_way(way: Way, tmp_path: Path) -> None:
    """Staging by itself, a person, production from another machine; a bad one goes back whole."""
    way.commit("1", "first", "one")
    assert way.ask(way.site, "run", code=5)["code"] == "approval-missing"
    assert way.staging.get(8080) == "1 hello-1-staging for-one first"
    assert all(host.closed(8080) for host in way.production)
    way.approve()
    steps = way.ask(way.other, "run")["stages"]
    assert [stage["step"] for stage in steps] == ["serves", "deploy"]
    good = ["1 hello-1-production for-one first"] * 2
    assert way.says() == good
    images = {host.container("web")["ImageDigest"] for host in (way.staging, *way.production)}
    assert len(images) == 1

    way.commit("bad-production", "second", "two")
    way.ask(way.other, "run", code=5)
    assert way.staging.get(8080) == "bad-production hello-bad-production-staging for-two second"
    way.approve()
    failed = way.ask(way.site, "promote", "staging", "production", code=1)
    assert (failed["class"], failed["code"]) == ("failed", "tests-failed")
    assert way.says() == good
    assert way.clean("production")
    assert way.clean("staging")

    done = way.site.run("e2e", "staging", "--logs", str(tmp_path / "logs"))
    assert "passed" in done.stdout
    assert "asked staging of staging.example.com" in (tmp_path / "logs/web.log").read_text()
    assert way.clean("staging")


def test_a_controller_that_dies_while_it_tests(way: Way) -> None:
    """The version before serves on all hosts, and nothing of the tests is left."""
    way.commit("1", "first", "one")
    way.ask(way.site, "run", code=5)
    way.approve()
    way.ask(way.site, "run")
    good = way.says()
    way.commit("slow-production", "second", "two")
    way.ask(way.site, "run", code=5)
    way.approve()
    events = way.site.folder.parent / "events"
    words = ("promote", "staging", "production", "--events", str(events))
    running = subprocess.Popen(
        [sys.executable, "-m", "tidegate", *words],
        cwd=way.site.folder,
        env=dict(way.site.environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    testing = '"phase": "verify"'
    until(lambda: events.exists() and testing in events.read_text(), patience_s=90)
    until(lambda: "e2e:web" in events.read_text(), patience_s=30)
    assert way.says() != good
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    until(lambda: way.clean("production"), patience_s=60)
    assert way.says() == good


def test_gates_of_several_hosts(way: Way) -> None:
    """One witness keeps them for all; they go with the office when another host becomes it."""
    way.commit("1", "first", "one")
    way.ask(way.site, "run", code=5)
    way.ask(way.other, "hold", "production", "--reason", "stocktaking")
    way.approve()
    held = way.ask(way.site, "deploy", "production", code=3)
    assert (held["code"], held["hint"]) == ("held", "tidegate unhold production")
    seen = way.ask(way.site, "status", "production")["hosts"].values()
    assert [bool(one["hold"]) for one in seen] == [True, False]
    assert all(host.closed(8080) for host in way.production)
    way.ask(way.site, "unhold", "production")
    way.ask(way.other, "deploy", "production")
    assert way.says() == ["1 hello-1-production for-one first"] * 2

    way.ask(way.site, "hold", "production", "--reason", "for the night")
    way.commit("2", "second", "two", witness=1)
    way.ask(way.site, "run", "--until", "staging")
    assert "for the night" in way.ask(way.other, "run", code=3)["message"]
    way.ask(way.site, "unhold", "production")
    way.ask(way.other, "run", code=5)
    way.approve()
    way.ask(way.site, "run")
    assert way.says() == ["2 hello-2-production for-two second"] * 2
    way.ask(way.site, "hold", "production", "--reason", "again")
    seen = way.ask(way.site, "status", "production")["hosts"]
    assert {name: bool(one["hold"]) for name, one in seen.items()} == {
        host.server.name: index == 1 for index, host in enumerate(way.production)
    }
    for host in way.production:
        tool = (".local/bin/tidegate-host", "ledger", "verify", "--project", host.name)
        assert "the chain is whole" in host.on_server(*tool)
