"""Copies come and go on a real server, and later deployments keep their number."""

from __future__ import annotations

import json

import pytest

from tests.cli.schemas import check
from tests.semantics.site import Site

pytestmark = pytest.mark.lab

COMPOSE = """\
services:
  web:
    image: busybox:1
    init: true
    command: sh -c "mkdir /w && echo %(version)s > /w/index.html && exec httpd -f -p 8000 -h /w"
    ports: ["8080:8000"]
  worker:
    image: busybox:1
    init: true
    command: sleep 1d
    environment: {VERSION: "%(version)s"}
    volumes: ["/cache"]
    scale: %(workers)s
  db:
    image: busybox:1
    init: true
    command: sleep 1d
    volumes: ["data:/data"]
volumes: {data: }
"""
FIRST = {"version": "1", "workers": 1}


def running(site: Site, service: str) -> int:
    """How many containers of a service run, by podman."""
    return sum(1 for one in site.containers(service) if one["State"]["Running"])


def test_scaling(site: Site) -> None:
    """Up, kept by the next version, to nothing, back; until the file says another number."""
    site.write(COMPOSE % FIRST)
    site.deploy()
    before = site.container("db")["Id"]
    planned = check(json.loads(site.run("scale", "web=3", "--dry-run", "--json").stdout))
    assert planned["outcome"] == "planned"
    assert running(site, "web") == 1
    # What is changed in the folder meanwhile is not deployed by it.
    site.write(COMPOSE % {**FIRST, "version": "2"})
    done = check(json.loads(site.run("scale", "web=3", "worker=2", "--json").stdout))
    assert done["outcome"] == "committed"
    assert (running(site, "web"), running(site, "worker"), site.get(8080)) == (3, 2, "1")
    assert len({one["NetworkSettings"]["Networks"].popitem()[1]["IPAddress"]
                for one in site.containers("web")}) == 3  # fmt: skip
    history = json.loads(site.run("history", "--json").stdout)["data"]["entries"]
    assert history[0]["reason"] == "scale web=3 worker=2"

    site.deploy()
    assert (running(site, "web"), running(site, "worker"), site.get(8080)) == (3, 2, "2")
    assert "No changes" in site.deploy().stdout
    site.run("scale", "worker=0", "web=1")
    assert (running(site, "web"), running(site, "worker")) == (1, 0)
    [seen] = json.loads(site.run("status", "--json").stdout)["data"]["hosts"].values()
    assert sorted(seen["services"]) == ["db", "web"]
    assert "No changes" in site.deploy().stdout
    site.run("scale", "worker=1")
    assert running(site, "worker") == 1
    assert "No changes" in site.run("scale", "worker=1").stdout
    site.run("scale", "worker=3")
    site.write(COMPOSE % {"version": "2", "workers": 2})
    site.deploy()
    assert running(site, "worker") == 2
    assert site.container("db")["Id"] == before, "nothing else was touched"

    refused = site.run("scale", "db=2", "web=x", code=2).stderr
    assert "'web=x' is not SERVICE=N" in refused
    assert "did you mean worker?" in site.run("scale", "wroker=2", code=2).stderr


def test_scaling_takes_its_place_in_the_way(site: Site) -> None:
    """A hold refuses it; going back to a release brings its numbers back."""
    site.write(COMPOSE % FIRST)
    site.deploy()
    site.run("hold", "--reason", "we count")
    assert "we count" in site.run("scale", "web=2", code=3).stderr
    site.run("unhold")
    site.run("scale", "web=2")
    site.rollback()
    assert running(site, "web") == 1
