"""Migrations against the real tool over pipes: once, in order, whatever is killed."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tidegate.edges.agent import Agent
from tidegate.edges.agent_install import Artifact
from tidegate.errors import InputError, RefusedError, TidegateError
from tidegate.host.canon import digest
from tidegate.model.config import Switch
from tidegate.pipeline.fleet import Fleet, attach, seed
from tidegate.pipeline.migrating import contract, refuse_crossing
from tidegate.pipeline.runner import Attempt, Report, Runner
from tidegate.pipeline.states import Phase
from tidegate.plan import migrating, plan_fleet
from tidegate.testing.releases import release, service
from tidegate.testing.simulated.fleet import LocalPipes, environment

# The database is on c; the API on all, and it migrates on b, while a is the witness.
PLACES = {
    name: {"address": f"10.0.0.{n}", "services": services}
    for n, (name, services) in enumerate(
        {"a": ["api", "web"], "b": ["api"], "c": ["api", "db"]}.items(), 1
    )
}
LEASE_S = 30.0


@dataclass
class World:
    """Three hosts, and the database: a folder into which migrations write."""

    root: Path
    events: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.database.mkdir()

    @property
    def database(self) -> Path:
        return self.root / "db"

    @property
    def ran(self) -> list[str]:
        """Every line that a migration wrote."""
        file = self.database / "ran"
        return file.read_text().split() if file.exists() else []

    def writes(self, line: str, seconds: float = 0.0) -> str:
        """A migration that takes some time, and says so at both ends."""
        ran = self.database / "ran"
        return f"echo {line} >> {ran}; sleep {seconds}; touch {self.database}/{line}"

    def release(self, version: str, *migrations: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """One version; the image of the API is its own."""
        image = f"registry.example.com/api@sha256:{digest(version)[7:]}"
        api = {"image": image, "migrate": list(migrations) or None, **more}
        waits = {"condition": "service_healthy", "required": True, "restart": False}
        services = {
            "db": service(),
            "api": service(depends_on={"db": waits}, **api),
            "web": service(depends_on={"api": waits}, image=image),
        }
        return release(services, version=version, hosts=PLACES, links={}, tasks={"api": "b"})

    def phase(self, name: str, state: str, message: str = "") -> None:
        """Of no interest."""

    def event(self, host: str, event: Mapping[str, Any]) -> None:
        """What a host began, in order."""
        if event.get("state") == "begin":
            self.events.append((host, str(event["step"])))

    def attach(self) -> Fleet:
        hosts = environment(PLACES, Switch(lease_s=LEASE_S))
        return attach(
            hosts, "hello", self, full=True, connect=lambda h: LocalPipes(self.root, h.name)
        )

    def deploy(self, new: Mapping[str, Any]) -> Report:
        """As ``tidegate deploy`` does; the hosts are asked what is due."""
        fleet = self.attach()
        return self._run(fleet, release=new, migrations=tuple(migrating(new, fleet.by_host)))

    def back(self, generation: int) -> Report:
        """As ``tidegate rollback`` does, had it not looked before."""
        return self._run(self.attach(), generation=generation, kind="rollback")

    def _run(self, fleet: Fleet, **attempt: Any) -> Report:
        self.events.clear()
        wanted = Attempt("production", "anna@laptop", witness=fleet.place, lease_s=LEASE_S)
        report = Runner(fleet.agents, replace(wanted, **attempt), self).run()
        fleet.close()
        return report

    def ledger(self, host: str) -> list[dict[str, Any]]:
        """A host's audit log."""
        file = self.root / host / ".local/share/tidegate/hello/ledger.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()]


@pytest.fixture
def world() -> Iterator[World]:
    """With short names for the sake of sockets."""
    with tempfile.TemporaryDirectory(prefix="tg-") as made:
        yield World(Path(made))


def migration(kind: str, script: str, check: str = "") -> dict[str, Any]:
    """An entry of ``migrate``: its words are for a shell."""
    unit = {"Container": [["Exec", script]], "Service": []}
    checked = {"Container": [["Exec", check]], "Service": []} if check else None
    return {
        "kind": kind, "command": ["m", kind], "check": ["c"] if check else [], "unit": unit,
        "check_unit": checked, "timeout_s": 20.0,
    }  # fmt: skip


def until(true: Callable[[], object], patience_s: float = 20.0) -> None:
    """Wait for something to be so."""
    deadline = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_once_in_an_environment_before_any_copy_that_needs_it(world: World) -> None:
    """The database starts, then one host migrates, then the API and what waits for it start."""
    report = world.deploy(world.release("1", migration("expand", world.writes("one"))))
    assert (report.end, report.error, world.ran) == (Phase.COMMITTED, None, ["one"])
    steps = [step for step in world.events if step[1].startswith(("start:", "expand:"))]
    assert steps[:2] == [("c", "start:db"), ("b", "expand:api")]
    assert sorted(steps[2:]) == [
        *(("a", "start:api"), ("a", "start:web"), ("b", "start:api"), ("c", "start:api"))
    ]
    for host in ("a", "b"):
        noted = [entry for entry in world.ledger(host) if entry["event"] == "migration.ran"]
        assert [(e["service"], e["kind"], e["during"]) for e in noted] == [
            ("api", "expand", "production/1")
        ]


def test_what_was_done_is_not_due(world: World) -> None:
    """The same image again has nothing to migrate; another one has, on one host of the plan."""
    first = world.release("1", migration("expand", world.writes("one")))
    world.deploy(first)
    fleet = world.attach()
    assert list(migrating(first, fleet.by_host)) == []
    assert plan_fleet(first, fleet.by_host).empty
    plans = plan_fleet(world.release("2", migration("expand", "true")), fleet.by_host).plans
    fleet.close()
    migrated = [h for h, p in plans.items() for a in p.actions if a.what == "migrate"]
    assert migrated == ["b"]
    actions = [(action.what, action.phase) for action in plans["b"].actions]
    assert actions == [("migrate", "prepare"), ("beside", "prepare")]


def test_a_failing_expand_stops_before_anything_switched(world: World) -> None:
    """With its last words; what served goes on, and mending it is an ordinary deployment."""
    world.deploy(world.release("1"))
    bad = world.release("2", migration("expand", "echo no such column; exit 3"))
    report = world.deploy(bad)
    assert report.end is Phase.REVERTED
    assert report.error is not None
    assert (report.error.code, report.error.exit_code) == ("task-failed", 1)
    assert "exit status 3" in report.error.message
    assert report.error.log == ("no such column",)
    begun = {step for _, step in world.events}
    assert not begun & {"switch", "start:api", "start:web"}
    assert [entry["event"] for entry in world.ledger("b")][-2:] == [
        "migration.failed", "service.rolledback"
    ]  # fmt: skip
    good = world.deploy(world.release("3", migration("expand", world.writes("three"))))
    assert (good.end, world.ran) == (Phase.COMMITTED, ["three"])


def test_a_check_that_passes_is_all(world: World) -> None:
    """Where the check ends with 0 the command is not run, and going back stays possible."""
    world.deploy(world.release("1"))
    script = world.writes("never")
    both = [migration(kind, script, check="true") for kind in ("expand", "contract")]
    report = world.deploy(world.release("2", *both))
    assert (report.end, report.error, world.ran) == (Phase.COMMITTED, None, [])
    fleet = world.attach()
    fleet.close()
    refuse_crossing(fleet, "production", 1)


@pytest.mark.parametrize("kind", ["expand", "contract"])
def test_a_tool_that_is_killed_meanwhile_runs_it_once(world: World, kind: str) -> None:
    """SIGKILL of the tool on the migrating host: who starts next waits for the same run."""
    killed = []

    def kill() -> None:
        until(lambda: world.ran)
        killed.append(world.ran)
        _kill(world, "b")

    killer = threading.Thread(target=kill)
    killer.start()
    report = world.deploy(world.release("1", migration(kind, world.writes("one", 1.5))))
    killer.join()
    assert (report.end, report.error) == (Phase.COMMITTED, None)
    assert killed == [["one"]]
    assert world.ran == ["one"]


@pytest.mark.parametrize("tool_too", [False, True])
def test_a_controller_that_dies_leaves_it_to_its_end(world: World, tool_too: bool) -> None:
    """The host waits for the migration, then undoes; the next deployment knows that it ran.

    ``tool_too``: the host's tool dies as well, and the one that is started next does so.
    """
    new = world.release("1", migration("expand", world.writes("one", 5.0)))
    alone = {"hosts": {"b": PLACES["b"]}, "services": {"api": new["services"]["api"]}}
    alone["services"]["api"]["depends_on"] = {}
    new = {**new, **alone}
    agent = _alone(world)
    lock = {"environment": "production", "owner": "anna@laptop", "lease_s": 1.0, "host": "b"}
    granted = agent.call("acquire", lock, timeout_s=60)
    ours: dict[str, Any] = {"deployment": granted["deployment"], "token": granted["token"]}
    args = {"release": new, "signature": "", "hold": ["api"]}
    assert agent.call("prepare", args, timeout_s=60, **ours)["started"] == ["api"]
    agent.begin("migrate", {"service": "api", "kind": "expand"}, **ours)
    until(lambda: world.ran)
    record = world.root / "b/.local/share/tidegate/hello/open.json"
    if tool_too:
        agent.persist(0)
        agent.close()
        _kill(world, "b")
        agent = _alone(world)
    until(lambda: not record.exists())  # the lease is over long before the migration
    assert (world.database / "one").exists()
    events = [entry["event"] for entry in world.ledger("b")]
    assert events == ["migration.ran", "service.rolledback"]
    agent.close()


def _alone(world: World) -> Agent:
    """Host b by itself, attached."""
    agent = Agent(LocalPipes(world.root, "b"), "hello", Artifact("0" * 12, world.root), _hear, str)
    agent.attach()
    return agent


def _kill(world: World, host: str) -> None:
    """SIGKILL to the tool on a host, and to nothing that it has started."""
    home = f"HOME={world.root / host}\0"
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "environ").read_bytes().decode(errors="replace")
            words = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if home in text and b"simulated.host" in words:
            os.kill(int(folder.name), signal.SIGKILL)


def _hear(host: str, event: Mapping[str, Any]) -> None:
    """Of no interest."""


def test_behind_a_contract_there_is_no_way_back(world: World) -> None:
    """It runs after the commit; then going back before it is refused, by each host, by name."""
    world.deploy(world.release("1"))
    contract = migration("contract", world.writes("gone"), check=f"test -e {world.database}/gone")
    report = world.deploy(world.release("2", contract))
    assert (report.end, report.error, world.ran) == (Phase.COMMITTED, None, ["gone"])
    last = [step for _, step in world.events if step.split(":")[0] in ("switch", "contract")]
    assert last == ["switch", "switch", "switch", "contract:api"]
    told = [entry["event"] for entry in world.ledger("a")]
    assert told[-3:] == ["service.deployed", "migration.contract", "migration.ran"]
    world.deploy(world.release("3", contract))
    assert world.ran == ["gone"]
    fleet = world.attach()
    refuse_crossing(fleet, "production", 2)
    with pytest.raises(RefusedError, match=r"production/1 .* api \(production/2\)"):
        refuse_crossing(fleet, "production", 1)
    fleet.close()
    back = world.deploy(world.release("1"))
    assert _code(back) == "contract-crossed"
    assert _code(world.back(1)) == "contract-crossed"
    fine = world.back(2)
    assert (fine.end, world.ran) == (Phase.COMMITTED, ["gone"])


def _code(report: Report) -> str:
    error: TidegateError | None = report.error
    assert error is not None
    assert isinstance(error, RefusedError)
    assert report.end is Phase.REVERTED
    return error.code


@pytest.mark.parametrize("deployed", [True, False])
def test_a_failing_contract_is_told_and_due_again(world: World, deployed: bool) -> None:
    """What was committed stays, and has something to do until it has run.

    Once it has, by the next deployment or by itself, going back to its own release is fine.
    """
    flag = world.database / "mended"
    script = f"test -e {flag} || exit 3; {world.writes('late')}"
    new = world.release("1", migration("contract", script))
    report = world.deploy(new)
    assert report.end is Phase.COMMITTED
    assert report.error is not None
    assert (report.error.code, report.error.exit_code) == ("contract-failed", 4)
    assert "production/1 is decided and serves" in report.error.message
    fleet = world.attach()
    fleet.close()
    assert not plan_fleet(new, fleet.by_host).empty
    flag.touch()
    if deployed:
        assert world.deploy(new).error is None
    else:
        fleet = world.attach()
        [(host, task, ran)] = contract("production", fleet)
        assert (host, task.service, ran) == ("b", "api", True)
        fleet.close()
    assert world.ran == ["late"]
    fleet = world.attach()
    assert plan_fleet(new, fleet.by_host).empty
    assert contract("production", fleet) == []
    fleet.close()
    refuse_crossing(fleet, "production", 1)
    assert world.deploy(world.release("2")).error is None
    assert world.back(1).error is None


def test_seed_data_runs_when_it_is_asked_for(world: World) -> None:
    """On the service's first host, each time once; a deployment never does it."""
    unit = {"Container": [["Exec", world.writes("seed")]], "Service": []}
    seeds = {"command": ["fill"], "timeout_s": 20.0, "unit": unit}
    world.deploy(world.release("1", seed=seeds))
    assert world.ran == []
    for count in (1, 2):
        fleet = world.attach()
        assert seed("production", fleet, ()) == {"api": "b"}
        fleet.close()
        assert world.ran == ["seed"] * count
    assert [entry["event"] for entry in world.ledger("b")][-2:] == ["data.seeded"] * 2
    fleet = world.attach()
    with pytest.raises(InputError, match="web has no seed data"):
        seed("production", fleet, ["web"])
    fleet.close()
    assert world.deploy(world.release("2", seed=seeds)).error is None
    assert world.ran == ["seed", "seed"]
