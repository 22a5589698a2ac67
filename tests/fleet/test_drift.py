"""What somebody changed on one host of a fleet: shown by name, mended, never overwritten unseen."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fleet.fleet import Fleet
from tests.semantics.site import until
from tests.semantics.test_secret_variables import secrets

pytestmark = pytest.mark.lab

COMPOSE = """\
services:
  edited:
    image: busybox:1
    init: true
    command: httpd -f -p 8000 -h /etc
    ports: ["8080:8000"]
  removed: {image: busybox:1, init: true, command: sleep 1d, restart: "no"}
  hidden: {image: busybox:1, init: true, command: sleep 1d, environment: {KEY: "${KEY}"}}
"""
UNITS = ".config/containers/systemd"
THEIRS = "[Container]\nImage=theirs\n"


def found(fleet: Fleet) -> dict[str, dict[str, str]]:
    """Host → subject → kind, as status has it."""
    return {
        host: {item["subject"]: item["kind"] for item in seen["drift"]}
        for host, seen in fleet.status().items()
    }


def ids(fleet: Fleet) -> list[list[str]]:
    """The containers of every host."""
    return [sorted(str(one["Id"]) for one in host.containers()) for host in fleet.hosts]


def key(fleet: Fleet) -> dict[str, Any]:
    """The secret of the service on the second host, as podman has it."""
    host, name = fleet.hosts[1], f"{fleet.site.name}_hidden_KEY"
    stored = host.podman("secret", "ls", "--format={{.Name}}").split()
    (mine,) = [each for each in stored if each.startswith(name)]
    shown: list[dict[str, Any]] = json.loads(host.podman("secret", "inspect", mine))
    return shown[0]


def disturb(fleet: Fleet) -> None:
    """Edit a unit, mark and all; remove a container; put another value into a secret."""
    name, host = fleet.site.name, fleet.hosts[1]
    unit = f"{UNITS}/{name}-edited-a.container"
    host.on_server("sh", "-c", f"sed -i 1d {unit}; echo '# by hand' >> {unit}")
    host.podman("rm", "--force", "--time=0", f"{name}-removed-a")
    words = f"podman secret create --replace --label tidegate.instance={name}"
    host.on_server("sh", "-c", f"printf other | {words} {key(fleet)['Spec']['Name']} -")


def test_drift_on_one_host_is_mended(fleet: Fleet) -> None:
    """By name and host in status and plan; the other hosts keep their containers."""
    name, host = fleet.site.name, fleet.hosts[1]
    fleet.write(COMPOSE, {}, secrets="production.age")
    secrets(fleet.site, "set", "production", "KEY", given="sesame")
    fleet.deploy()
    before = ids(fleet)
    assert found(fleet) == {each.server.name: {} for each in fleet.hosts}

    disturb(fleet)
    wrong = {
        f"{name}-edited-a.container": "edited",
        "removed": "stopped",
        f"{name}_hidden_KEY": "secret",
    }
    until(lambda: found(fleet)[host.server.name], lambda seen: seen == wrong)
    plan = fleet.site.run("plan", "production").stdout
    _, head, told = plan.partition(host.server.name)
    assert head
    assert all(subject in told for subject in wrong), plan

    said = fleet.deploy().stderr
    for subject in wrong:
        assert f"mended: {host.server.name}: {subject}" in said
    assert found(fleet) == {each.server.name: {} for each in fleet.hosts}
    after = ids(fleet)
    assert (after[0], after[2]) == (before[0], before[2])
    assert host.exec("hidden", "sh", "-c", "echo $KEY").strip() == "sesame"
    assert f"{name}-edited-a.container" not in host.on_server("ls", UNITS)
    assert "No changes" in fleet.deploy().stdout

    unit = f"{UNITS}/{name}-edited-b.container"
    host.on_server("sed", "-i", "1d", unit)
    fleet.site.destroy()
    assert name not in host.on_server("ls", UNITS)


def test_a_stranger_is_not_overwritten(fleet: Fleet) -> None:
    """What needs its name is refused; what is only named like ours is left alone, and told."""
    name, host = fleet.site.name, fleet.hosts[2]
    text = COMPOSE.replace("${KEY}", "1")
    fleet.write(text, {})
    fleet.deploy()
    taken, alone = f"{name}-removed-b.container", f"{name}-backup.container"
    for file in (taken, alone):
        host.on_server("sh", "-c", f"cat > {UNITS}/{file}", given=THEIRS)
    assert found(fleet)[host.server.name] == {taken: "stranger", alone: "stranger"}
    assert taken in fleet.deploy().stdout

    fleet.write(text.replace("1d", "2d"), {})
    plan = fleet.site.run("plan", "production").stdout
    assert "a deployment needs its name" in plan
    before = ids(fleet)
    refused = json.loads(fleet.deploy("--json", code=3).stderr.splitlines()[-1])["data"]
    assert refused["code"] == "name-taken"
    assert host.server.name in refused["message"]
    assert taken in refused["message"]
    assert ids(fleet) == before
    assert host.on_server("cat", f"{UNITS}/{taken}") == THEIRS

    host.on_server("rm", f"{UNITS}/{taken}")
    host.podman("create", f"--name={name}-removed-b", "docker.io/library/busybox:1", "true")
    assert f"the container {name}-removed-b" in fleet.deploy(code=3).stderr
    host.podman("rm", f"{name}-removed-b")
    said = fleet.deploy().stderr
    assert f"warning: {host.server.name}: {alone}" in said
    assert host.on_server("cat", f"{UNITS}/{alone}") == THEIRS
    host.on_server("rm", f"{UNITS}/{alone}")
