"""depends_on: what waits for what, what does not wait, and how a chain that fails is told."""

from __future__ import annotations

import pytest

from tests.semantics.site import Site

pytestmark = pytest.mark.lab

# db is healthy 2 s after its start; job runs then; web and report come last, and nobody waits
# for free and alone.
COMPOSE = """\
x-app: &app
  image: busybox:1
  init: true
  environment: {VERSION: "%(version)s"}
  logging: {driver: json-file, options: {max-size: 1m}}
services:
  db:
    <<: *app
    command: sh -c "%(db)s"
    healthcheck: {test: "cat /tmp/cache", interval: 500ms, timeout: 2s, retries: %(retries)s}
  job:
    <<: *app
    command: sh -c "echo job of $$VERSION; %(job)s"
    depends_on: {db: {condition: service_healthy}}
  web:
    <<: *app
    command: sh -c "echo web of $$VERSION; exec sleep 1d"
    depends_on:
      db: {condition: service_healthy}
      job: {condition: service_completed_successfully}
  report:
    <<: *app
    command: sleep 1d
    depends_on: {web: {condition: service_started}}
  free: {<<: *app, command: sleep 1d}
  alone: {<<: *app, command: sleep 1d}
"""
GOOD = {"db": "sleep 2; touch /tmp/cache; sleep 1d", "job": "sleep 1", "retries": "60"}
FAST = "touch /tmp/cache; sleep 1d"
BEGAN, ENDED, ACTIVE = (
    "ExecMainStartTimestampMonotonic",
    "ExecMainExitTimestampMonotonic",
    "ActiveEnterTimestampMonotonic",
)


def moments(site: Site, unit: str) -> dict[str, float]:
    """When a unit began, was ready and ended, in seconds on the server's clock."""
    found = site.unit(f"{site.name}-{unit}", BEGAN, ENDED, ACTIVE)
    return {key: int(value) / 1e6 for key, value in found.items()}


def test_order(site: Site) -> None:
    """Healthy, completed and started are waited for, in this order; the others start meanwhile.

    A chain that fails ends with 1, names who failed with its line and its last output, and what
    ran goes on running.
    """
    site.write(COMPOSE % {**GOOD, "version": "1"})
    site.deploy()
    db, web, report, free, alone = (
        moments(site, f"{name}-a") for name in ("db", "web", "report", "free", "alone")
    )
    job = moments(site, "job")
    assert db[ACTIVE] - db[BEGAN] >= 2
    assert db[ACTIVE] <= job[BEGAN]
    assert job[ENDED] - job[BEGAN] >= 1
    assert job[ENDED] <= web[BEGAN]
    assert web[ACTIVE] <= report[BEGAN]
    assert max(free[BEGAN], alone[BEGAN]) < db[ACTIVE], "one of them waited for db"
    before = {one["Name"]: one["State"]["Pid"] for one in site.containers()}

    words = "echo reading; echo no such table as orders >&2; exit 3"
    site.write(COMPOSE % {"version": "2", "db": FAST, "job": words, "retries": "60"})
    said = site.deploy(code=1).stderr
    assert "job ended by itself (exit status 3)" in said
    assert "at compose.yaml:12:" in said
    assert "| no such table as orders" in said
    assert site.log(f"{site.name}-web-b") == []

    words = "echo the cache is cold; sleep 1d"
    site.write(COMPOSE % {"version": "3", "db": words, "job": "true", "retries": "2"})
    said = site.deploy(code=1).stderr
    assert "db did not become healthy" in said
    assert "at compose.yaml:10:" in said
    assert "| the cache is cold" in said
    assert "| health check: cat: can't open '/tmp/cache'" in said
    assert "job of 3" not in site.log(f"{site.name}-job")

    assert {one["Name"]: one["State"]["Pid"] for one in site.containers()} == before
    site.write(COMPOSE % {**GOOD, "version": "1"})
    assert "No changes" in site.deploy().stdout


RESTARTS = """\
x-app: &app {image: "busybox:1", init: true, command: sleep 1d}
services:
  db: {<<: *app, volumes: ["data:/data"], environment: {VERSION: "%s"}}
  api: {<<: *app, depends_on: {db: {condition: service_started, restart: true}}}
  web: {<<: *app, depends_on: {db: {condition: service_started}}}
volumes: {data: }
"""


def test_restart_with_a_dependency(site: Site) -> None:
    """What says ``restart: true`` of a dependency is started again after it; nobody else is."""
    site.write(RESTARTS % "1")
    site.deploy()
    api, web = site.container("api")["Id"], site.container("web")["Id"]
    site.write(RESTARTS % "2")
    site.deploy()
    assert site.container("db")["Config"]["Env"].count("VERSION=2") == 1
    assert site.container("web")["Id"] == web
    assert site.container("api")["Id"] != api
    assert moments(site, "db")[BEGAN] < moments(site, "api")[BEGAN]
