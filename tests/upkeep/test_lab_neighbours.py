"""Two projects, and two environments of one of them, on one server: nothing is shared."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.edges.test_courier import Hook, listening
from tests.fleet.fleet import kill
from tests.semantics.site import Site, until
from tidegate.lab import Lab

pytestmark = pytest.mark.lab

# What it says on its port: who it is, and who answers under the name of its neighbour `db`.
COMPOSE = """\
services:
  web:
    image: busybox:1
    init: true
    command: [sh, -c, "mkdir -p /w/cgi-bin; echo $$WHO > /w/index.html; cp /ask /w/cgi-bin/db;
      chmod +x /w/cgi-bin/db; exec httpd -f -p 8000 -h /w"]
    environment: {WHO: "$WHO"}
    ports: ["$PORT:8000"]
    volumes: ["./ask:/ask:ro"]
    depends_on: [db]
  db:
    image: busybox:1
    init: true
    command: [sh, -c, "echo db of $$WHO > /data/index.html; exec httpd -f -p 8000 -h /data"]
    environment: {WHO: "$WHO"}
    expose: ["8000"]
    volumes: ["data:/data"]
volumes: {data: }
"""
ASK = "#!/bin/sh\necho\nwget -q -O - http://db:8000/\n"


def write(site: Site, places: dict[str, tuple[str, int]], **more: Any) -> None:
    """The next version: each environment's words and port, all on the one server."""
    host = {site.server.name: {"ssh": f"deploy@{site.server.address}"}}
    environments = {
        name: {
            "hosts": host,
            "variables": {"WHO": who, "PORT": str(port)},
            "switch": {"watch": "300ms", **more.get(name, {}).get("switch", {})},
            **{k: v for k, v in more.get(name, {}).items() if k != "switch"},
        }
        for name, (who, port) in places.items()
    }
    notify = more.get("notify", [])
    settings = {"environments": environments, "notify": notify}
    site.write(more.get("compose", COMPOSE), {"ask": ASK}, settings=settings)


def answers(site: Site, *ports: int) -> list[tuple[str, str]]:
    """Who answers at each port, and who its database is."""
    return [(site.get(port), site.get(port, "/cgi-bin/db")) for port in ports]


def own(who: str) -> tuple[str, str]:
    """What a service says that only knows its own."""
    return who, f"db of {who}"


def test_neighbours(site: Site, lab: Lab, tmp_path: Path) -> None:
    """Each has its own services, names, data, numbers and lock; a port is taken only once."""
    blog = Site.make(site.server, tmp_path / "blog", "neighbour-blog", lab.env())
    write(site, {"staging": ("shop-staging", 8081), "production": ("shop", 8080)})
    write(blog, {"production": ("blog", 8082)})
    try:
        site.run("deploy", "staging")
        site.run("deploy", "production")
        blog.run("deploy", "production")
        everybody = [own("shop"), own("shop-staging"), own("blog")]
        assert answers(site, 8080, 8081, 8082) == everybody
        for name, place in (("staging", "shop-staging"), ("production", "shop")):
            told = site.run(
                "exec", "web", "--environment", name, "--", "sh", "-c", "echo $WHO"
            ).stdout
            assert told == f"{place}\n"
            logs = json.loads(site.run("logs", "--environment", name, "--json").stdout)
            assert {e["copy"] for e in logs["data"]["entries"]} <= {"web-a", "db"}
        for where, name in ((site, "staging"), (site, "production"), (blog, "production")):
            entries = json.loads(where.run("history", name, "--json").stdout)["data"]["entries"]
            assert [entry["deployment"] for entry in entries] == [f"{name}/1"]

        # A port that a neighbour has is refused by its owner's name, and nothing changes.
        write(blog, {"production": ("blog", 8080)})
        refused = blog.run("deploy", "production", code=2).stderr
        assert f"{site.name}-production" in refused
        assert answers(site, 8080, 8081, 8082) == everybody

        # One goes away with its data; the others stay as they are.
        write(blog, {"production": ("blog", 8082)})
        site.run("destroy", "staging", "--volumes", "--yes")
        assert site.closed(8081)
        assert answers(site, 8080, 8082) == [own("shop"), own("blog")]
        volumes = site.podman("volume", "ls", "--format", "{{.Name}}").split()
        assert f"{site.name}-production_data" in volumes
        assert f"{site.name}-staging_data" not in volumes
    finally:
        blog.run("destroy", "production", "--volumes", "--yes", code=None)
        site.run("destroy", "production", "--volumes", "--yes", code=None)
        (site.folder / "tidegate.yaml").unlink()


def test_an_environment_gets_a_neighbour(site: Site) -> None:
    """It keeps its name and its data; under another name it would have neither."""
    write(site, {"production": ("alone", 8080)})
    site.run("deploy", "production")
    site.exec("db", "sh", "-c", "echo mine > /data/mine")
    both = {"production": ("alone", 8080), "staging": ("new", 8081)}
    write(site, both)
    told = json.loads(site.run("deploy", "production", "--json", code=2).stderr)["data"]
    assert told["code"] == "instance-renamed"
    assert f"instance: {site.name}`" in told["hint"]
    assert site.get(8080) == "alone"
    write(site, both, production={"instance": site.name})
    assert "No changes" in site.run("deploy", "production").stdout
    site.run("deploy", "staging")
    assert answers(site, 8080, 8081) == [own("alone"), own("new")]
    assert site.exec("db", "cat", "/data/mine").strip() == "mine"
    site.run("destroy", "staging", "--volumes", "--yes")
    site.run("destroy", "production", "--volumes", "--yes")
    (site.folder / "tidegate.yaml").unlink()


def test_locks_are_of_an_environment(site: Site) -> None:
    """While staging is being deployed production can be; the same one is refused by name."""
    slow = {"switch": {"watch": "1h", "lease": "5s"}}
    write(site, {"staging": ("a", 8081), "production": ("b", 8080)}, staging=slow)
    anna = replace(site, environment={**site.environment, "LOGNAME": "anna"})
    events = site.folder.parent / "events"
    argv = [sys.executable, "-m", "tidegate", "deploy", "staging", "--events", str(events)]
    running = subprocess.Popen(
        argv, cwd=site.folder, env=anna.environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        until(lambda: events.exists() and '"phase": "watch"' in events.read_text(), patience_s=60)
        site.run("deploy", "production")
        assert site.get(8080) == "b"
        refused = json.loads(site.run("deploy", "staging", "--json", code=3).stderr)["data"]
        assert refused["code"] == "locked"
        assert "staging/1 is open: anna@" in refused["message"]
    finally:
        kill(running)
    hosts = ("status", "staging", "--json")
    until(lambda: '"open": null' in site.run(*hosts).stdout, patience_s=60)
    assert site.closed(8081)
    site.run("destroy", "staging", "--volumes", "--yes")
    site.run("destroy", "production", "--volumes", "--yes")
    (site.folder / "tidegate.yaml").unlink()


def test_people_are_told(site: Site) -> None:
    """Of what serves, of what failed and of going back; a hook that is down changes nothing."""
    with listening(Hook()) as hook:
        notify = [{"to": "${HOOK}", "on": ["failed", "rolledback"]}, {"to": "${HOOK}/all"}]
        there = {**site.environment, "HOOK": f"http://{hook.address}"}
        told = replace(site, environment=there)
        write(told, {"production": ("one", 8080)}, notify=notify)
        told.deploy("--reason", "first light")
        write(told, {"production": ("two", 8080)}, notify=notify)
        told.deploy()
        broken = COMPOSE.replace("exec httpd -f -p 8000 -h /w", "exit 1")
        write(told, {"production": ("two", 8080)}, notify=notify, compose=broken)
        told.deploy(code=1)
        told.rollback()
        test = json.loads(told.run("notify", "--message", "hello", "--json").stdout)["data"]
        assert [one["why"] for one in test["told"]] == ["", ""]
    first = f"{site.name}: production"
    titles: dict[str, list[list[str]]] = {"/": [], "/all": []}
    for path, body in hook.heard:
        titles[path].append(body["title"].removeprefix(first).split(" ")[:2])
    went = [["/3", "failed"], ["/4", "went"]]
    assert titles["/"][:2] == went
    assert titles["/all"][:4] == [["/1", "serves"], ["/2", "serves"], *went]
    assert "first light" in next(body for path, body in hook.heard if path == "/all")["message"]
    nobody = replace(site, environment={**site.environment, "HOOK": "http://127.0.0.1:1"})
    write(nobody, {"production": ("three", 8080)}, notify=notify)
    assert "not all messages are out yet" in nobody.deploy().stderr
    assert site.get(8080) == "three"
