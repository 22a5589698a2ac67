"""The controller against the real tool over pipes: what travels, whatever is cut."""

from __future__ import annotations

import json
import os
import random
import signal
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tidegate.edges import frames
from tidegate.edges.agent import Agent
from tidegate.edges.agent_install import Artifact
from tidegate.errors import InfrastructureError, InputError
from tidegate.host import parcel
from tidegate.host.canon import canonical, digest
from tidegate.model.config import Switch
from tidegate.pipeline.fleet import Fleet, attach
from tidegate.pipeline.runner import Attempt, Report, Runner
from tidegate.pipeline.states import Phase
from tidegate.testing.releases import release, service
from tidegate.testing.simulated.fleet import LocalPipes, environment

PLACES = {
    name: {"address": f"10.0.0.{n}", "services": ["s000", "s001"]}
    for n, name in enumerate("abc", 1)
}


@dataclass
class Told:
    """A reporter that keeps what it hears."""

    events: list[Mapping[str, Any]] = field(default_factory=list)

    def phase(self, name: str, state: str, message: str = "") -> None:
        """Of no interest."""

    def event(self, host: str, event: Mapping[str, Any]) -> None:
        """Of a host, or of the connection to it."""
        assert host in PLACES
        self.events.append(event)


@pytest.fixture
def root() -> Iterator[Path]:
    """Homes of hosts, with short names for the sake of their sockets."""
    with tempfile.TemporaryDirectory(prefix="tg-") as made:
        yield Path(made)


def large(services: int = 500, variables: int = 20) -> dict[str, Any]:
    """A release that no frame holds: every variable has a value that cannot be guessed."""
    words = random.Random(5)
    entries = {
        f"s{number:03}": service(
            image=f"registry.example.com/s{number:03}@sha256:{words.randbytes(32).hex()}",
            unit={
                "Unit": [],
                "Service": [],
                "Container": [
                    ["Environment", f"VARIABLE_{n}={words.randbytes(24).hex()} ä"]
                    for n in range(variables)
                ],
            },
        )
        for number in range(services)
    }
    return release(entries, hosts=PLACES, links={})


def attached(root: Path, told: Told) -> Fleet:
    """All three hosts."""
    hosts = environment(PLACES, Switch(lease_s=30.0))
    return attach(hosts, "hello", told, full=True, connect=lambda h: LocalPipes(root, h.name))


def deployed(fleet: Fleet, new: Mapping[str, Any], told: Told) -> Report:
    """One deployment, from the lock to the end."""
    attempt = Attempt("production", "anna@laptop", release=new, witness=fleet.place, lease_s=30.0)
    return Runner(fleet.agents, attempt, told).run()


def test_a_release_that_is_too_long_for_a_frame_travels(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 500 services with 20 variables each, to every host and back, in frames that hold."""
    new, told, lengths = large(), Told(), list[bytes]()
    assert len(canonical(new)) > frames.MAX_FRAME
    parse = frames.parse

    def heard(line: bytes, host: str) -> dict[str, Any]:
        lengths.append(line)
        return parse(line, host)

    monkeypatch.setattr(frames, "parse", heard)
    fleet = attached(root, told)
    report = deployed(fleet, new, told)
    fleet.close()
    assert (report.end, report.error) == (Phase.COMMITTED, None)
    for name in PLACES:
        home = root / name / ".local/share/tidegate/hello"
        stored = json.loads((home / "generations/1/release.json").read_text("utf-8"))
        assert digest(stored) == digest(new)
        assert not (home / "incoming").exists()
    again = attached(root, told)
    again.close()
    assert [seen["release"] for seen in again.observed] == [new, new, new]
    assert again.observed[0]["release"] is again.observed[2]["release"]
    assert max(map(len, lengths)) <= frames.MAX_FRAME


def test_a_session_that_dies_between_the_parts_costs_nothing(root: Path) -> None:
    """What was answered stays, what was not is sent again; without all parts nothing begins."""
    told, new = Told(), large(variables=40)
    parts, named = parcel.split(new)
    assert len(parts) > 2
    agent = Agent(LocalPipes(root, "a"), "hello", Artifact("0" * 12, root), told.event, str)
    agent.attach()
    lock = {"environment": "production", "owner": "anna@laptop", "lease_s": 60, "host": "a"}
    granted = agent.call("acquire", lock, timeout_s=60)
    ours: dict[str, Any] = {"deployment": granted["deployment"], "token": granted["token"]}
    agent.persist(60)
    agent.call("part", parts[0], timeout_s=60, **ours)
    with pytest.raises(InfrastructureError, match=f"only 1 of {len(parts)} parts") as lost:
        agent.call("prepare", {**named, "signature": ""}, timeout_s=60, **ours)
    assert lost.value.code == "release-missing"
    agent.call("release", {}, timeout_s=60, **ours)
    granted = agent.call("acquire", lock, timeout_s=60)
    ours = {"deployment": granted["deployment"], "token": granted["token"]}
    for number, part in enumerate([*parts, parts[0]]):
        sent = agent.begin("part", part, **ours)
        if number == 1:
            assert agent._pipe is not None
            os.kill(agent._pipe._process.pid, signal.SIGKILL)
        assert sent.result(60) == {}
    agent.call("prepare", {**named, "signature": ""}, timeout_s=60, **ours)
    agent.close()
    assert any(event["step"] == "connection" for event in told.events)
    stored = root / "a/.local/share/tidegate/hello/generations"
    assert json.loads((stored / "2/release.json").read_text("utf-8")) == new


def test_a_release_that_no_host_takes_is_refused_before_the_lock(root: Path) -> None:
    """As bad input, with its size and the limit; no host has heard of it."""
    new = large(1)
    new["services"]["s000"]["unit"]["Container"].append(["Environment", "A=" + "x" * (33 << 20)])
    with pytest.raises(InputError, match="at most 33,554,432") as refused:
        Runner((), Attempt("production", "anna@laptop", release=new), Told())
    assert refused.value.code == "release-too-large"
    assert list(root.iterdir()) == []
