"""Which container gives way to which service, and the way of every place of its data."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.schemas import check
from tests.targets.quadlet.projects import of_project, project
from tidegate.cli.adopt import text
from tidegate.cli.output import envelope
from tidegate.errors import InputError
from tidegate.host.layout import compute
from tidegate.plan.adoption import adoption, risky

COMPOSE = """\
services:
  web: {image: "x:1", ports: ["8080:80"]}
  db:
    image: postgres:16
    volumes: ["data:/var/lib/data/", "./conf:/etc/conf:ro", "./rw:/rw", "/srv/in:/srv/in", "/cache"]
volumes: {data: {}}
"""
HOME = "/home/old/shop"


def release(**more: Any) -> dict[str, Any]:
    """The project ``p`` as it would be deployed."""
    return of_project(project(COMPOSE), files={"conf": ["a.conf"]}, **more)


def container(service: str, *mounts: tuple[str, str, str], **facts: Any) -> dict[str, Any]:
    """What a host says of a container; mounts are kind, name or path, and target."""
    return {
        "engine": "podman",
        "id": f"id-{service}",
        "name": f"p-{service}-1",
        "service": service,
        "image": "docker.io/library/db:1",
        "unit": "",
        "running": True,
        "ports": [],
        "mounts": [
            {
                "kind": kind,
                "name": place if kind == "volume" else "",
                "source": place if kind == "bind" else f"/volumes/{place}",
                "target": target,
            }
            for kind, place, target in mounts
        ],
        **facts,
    }


EVERYTHING = (
    ("volume", "p_data", "/var/lib/data"),
    ("bind", f"{HOME}/rw", "/rw"),
    ("bind", "/srv/in", "/srv/in"),
    ("volume", "3f9a", "/cache"),
    ("volume", "old_extra", "/extra"),
)


def places(engine: str, **more: Any) -> dict[str, tuple[str, str, str]]:
    """What becomes of everything that the database's container keeps."""
    found = adoption(
        release(**more), {"found": [container("db", *EVERYTHING, engine=engine)], "unseen": []}
    )
    return {data.target: (data.what, data.old, data.new) for data in found.services[0].data}


def test_data_finds_its_place() -> None:
    """By name where it can stay, copied where it must move, left where nothing wants it."""
    assert places("podman") == {
        "/var/lib/data": ("kept", "p_data", "p_data"),
        "/rw": ("copied", f"{HOME}/rw", "rw"),
        "/srv/in": ("kept", "/srv/in", "/srv/in"),
        "/cache": ("copied", "3f9a", "p_db-anonymous-cache"),
        "/extra": ("left", "old_extra", ""),
    }


def test_another_engine_or_another_name_is_copied() -> None:
    """Docker's volumes are not Podman's, and an environment may have a name of its own."""
    assert places("docker")["/var/lib/data"] == ("copied", "p_data", "p_data")
    assert places("docker")["/srv/in"] == ("kept", "/srv/in", "/srv/in")
    own = places("podman", instance="p-staging")
    assert own["/var/lib/data"] == ("copied", "p_data", "p-staging_data")


def test_what_a_host_is_told() -> None:
    """Which containers step aside, and each copy with its source and its place."""
    found = [container("db", *EVERYTHING), container("web", ports=[8080]), container("mail")]
    told = adoption(release(), {"found": found, "unseen": ["docker: permission denied"]})
    assert told.told is not None
    assert [one["name"] for one in told.told["containers"]] == ["p-db-1", "p-web-1"]
    assert told.told["containers"][1]["ports"] == [8080]
    assert [(c["target"], c["volume"], c["to"]) for c in told.told["copies"]] == [
        ("/rw", "", {"folder": "rw"}),
        ("/cache", "3f9a", {"volume": "p_db-anonymous-cache"}),
    ]
    assert told.left == ("p-mail-1",)
    check(envelope("adoption", {"environment": "production", "hosts": {"one": told.as_dict()}}))
    shown = text("one", told)
    for words in (
        "/var/lib/data in p_data",
        "used as it is",
        "left alone: p-mail-1",
        "docker: per",
    ):
        assert words in shown
    assert adoption(release(), {"found": [], "unseen": []}).told is None


@pytest.mark.parametrize(
    ("image", "risk"),
    [
        ("docker.io/library/db:1", False),
        ("db:1", False),
        ("docker.io/library/db:2", True),
        ("docker.io/library/mydb:1", True),
    ],
)
def test_data_that_meets_another_image(image: str, risk: bool) -> None:
    """Is told; one without data may be anything."""
    whole = release()
    found = [container("db", *EVERYTHING, image=image), container("web", image="other:9")]
    told = adoption(whole, {"found": found, "unseen": []})
    assert bool(risky({"one": told})) is risk


def test_a_mount_that_only_podman_reads() -> None:
    """Its place cannot be told, so it is bad input rather than lost data."""
    odd = of_project(project(COMPOSE.replace("./rw:/rw", "./r w:/rw")))
    with pytest.raises(InputError, match="keeps /rw cannot be told"):
        adoption(odd, {"found": [container("db", *EVERYTHING)], "unseen": []})


def test_a_network_that_stands_is_taken_as_it_is() -> None:
    """Its subnet, and addresses that Podman gives last there."""
    laid = compute(
        release(), 1, None, None, [], {}, (), {"p_default": ["fd00::/64", "10.89.3.0/24"]}
    )
    assert laid["networks"]["default"] == {
        "subnet": "10.89.3.0/24",
        "gateway": "10.89.3.1",
        "range": "10.89.3.0/25",
    }
    spots = {place: at["default"] for place, at in laid["addresses"].items()}
    assert min(int(address.rpartition(".")[2]) for address in spots.values()) >= 128
