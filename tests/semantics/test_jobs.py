"""Services that others wait for to complete: run once for each release that asks for it."""

from __future__ import annotations

import pytest

from tests.semantics.site import Site

pytestmark = pytest.mark.lab

COMPOSE = """\
services:
  init:
    image: busybox:1
    command: sh -c "echo init %(init)s; echo %(init)s > /shared/made"
    restart: on-failure
    volumes: ["shared:/shared"]
  web:
    image: busybox:1
    init: true
    environment: {VERSION: "%(web)s"}
    command: sh -c "cat /shared/made; exec sleep 1d"
    volumes: ["shared:/shared:ro"]
    depends_on: {init: {condition: service_completed_successfully}}
  other:
    image: busybox:1
    init: true
    environment: {VERSION: "%(other)s"}
    command: sleep 1d
volumes: {shared: }
"""


def runs(site: Site) -> list[str]:
    """What the job said, run by run."""
    return site.log(f"{site.name}-init")


def test_jobs(site: Site) -> None:
    """Not again without a change or for another service; again when it or who waits is new."""
    site.write(COMPOSE % {"init": "1", "web": "1", "other": "1"})
    site.deploy()
    assert runs(site) == ["init 1"]
    assert site.log(f"{site.name}-web-a") == ["1"], "the job had written before web read"
    assert "No changes" in site.deploy().stdout
    site.write(COMPOSE % {"init": "1", "web": "1", "other": "2"})
    site.deploy()
    assert runs(site) == ["init 1"]

    site.write(COMPOSE % {"init": "2", "web": "1", "other": "2"})
    site.deploy()
    assert runs(site) == ["init 1", "init 2"]
    site.write(COMPOSE % {"init": "2", "web": "2", "other": "2"})
    site.deploy()
    assert runs(site) == ["init 1", "init 2", "init 2"]
    assert site.log(f"{site.name}-web-b") == ["2"]
    site.rollback()
    assert runs(site)[3:] == ["init 2"], "web is an older one again, and waits for the same job"
