"""Data in volumes over redeployments: kept or lost exactly as docker compose would."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.semantics.site import Site, sh

pytestmark = pytest.mark.lab

DOCKERFILE = """\
FROM busybox:1
RUN mkdir /seeded /bare && echo image > /seeded/log && echo image > /bare/log
VOLUME /declared
"""
HOST = "/home/deploy/semantics"
TMPFS = {"type": "tmpfs", "target": "/tmp/sized", "tmpfs": {"size": "1m", "mode": 0o700}}
# target in the container -> how it is mounted
MOUNTS: dict[str, Any] = {
    "/named": "named:/named",
    "/seeded": "seeded:/seeded",
    "/bare": {"type": "volume", "source": "bare", "target": "/bare", "volume": {"nocopy": True}},
    "/anonymous": "/anonymous",
    "/made": f"{HOST}/made/deep:/made",
    "/there": {
        "type": "bind",
        "source": f"{HOST}/there",
        "target": "/there",
        "bind": {"create_host_path": False},
    },
    "/data": "./data/app:/data",
    "/outer": "outer:/outer",
    "/part": {
        "type": "volume",
        "source": "outer",
        "target": "/part",
        "volume": {"subpath": "inner"},
    },
    "/bound": "bound:/bound",
    "/memory": "memory:/memory",
    "/tmp/sized": TMPFS,
}
KEPT = ["/named", "/bare", "/anonymous", "/declared", "/made", "/there", "/data", "/outer"]
KEPT += ["/part", "/bound"]
LOST = ["/memory", "/tmp/sized", "/tmp/short", "/inside"]
# Each start of a container writes the version that it is of; what is there tells the story.
WRITE = 'for p in $$PLACES; do mkdir -p "$$p"; echo "$$VERSION" >> "$$p/log"; done'


def project(version: int, outer: str) -> dict[str, Any]:
    """Every kind of volume at one service, which writes into each at every start."""
    places = " ".join([*KEPT, "/seeded", *LOST])
    return {
        "services": {
            "app": {
                "build": ".",
                "command": sh(WRITE, "exec sleep 1d"),
                "stop_signal": "SIGKILL",
                "environment": {"VERSION": str(version), "PLACES": places},
                "tmpfs": ["/tmp/short:size=64k"],
                "volumes": list(MOUNTS.values()),
            },
            "reader": {
                "image": "busybox:1",
                "init": True,
                "command": "sleep 1d",
                "volumes": ["named:/look:ro"],
            },
            "pair": {
                "image": "busybox:1",
                "command": sh(WRITE, "exec sleep 1d"),
                "stop_signal": "SIGKILL",
                "scale": 2,
                "environment": {"VERSION": str(version), "PLACES": "/own"},
                "volumes": ["/own"],
            },
        },
        "volumes": {
            "named": {"labels": {"who": "we"}},
            "seeded": {},
            "bare": {},
            "outer": {"external": True, "name": outer},
            "bound": {"driver_opts": {"type": "none", "o": "bind", "device": f"{HOST}/bound"}},
            "memory": {"driver_opts": {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}},
        },
    }


def written(site: Site, *places: str) -> dict[str, str]:
    """The versions that wrote into each place, in order."""
    read = 'for p in "$@"; do echo "$p" $(cat "$p/log"); done'
    lines = site.exec("app", "sh", "-c", read, "sh", *places).splitlines()
    return {place: told for place, _, told in (line.partition(" ") for line in lines)}


def own(site: Site) -> list[str]:
    """What each copy of ``pair`` finds in its own anonymous volume."""
    names = [one["Name"] for one in site.containers("pair")]
    return sorted(site.podman("exec", name, "cat", "/own/log").replace("\n", " ") for name in names)


def test_data_over_redeployments(site: Site) -> None:
    """Two versions and a way back later each volume holds what it would with docker compose."""
    outer = f"{site.name}-outer"
    data = f"/home/deploy/.local/share/tidegate/{site.name}/data"
    site.podman("unshare", "rm", "-rf", HOST, data)
    site.on_server("mkdir", "-p", f"{HOST}/there", f"{HOST}/bound")
    site.podman("volume", "rm", "--force", outer)
    site.podman("volume", "create", outer)
    point = site.podman("volume", "inspect", "--format={{.Mountpoint}}", outer).strip()
    site.on_server("mkdir", f"{point}/inner")
    files = {"Dockerfile": DOCKERFILE}

    site.write(project(1, outer), files)
    site.deploy()
    assert written(site, *KEPT) == dict.fromkeys(KEPT, "1")
    assert written(site, "/seeded") == {"/seeded": "image 1"}
    assert site.exec("reader", "cat", "/look/log") == "1\n"
    assert (
        "Read-only"
        in site.server.run(
            ["podman", "exec", site.container("reader")["Name"], "touch", "/look/x"], check=False
        ).stderr
    )
    mode = site.exec("app", "stat", "-c", "%a", "/tmp/sized").strip()
    sizes = site.exec("app", "df", "-k", "/tmp/sized", "/tmp/short").split("\n")
    assert (mode, [line.split()[1] for line in sizes[1:3]]) == ("700", ["1024", "64"])

    site.write(project(2, outer), files)
    site.deploy()
    first = site.container("app")
    assert written(site, *KEPT) == dict.fromkeys(KEPT, "1 2")
    assert written(site, "/seeded") == {"/seeded": "image 1 2"}
    assert written(site, *LOST) == dict.fromkeys(LOST, "2")
    assert own(site) == ["1 2 ", "1 2 "]

    site.rollback()
    assert site.container("app")["Id"] != first["Id"]
    assert written(site, *KEPT) == dict.fromkeys(KEPT, "1 2 1")
    assert written(site, *LOST) == dict.fromkeys(LOST, "1")
    assert site.on_server("cat", f"{HOST}/made/deep/log", f"{HOST}/bound/log") == "1\n2\n1\n" * 2

    names = site.podman("volume", "ls", "--format={{.Name}}").split()
    ours = {name for name in names if name.startswith(f"{site.name}_")}
    assert {f"{site.name}_{key}" for key in ("named", "seeded", "bare", "bound")} < ours
    site.destroy()
    left = set(site.podman("volume", "ls", "--format={{.Name}}").split())
    assert (left & ours, outer in left) == (set(), True)


def test_what_is_missing_is_said_before_anything_changes(site: Site) -> None:
    """A bind source that nobody makes, an external volume: bad input, and what runs goes on."""
    app: dict[str, Any] = {"image": "busybox:1", "init": True, "command": "sleep 1d"}
    site.write({"services": {"app": {**app, "volumes": ["data:/d"]}}, "volumes": {"data": {}}})
    site.deploy()
    before = site.container("app")["Id"]

    def refused(mount: Any, **more: Any) -> str:
        services = {"app": {**app, "environment": {"A": "b"}, "volumes": ["data:/d", mount]}}
        volumes = {"data": {}, **more}
        site.write(json.dumps({"services": services, "volumes": volumes}, indent=1))
        said = site.deploy(code=2).stderr
        assert site.container("app")["Id"] == before
        return said

    bind = {"type": "bind", "target": "/b", "bind": {"create_host_path": False}}
    said = refused({**bind, "source": "./nowhere"})
    assert "services.app.volumes[1].source: nowhere is not in the project" in said
    assert "at compose.yaml:" in said
    said = refused({**bind, "source": "/srv/nowhere"})
    assert "app mounts /srv/nowhere, which is not on this host" in said
    said = refused("outer:/o", outer={"external": True, "name": "nobody-made-it"})
    assert "the external volume 'nobody-made-it' is not here" in said
    assert "podman volume create nobody-made-it" in said
    site.run("destroy", "production", "--yes")
    site.podman("volume", "rm", f"{site.name}_data")  # it was kept, so this finds it
