"""Containers that run on a real server become services, with their data, or run on as before."""

from __future__ import annotations

import json

import pytest

from tests.cli.schemas import check
from tests.semantics.site import Site, until

pytestmark = pytest.mark.lab

COMPOSE = """\
services:
  web:
    image: busybox:1
    init: true
    command: sh -c "%(web)s"
    ports: ["8080:8000"]
    volumes: ["data:/w:ro"]
    depends_on: [db]
  db:
    image: busybox:1
    init: true
    command: sh -c "echo $$(cat /data/index.html)+ > /data/index.html; exec sleep 1d"
    volumes: ["data:/data", "./files:/files", "/own"]
volumes: {data: }
"""
SERVE = "exec httpd -f -p 8000 -h /w"
LABELS = ("--label=com.docker.compose.project={0}", "--label=com.docker.compose.service={1}")


def run(site: Site, service: str, *words: str, engine: str = "podman") -> None:
    """A container as docker compose makes it."""
    labels = [label.format(site.name, service) for label in LABELS]
    name = f"--name={site.name}-{service}-1"
    site.on_server(engine, "run", "--detach", name, "--init", *labels, *words)


def before(site: Site, engine: str = "podman") -> None:
    """The project by hand: a network, a volume, a folder, an anonymous volume; web and db."""
    site.on_server("sh", "-c", "mkdir -p old/files && echo from-folder > old/files/kept")
    site.on_server(engine, "network", "create", f"{site.name}_default")
    net, image = f"--network={site.name}_default", "docker.io/library/busybox:1"
    data = f"{site.name}_data"
    first = "echo here > /data/index.html; echo own > /own/kept; chown -R 99:98 /own; sleep 1d"
    mounts = (f"-v={data}:/data", "-v=/home/deploy/old/files:/files", "-v=/own")
    run(site, "db", net, *mounts, image, "sh", "-c", first, engine=engine)
    serve = ("-p=8080:8000", f"-v={data}:/w:ro", image, "sh", "-c", SERVE)
    run(site, "web", net, *serve, engine=engine)
    run(site, "mail", net, image, "sleep", "1d", engine=engine)
    until(lambda: not site.closed(8080))


def clean(site: Site, engine: str = "podman") -> None:
    """What is left of it by hand."""
    names = [f"{site.name}-{service}-1" for service in ("web", "db", "mail")]
    site.on_server(engine, "rm", "--force", "--time=0", *names, check=False)
    site.on_server(engine, "network", "rm", "--force", f"{site.name}_default", check=False)
    site.on_server(engine, "volume", "rm", f"{site.name}_data", check=False)
    site.on_server("rm", "-rf", "old")


def write(site: Site, web: str = SERVE) -> None:
    """The compose file of the same project."""
    site.write(COMPOSE % {"web": web})


def names(site: Site, engine: str = "podman") -> set[str]:
    """The containers of the project that are there, whoever made them."""
    found = site.on_server(engine, "ps", "--all", "--format={{.Names}}").split()
    return {name for name in found if name.startswith(site.name)}


def test_adopting_podmans(site: Site) -> None:
    """First shown, then done: the volume is used, the rest copied; it goes on as any project."""
    before(site)
    write(site)
    try:
        shown = check(json.loads(site.run("adopt", "--dry-run", "--json").stdout))
        [host] = shown["hosts"].values()
        assert [one["service"] for one in host["services"]] == ["db", "web"]
        assert host["left"] == [f"{site.name}-mail-1"]
        places = {d["target"]: d["what"] for d in host["services"][0]["data"]}
        assert places == {"/data": "kept", "/files": "copied", "/own": "copied"}
        assert site.get(8080) == "here"
        assert "Type production to go on" in site.run("adopt", code=2).stderr

        done = site.run("adopt", "--yes")
        assert "serves" in done.stdout
        assert site.get(8080) == "here+", "the same data, and the service's own start"
        assert site.exec("db", "cat", "/files/kept", "/own/kept").split() == ["from-folder", "own"]
        assert site.exec("db", "stat", "-c", "%u:%g", "/own", "/own/kept").split() == ["99:98"] * 2
        assert f"{site.name}-mail-1" in names(site)
        assert not {f"{site.name}-web-1", f"{site.name}-db-1"} & names(site)
        assert not any("before" in name for name in names(site))
        assert "No changes" in site.deploy().stdout
        assert site.run("adopt", "--yes", code=2).stderr
        write(site, f"sleep 1; {SERVE}")
        site.deploy()
        assert site.get(8080) == "here+"
    finally:
        site.destroy()
        clean(site)


def test_a_failed_adoption_is_put_back(site: Site) -> None:
    """The containers run again, their data as it was; what was copied is gone."""
    before(site)
    write(site, "exit 1")
    try:
        failed = site.run("adopt", "--yes", "--json", code=1)
        assert check(json.loads(failed.stderr.splitlines()[-1]))["class"] == "failed"
        until(lambda: not site.closed(8080))
        assert names(site) == {f"{site.name}-{service}-1" for service in ("web", "db", "mail")}
        copied = f"{site.name}_db-anonymous-own"
        assert copied not in site.podman("volume", "ls", "--format={{.Name}}").split()
        # And again, from the start.
        write(site)
        site.run("adopt", "--yes")
        assert site.get(8080).startswith("here")
        assert site.exec("db", "cat", "/own/kept").strip() == "own"
    finally:
        site.destroy()
        clean(site)


def test_adopting_another_engines(site: Site) -> None:
    """Everything is copied out of an engine with a storage of its own; images must be the same."""
    other = "podman --root /home/deploy/other --runroot /run/user/$(id -u)/other"
    script = f'#!/bin/sh\nexec {other} "$@"\n'
    put = "cat > /usr/local/bin/docker && chmod 755 /usr/local/bin/docker"
    site.server.run(["sh", "-c", put], user="root", input=script)
    try:
        before(site, "docker")
        site.write((COMPOSE % {"web": SERVE}).replace("busybox:1", "debian:trixie-slim", 2))
        refused = site.run("adopt", "--yes", code=3).stderr
        assert "keeps data that docker.io/library/busybox:1 wrote" in refused
        assert site.get(8080) == "here"
        write(site)
        site.run("adopt", "--yes")
        assert site.get(8080) == "here+"
        assert site.exec("db", "cat", "/files/kept", "/own/kept").split() == ["from-folder", "own"]
        assert not {f"{site.name}-web-1", f"{site.name}-db-1"} & names(site, "docker")
        volumes = site.on_server("docker", "volume", "ls", "--format={{.Name}}").split()
        assert f"{site.name}_data" in volumes, "what it was copied from stays"
    finally:
        site.destroy()
        clean(site, "docker")
        site.server.run(["rm", "-f", "/usr/local/bin/docker"], user="root")
        site.on_server("podman", "unshare", "rm", "-rf", "/home/deploy/other", check=False)


def test_a_unit_of_ones_own(site: Site) -> None:
    """A container that systemd runs, by its name: stopped for good, also after a boot."""
    unit = "[Container]\nImage=docker.io/library/busybox:1\nContainerName=mine\nVolume=mine:/data\n"
    unit += 'Exec=sh -c "echo unit > /data/index.html; exec sleep 1d"\n[Service]\nRestart=always\n'
    put = "mkdir -p .config/containers/systemd && cat > .config/containers/systemd/mine.container"
    site.server.run(["sh", "-c", put], input=unit + "[Install]\nWantedBy=default.target\n")
    site.on_server("systemctl", "--user", "daemon-reload")
    site.on_server("systemctl", "--user", "start", "mine.service")
    write(site)
    try:
        site.run("adopt", "--container", "db=mine", "--yes")
        assert site.get(8080) == "unit+"
        state = site.on_server("systemctl", "--user", "is-enabled", "mine.service", check=False)
        assert state.strip() == "masked"
        assert "mine" not in site.podman("ps", "--all", "--format={{.Names}}").split()
    finally:
        site.destroy()
        site.on_server("systemctl", "--user", "unmask", "mine.service", check=False)
        site.on_server("rm", "-f", ".config/containers/systemd/mine.container")
        site.podman("volume", "rm", "--force", "mine", check=False)
