"""A project that is built with the real builder, and a registry of its own that wants a login."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.builds.project import Project
from tidegate.lab import Lab

# Of the password "let me in", made by crypt(3).
HTPASSWD = "ci:$2b$04$K6ATcCXX4dX/jAguqU2FROAn0eHyKs.ULs0bSNC5018MhCQLfNbTa\n"


@dataclass(frozen=True)
class Registries:
    """Ours, which wants a login, and, where Docker Hub is out of reach, one in its place."""

    own: str
    conf: str


@pytest.fixture(scope="session")
def registries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registries]:
    """Both, for as long as there are tests; a lab has made the images, and need not run."""
    lab = Lab.open()
    if not lab.registry.installed:
        Lab.up(("test-builds",), disk_gb=2).down()
    folder = tmp_path_factory.mktemp("registry")
    (folder / "htpasswd").write_text(HTPASSWD)
    login = {"auth": {"htpasswd": {"realm": "test", "path": f"{folder}/htpasswd"}}}
    images = {
        "filesystem": {"rootdirectory": str(lab.places.registry / "data")},
        "maintenance": {"readonly": {"enabled": True}},
    }
    program = str(lab.registry.program)
    with ExitStack() as stack:
        storage = {"filesystem": {"rootdirectory": f"{folder}/data"}}
        own = stack.enter_context(served(program, folder / "own", {"storage": storage, **login}))
        conf = f'[[registry]]\nlocation = "{own}"\ninsecure = true\n'
        if lab.registry.needed():
            hub = stack.enter_context(served(program, folder / "hub", {"storage": images}))
            conf += f'[[registry]]\nprefix = "docker.io"\nlocation = "{hub}"\ninsecure = true\n'
        yield Registries(own, conf)


@contextmanager
def served(program: str, config: Path, what: dict[str, object]) -> Iterator[str]:
    """A registry on a port of its own; its address."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{found.getsockname()[1]}"
    log = {"level": "error", "accesslog": {"disabled": True}}
    config.write_text(json.dumps({"version": "0.1", "log": log, "http": {"addr": address}, **what}))
    environment = {"OTEL_TRACES_EXPORTER": "none", "PATH": os.defpath}
    argv = [program, "serve", str(config)]
    with subprocess.Popen(argv, env=environment, stderr=subprocess.DEVNULL) as running:
        _await(address)
        yield address
        running.terminate()


def _await(address: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(f"http://{address}/v2/", timeout=1).close()
            return
        except urllib.error.HTTPError:
            return  # it wants a login
        except OSError:
            assert time.monotonic() < deadline, "the registry does not start"
            time.sleep(0.05)


@pytest.fixture
def registry(registries: Registries) -> str:
    """The address of the registry that wants a login."""
    return registries.own


@pytest.fixture
def project(registries: Registries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Two applications on a base of ours, in git; nobody is logged in yet."""
    conf = tmp_path / "registries.conf"
    conf.write_text(registries.conf)
    (tmp_path / "auth.json").write_text("{}")
    monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(conf))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return Project.make(tmp_path / "shop", registries.own, tmp_path)
