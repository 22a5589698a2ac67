"""Three hosts as one: services in their places, switched together, put back together."""

from __future__ import annotations

import json
import time

import pytest

from tests.fleet.fleet import WEB, Fleet, kill
from tests.semantics.site import until
from tidegate.lab import Lab

pytestmark = pytest.mark.lab

COMPOSE = """\
services:
  db:
    image: postgres:17
    environment: {POSTGRES_PASSWORD: secret, POSTGRES_DB: shop}
    volumes: [data:/var/lib/postgresql/data]
    healthcheck: {test: [CMD, pg_isready, -U, postgres], interval: 1s}
  migrate:
    image: postgres:17
    environment: {PGPASSWORD: secret}
    command: psql -h db -U postgres shop -c "create table if not exists orders (host text)"
    depends_on: {db: {condition: service_healthy}}
  api:
    image: postgres:17
    environment: {PGPASSWORD: secret, VERSION: "%(version)s"}
    init: true
    command: sleep 1d
    depends_on: {migrate: {condition: service_completed_successfully}}
    healthcheck: {test: [CMD, psql, -h, db, -U, postgres, shop, -c, select 1], interval: 1s}
volumes: {data: {}}
"""
PLACES = {"db": {"on": "db", "stateful": True}, "api": {"on": "web"}}
INSERT = ("psql", "-h", "db", "-U", "postgres", "shop", "-c", "insert into orders values ('x')")
COUNT = ("psql", "-h", "db", "-U", "postgres", "shop", "-tAc", "select count(*) from orders")


def test_placed(fleet: Fleet) -> None:
    """Each service runs where it is placed and is reached by its compose name from everywhere."""
    fleet.write(COMPOSE % {"version": "1"}, PLACES)
    fleet.deploy()
    first, second, third = fleet.hosts
    assert [len(host.containers("db")) for host in fleet.hosts] == [1, 0, 0]
    assert [len(host.containers("api")) for host in fleet.hosts] == [0, 1, 1]
    assert [len(host.log(f"{fleet.site.name}-migrate")) for host in fleet.hosts].count(0) == 2
    second.exec("api", *INSERT)
    third.exec("api", *INSERT)
    assert third.exec("api", *COUNT).strip() == "2"
    database = first.container("db")["State"]["Pid"]

    fleet.write(COMPOSE % {"version": "2"}, PLACES)
    said = fleet.deploy().stdout
    assert "all hosts switched within" in said
    assert first.container("db")["State"]["Pid"] == database
    assert second.exec("api", *COUNT).strip() == "2"
    assert "No changes" in fleet.deploy().stdout


def test_together(fleet: Fleet) -> None:
    """One host fails, and all stay as they were; at the end all have the same history."""
    fleet.write(WEB % {"version": "1"}, {})
    fleet.deploy()
    assert fleet.answers() == ["1", "1", "1"]

    fleet.hosts[2].on_server("sh", "-c", "mkdir -p marks && touch marks/bad")
    fleet.write(WEB % {"version": "bad"}, {})
    said = fleet.deploy(code=1).stderr
    assert fleet.hosts[2].server.name in said
    assert fleet.answers() == ["1", "1", "1"]
    assert len(set(fleet.generations())) == 1

    fleet.write(WEB % {"version": "3"}, {}, switch={"watch": "300ms", "batch": 1})
    fleet.deploy()
    assert fleet.answers() == ["3", "3", "3"]
    fleet.site.rollback()
    assert fleet.answers() == ["1", "1", "1"]


def test_the_controller_dies_after_the_switch(fleet: Fleet) -> None:
    """Hosts that voted ask the witness when their lease ends, and all go back together."""
    fleet.write(WEB % {"version": "1"}, {})
    fleet.deploy()
    long = {"watch": "1h", "lease": "5s"}
    fleet.write(WEB % {"version": "2"}, {}, switch=long)
    running = fleet.begin()
    assert fleet.answers() == ["2", "2", "2"]
    kill(running)
    until(fleet.answers, lambda found: found == ["1", "1", "1"], patience_s=60)
    fleet.ended()
    fleet.write(WEB % {"version": "3"}, {})
    fleet.deploy()
    assert fleet.answers() == ["3", "3", "3"]


def test_a_silent_witness_is_waited_for(fleet: Fleet) -> None:
    """A host in doubt keeps both versions and serves; it obeys as soon as the witness answers."""
    fleet.write(WEB % {"version": "1"}, {})
    fleet.deploy()
    fleet.write(WEB % {"version": "2"}, {}, switch={"watch": "1h", "lease": "5s"})
    running = fleet.begin()
    witness, *others = fleet.hosts
    witness.server.kill()
    kill(running)
    state = f".local/share/tidegate/{fleet.site.name}/open.json"
    until(
        lambda: {json.loads(host.on_server("cat", state))["state"] for host in others},
        lambda found: found == {"in-doubt"},
        patience_s=40,
    )
    time.sleep(3)
    assert [host.get(8080) for host in others] == ["2", "2"]
    witness.server.start()
    until(lambda: not witness.closed(8080), patience_s=60)  # callers wait while it starts
    until(fleet.answers, lambda found: found == ["1", "1", "1"], patience_s=90)
    fleet.ended()


@pytest.mark.parametrize("what", ["shell", "forward", "commit", "other project"])
def test_a_peers_key_can_propose_abort_and_nothing_else(fleet: Fleet, what: str) -> None:
    """No shell, no forwarding, no commit, no other project."""
    fleet.write(WEB % {"version": "1"}, {})
    fleet.deploy()
    witness, peer = fleet.hosts[:2]
    root = f".local/share/tidegate/{fleet.site.name}"
    options = "-o BatchMode=yes -o IdentitiesOnly=yes -o HostKeyAlias=tidegate-witness"
    known = f"-o UserKnownHostsFile={root}/known"
    key = f"-i {root}/peer_ed25519"
    place = f"deploy@{witness.server.address}"
    keys = witness.on_server("sh", "-c", "cat /etc/ssh/ssh_host_*_key.pub").splitlines()
    lines = "".join(f"tidegate-witness {' '.join(line.split()[:2])}\n" for line in keys)
    peer.on_server("sh", "-c", f"cat > {root}/known", given=lines)
    ssh = f"ssh {options} {known} {key}"

    def ask(words: str, question: object) -> str:
        command = f"{ssh} {words} {place} id; true"
        return peer.on_server("sh", "-c", command, given=json.dumps(question) + "\n")

    good = {"v": 1, "deployment": "production/1", "outcome": "abort"}
    if what == "shell":
        assert "uid=" not in ask("-tt", good)
        assert json.loads(ask("", good)) == {"outcome": "commit"}
    elif what == "forward":
        command = f"{ssh} -o ExitOnForwardFailure=yes -N -L 127.0.0.1:4444:127.0.0.1:22 {place} & "
        command += "sleep 2; echo | timeout 3 nc 127.0.0.1 4444; kill %1"
        assert "SSH-" not in peer.on_server("bash", "-mc", command, check=False)
    elif what == "commit":
        answer = json.loads(ask("", {**good, "outcome": "commit"}))
        assert answer["error"]["code"] == "abort-only"
    else:
        answer = json.loads(ask("", {**good, "deployment": "production/999", "project": "other"}))
        assert answer["error"]["code"] == "unknown-deployment"


def test_rollback_alone(fleet: Fleet) -> None:
    """With no controller at all: the witness goes back, and each host follows it."""
    for version in ("1", "2"):
        fleet.write(WEB % {"version": version}, {})
        fleet.deploy()
    command = ("tidegate-host", "rollback", "--project", fleet.site.name)
    witness, *others = fleet.hosts
    refused = others[0].on_server("sh", "-c", f".local/bin/{' '.join(command)} 2>&1; true")
    assert "the witness was not rolled back" in refused
    assert fleet.answers() == ["2", "2", "2"]
    for host in (witness, *others):
        host.on_server("sh", "-c", f".local/bin/{' '.join(command)}")
    assert fleet.answers() == ["1", "1", "1"]
    assert len(set(fleet.generations())) == 1
    fleet.write(WEB % {"version": "4"}, {})
    fleet.deploy()
    assert fleet.answers() == ["4", "4", "4"]


def test_a_host_is_drained_and_given_back(fleet: Fleet) -> None:
    """By deployments like any other; later ones leave it empty until then."""
    fleet.write(WEB % {"version": "1"}, {})
    fleet.deploy()
    last = fleet.hosts[2]
    fleet.site.run("host", "drain", last.server.name)
    assert last.containers() == []
    assert [host.get(8080) for host in fleet.hosts[:2]] == ["1", "1"]
    fleet.write(WEB % {"version": "2"}, {})
    fleet.deploy()
    assert last.containers() == []
    fleet.site.run("host", "drain", last.server.name, "--back")
    assert fleet.answers() == ["2", "2", "2"]
    refused = fleet.site.run("host", "drain", fleet.hosts[0].server.name, code=2).stderr
    assert "is the witness" in refused


def test_a_host_is_removed_and_comes_back(fleet: Fleet) -> None:
    """Nothing of the project runs or is named there; the others go on, and it may return."""
    fleet.write(WEB % {"version": "1"}, {})
    fleet.deploy()
    last, name = fleet.hosts[2], fleet.site.name
    said = fleet.site.run("host", "remove", last.server.name).stdout
    assert "take it out of tidegate.yaml" in said
    assert last.containers() == []
    left = "ls .config/containers/systemd; podman network ls; podman secret ls"
    assert name not in last.on_server("sh", "-c", left)
    fleet.write(WEB % {"version": "2"}, {}, without=2)
    fleet.deploy()
    assert [host.get(8080) for host in fleet.hosts[:2]] == ["2", "2"]
    fleet.write(WEB % {"version": "3"}, {})
    fleet.deploy()
    assert fleet.answers() == ["3", "3", "3"]


def test_the_witness_moves(fleet: Fleet) -> None:
    """Another host takes the office over, numbers go on, and the one before gives no lock."""
    fleet.write(WEB % {"version": "1"}, {})
    fleet.deploy()
    fleet.write(WEB % {"version": "2"}, {}, witness=1)
    fleet.deploy()
    assert fleet.answers() == ["2", "2", "2"]
    names = {str(seen["witness"]) for seen in fleet.status().values()}
    assert names == {fleet.hosts[1].server.name}
    numbers = {seen["deployment"] for seen in fleet.status().values()}
    assert len(numbers) == 1
    fleet.write(WEB % {"version": "3"}, {}, witness=1)
    fleet.deploy()
    assert fleet.answers() == ["3", "3", "3"]


def test_a_witness_is_lost_for_good(fleet: Fleet) -> None:
    """The others end what is in doubt together, and go on with a new witness."""
    fleet.write(WEB % {"version": "1"}, {})
    fleet.deploy()
    fleet.write(WEB % {"version": "2"}, {}, switch={"watch": "1h", "lease": "5s"})
    running = fleet.begin()
    lost, *others = fleet.hosts
    lost.server.kill()
    kill(running)
    try:
        fleet.write(WEB % {"version": "3"}, {}, without=0, witness=1)
        said = fleet.site.run("resolve", "production", "--lost", lost.server.name, "--yes").stderr
        assert said.count("ends with abort") == 2
        assert [host.get(8080) for host in others] == ["1", "1"]
        fleet.deploy()
        assert [host.get(8080) for host in others] == ["3", "3"]
        fleet.site.destroy()
    finally:  # one that comes back must be made anew
        lost.server.remove()
        Lab.up((lost.server.name,))
