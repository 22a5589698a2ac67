"""A project that is built with the real builder, and a registry of its own that wants a login."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builds.project import Project
from tidegate.lab import Lab

# Of the password "let me in", made by crypt(3).
HTPASSWD = "ci:$2b$04$K6ATcCXX4dX/jAguqU2FROAn0eHyKs.ULs0bSNC5018MhCQLfNbTa\n"
CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: {folder}/data}}}}
http: {{addr: "{address}"}}
auth: {{htpasswd: {{realm: test, path: {folder}/htpasswd}}}}
"""


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A lab, for the images that stand in for Docker Hub's."""
    made = Lab.up(("test-builds",), disk_gb=2)
    yield made
    made.down()


@pytest.fixture(scope="session")
def registry(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a registry that wants a login."""
    folder = tmp_path_factory.mktemp("registry")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{found.getsockname()[1]}"
    (folder / "htpasswd").write_text(HTPASSWD)
    (folder / "config.yml").write_text(CONFIG.format(folder=folder, address=address))
    argv = [str(lab.registry.program), "serve", str(folder / "config.yml")]
    with subprocess.Popen(argv, env={"OTEL_TRACES_EXPORTER": "none", "PATH": os.defpath}) as run:
        _await(address)
        yield address
        run.terminate()


def _await(address: str) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            urllib.request.urlopen(f"http://{address}/v2/", timeout=1)
        except urllib.error.HTTPError:
            return  # it wants a login
        except OSError:
            assert time.monotonic() < deadline, "the registry does not start"
            time.sleep(0.05)


@pytest.fixture
def project(lab: Lab, registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Two applications on a base of ours, in git; nobody is logged in yet."""
    for name, value in lab.env().items():
        monkeypatch.setenv(name, value)
    known = Path(os.environ.get("CONTAINERS_REGISTRIES_CONF") or os.devnull).read_text()
    mine = tmp_path / "registries.conf"
    mine.write_text(f'{known}\n[[registry]]\nlocation = "{registry}"\ninsecure = true\n')
    monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(mine))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Project.make(tmp_path / "shop", registry, tmp_path)
