"""What engines say of their containers, in the shapes that each of them has."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tidegate.host import adopt
from tidegate.host.errors import HostError

# As `docker inspect` writes it: https://docs.docker.com/reference/api/engine/ ContainerInspect.
DOCKER: dict[str, Any] = {
    "Id": "4f1c",
    "Name": "/shop-db-1",
    "Image": "sha256:9c2d",
    "State": {"Status": "running", "Running": True},
    "Config": {
        "Image": "postgres:16",
        "Labels": {
            "com.docker.compose.project": "shop",
            "com.docker.compose.service": "db",
            "com.docker.compose.oneoff": "False",
        },
    },
    "HostConfig": {
        "PortBindings": {
            "5432/tcp": [{"HostIp": "127.0.0.1", "HostPort": "5432"}],
            "53/udp": [{"HostIp": "", "HostPort": "53"}],
            "9000/tcp": None,
        }
    },
    "Mounts": [
        {
            "Type": "volume",
            "Name": "shop_data",
            "Source": "/var/lib/docker/volumes/shop_data/_data",
            "Destination": "/var/lib/postgresql/data",
            "Driver": "local",
            "Mode": "z",
            "RW": True,
        },
        {"Type": "bind", "Source": "/srv/c", "Destination": "/c", "Mode": "ro", "RW": False},
        {"Type": "tmpfs", "Source": "", "Destination": "/run", "RW": True},
    ],
}
# As `podman inspect` 5.4 writes it, of a container that podman-compose made and systemd runs.
PODMAN: dict[str, Any] = {
    "Id": "77aa",
    "Name": "shop_db_1",
    "ImageName": "docker.io/library/postgres:16",
    "State": {"Status": "exited", "Running": False},
    "Config": {
        "Image": "docker.io/library/postgres:16",
        "Labels": {
            "io.podman.compose.project": "shop",
            "io.podman.compose.service": "db",
            "PODMAN_SYSTEMD_UNIT": "db.service",
        },
    },
    "HostConfig": {"PortBindings": {}},
    "Mounts": [{"Type": "bind", "Source": "/home/x/d", "Destination": "/d", "RW": True}],
}


def test_docker_is_understood() -> None:
    """Names without their slash, TCP ports of the host, what can be written to."""
    assert adopt._service(DOCKER, "shop", {}) == "db"
    facts = adopt._facts("docker", DOCKER, "db")
    assert (facts["name"], facts["image"], facts["ports"]) == ("shop-db-1", "postgres:16", [5432])
    assert [(m["name"], m["target"]) for m in facts["mounts"]] == [
        ("shop_data", "/var/lib/postgresql/data")
    ]
    assert facts["running"]


def test_podman_is_understood() -> None:
    """Labels of podman-compose, and the unit that runs it."""
    assert adopt._service(PODMAN, "shop", {}) == "db"
    facts = adopt._facts("podman", PODMAN, "db")
    assert (facts["unit"], facts["running"], facts["ports"]) == ("db.service", False, [])
    assert facts["mounts"] == [{"kind": "bind", "name": "", "source": "/home/x/d", "target": "/d"}]


@pytest.mark.parametrize(
    ("project", "named", "labels", "service"),
    [
        ("blog", {}, {}, ""),
        ("blog", {"cache": "shop-db-1"}, {}, "cache"),
        ("blog", {"cache": "4f1c"}, {}, "cache"),
        ("shop", {}, {"tidegate.instance": "shop"}, ""),
        ("shop", {}, {"com.docker.compose.oneoff": "True"}, ""),
        ("shop", {"db": "shop-db-1"}, {"tidegate.once": "shop"}, ""),
    ],
)
def test_whose_a_container_is(
    project: str, named: dict[str, str], labels: dict[str, str], service: str
) -> None:
    """Of a compose project, or by name; never one that is ours already."""
    config = {**DOCKER["Config"], "Labels": {**DOCKER["Config"]["Labels"], **labels}}
    assert adopt._service({**DOCKER, "Config": config}, project, named) == service


def test_a_copy_that_breaks_is_an_error() -> None:
    """Whichever end of it, with its last words; one that is whole is none."""
    write = [sys.executable, "-c", "import sys; sys.stdout.write('x' * 300000)"]
    read = [sys.executable, "-c", "import sys; assert len(sys.stdin.read()) == 300000"]
    broken = [sys.executable, "-c", "import sys; sys.stdin.read(9); sys.exit('no space left')"]
    adopt._pipe(write, read)
    with pytest.raises(HostError) as caught:
        adopt._pipe(write, broken)
    assert caught.value.log == ["no space left"]
    with pytest.raises(HostError) as caught:
        adopt._pipe([sys.executable, "-c", "import sys; sys.exit('unreadable')"], ["cat"])
    assert caught.value.log == ["unreadable"]


def test_who_needs_whom_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Podman removes none that others were made to need: it is asked again."""
    there, asked = {"db", "web"}, []

    def run(argv: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        asked.append(argv[-1])
        if argv[-1] == "db" and "web" in there:
            return subprocess.CompletedProcess(argv, 1)
        there.discard(argv[-1])
        return subprocess.CompletedProcess(argv, 0)

    monkeypatch.setattr(adopt, "run", run)
    adopt._remove([{"engine": "podman", "id": i, "unit": ""} for i in ("db", "web")])
    assert there == set()
    assert asked == ["db", "web", "db"]
