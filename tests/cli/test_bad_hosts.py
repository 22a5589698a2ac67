"""A server that is not as it must be: one clear error each, and nothing changed on it.

Each arrangement is undone afterwards, so that one server serves for all cases.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.schemas import check
from tidegate.lab import Lab
from tidegate.lab.server import Server

pytestmark = pytest.mark.lab

CASES = yaml.safe_load(
    Path(__file__).with_name("bad_hosts").joinpath("cases.yaml").read_text(encoding="utf-8")
)
LAB = Path("~/.cache/tidegate/lab").expanduser()
COMPOSE = """\
services:
  web:
    image: busybox:1
    command: httpd -f -p 8000
    ports: ["8080:8000"]
"""
# Everything but the tool itself, which the first command brings along.
STATE = r"""
cd; find .config/containers .config/systemd -type f ! -name tidegate@.service \
    -exec sha256sum {} + 2>/dev/null | sort
podman ps -a --format '{{.Names}} {{.Status}}' | sed 's/ Up .*/ up/'
podman volume ls -q; podman network ls -q; ls .local/share/tidegate/*/current 2>/dev/null || true
"""
Arrangement = Callable[[Server, Path], AbstractContextManager[str]]


def ssh_config(place: Path, **changes: str) -> str:
    """The lab's own ssh configuration with some of its words said first, so that they win."""
    path = place / "ssh_config"
    lines = [f"    {name} {value}" for name, value in changes.items()]
    own = (LAB / "ssh_config").read_text(encoding="utf-8")
    path.write_text("\n".join(["Host *", *lines, own]), encoding="utf-8")
    return str(path)


def keygen(path: Path) -> str:
    """Make a key; its public line."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return Path(f"{path}.pub").read_text(encoding="utf-8")


@contextmanager
def nothing(server: Server, place: Path) -> Iterator[str]:
    """All is well; the ssh configuration is the lab's."""
    del server, place
    yield str(LAB / "ssh_config")


@contextmanager
def another_host_key(server: Server, place: Path) -> Iterator[str]:
    """known_hosts has another key for the server."""
    known = place / "known_hosts"
    known.write_text(f"{server.address} {keygen(place / 'wrong')}", encoding="utf-8")
    yield ssh_config(place, UserKnownHostsFile=str(known), HostKeyAlgorithms="ssh-ed25519")


@contextmanager
def no_host_key(server: Server, place: Path) -> Iterator[str]:
    """known_hosts is empty."""
    del server
    yield ssh_config(place, UserKnownHostsFile="/dev/null", GlobalKnownHostsFile="/dev/null")


@contextmanager
def another_login_key(server: Server, place: Path) -> Iterator[str]:
    """The only key that ssh may try is one that the server does not know."""
    del server
    keygen(place / "login")
    path = place / "ssh_config"
    text = (LAB / "ssh_config").read_text(encoding="utf-8")
    kept = [line for line in text.splitlines() if "IdentityFile" not in line]
    own = ["Host *", f"    IdentityFile {place / 'login'}", "    IdentitiesOnly yes"]
    path.write_text("\n".join([*own, *kept]), encoding="utf-8")
    yield str(path)


@contextmanager
def closed_port(server: Server, place: Path) -> Iterator[str]:
    """Nobody listens on the port that ssh tries."""
    del server
    yield ssh_config(place, Port="9")


@contextmanager
def full_disk(server: Server, place: Path) -> Iterator[str]:
    """The disk has a few megabytes left."""
    del place
    server.fill_disk(leave_mb=20)
    try:
        yield str(LAB / "ssh_config")
    finally:
        server.free_disk()


@contextmanager
def old_podman(server: Server, place: Path) -> Iterator[str]:
    """Podman says that it is 5.2.0."""
    del place
    script = (
        '#!/bin/sh\n[ "$1" = --version ] && { echo podman version 5.2.0; exit; }\n'
        'exec /usr/bin/podman "$@"\n'
    )
    path = "/usr/local/bin/podman"
    server.run(["sh", "-c", f"cat > {path} && chmod 755 {path}"], user="root", input=script)
    try:
        yield str(LAB / "ssh_config")
    finally:
        server.run(["rm", path], user="root")


@contextmanager
def taken_port(server: Server, place: Path) -> Iterator[str]:
    """Something else listens on 8080."""
    del place
    unit = ["systemd-run", "--unit", "squatter", "python3", "-m", "http.server", "8080"]
    server.run(unit, user="root")
    wait = "until curl -s -o /dev/null 127.0.0.1:8080; do sleep 0.05; done"
    server.run(["timeout", "10", "sh", "-c", wait], user="root")
    try:
        yield str(LAB / "ssh_config")
    finally:
        server.run(["systemctl", "stop", "squatter"], user="root")


@contextmanager
def other_signers(server: Server, place: Path) -> Iterator[str]:
    """The host knows one signer, and it is not us."""
    path = ".config/tidegate/allowed_signers"
    public = " ".join(keygen(place / "signer").split()[:2])
    keep = f"mkdir -p .config/tidegate; [ -e {path} ] && mv {path} {path}.kept; cat > {path}"
    server.run(["sh", "-c", keep], user="deploy", input=f"deployer {public}\n")
    try:
        yield str(LAB / "ssh_config")
    finally:
        back = f"rm {path}; [ -e {path}.kept ] && mv {path}.kept {path} || true"
        server.run(["sh", "-c", back], user="deploy")


ARRANGEMENTS: dict[str, Arrangement] = {
    function.__name__: function
    for function in (
        nothing,
        another_host_key,
        no_host_key,
        another_login_key,
        closed_port,
        full_disk,
        old_podman,
        taken_port,
        other_signers,
    )
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """One server for all cases."""
    lab = Lab.up(["bad-input"])
    yield lab.server("bad-input")
    lab.down()


def tidegate(project: Path, config: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line with an ssh configuration, and with the lab's registry."""
    environment = {
        **os.environ,
        "TIDEGATE_SSH_CONFIG": config,
        "CONTAINERS_REGISTRIES_CONF": str(LAB / "registries.conf"),
    }
    return subprocess.run(
        [sys.executable, "-m", "tidegate", *words],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["claim"].replace(" ", "-"))
def test_a_host_that_is_not_ready(case: Any, server: Server, tmp_path: Path) -> None:
    """Exit code, code, place and hint are the case's, and the host is as it was."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "compose.yaml").write_text(case.get("compose", COMPOSE), encoding="utf-8")
    assert tidegate(project, "", "init", "--host", f"deploy@{server.address}").returncode == 0
    arrange = ARRANGEMENTS[case.get("arrange", "nothing")]
    before = server.run(["sh", "-c", STATE], user="deploy").stdout
    with arrange(server, tmp_path) as config:
        done = tidegate(project, config, *case["command"].split(), "--json")
    after = server.run(["sh", "-c", STATE], user="deploy").stdout
    assert done.stdout == ""
    data = check(json.loads(done.stderr.splitlines()[-1]))
    assert (done.returncode, data["code"]) == (case["exit"], case.get("code", data["code"])), data
    assert case.get("hint", "") in data["hint"], data
    place = data["where"]
    shown = f"{place['file']}:{place['line']}" if place else ""
    assert shown.startswith(case.get("where", "")), data
    assert after == before
