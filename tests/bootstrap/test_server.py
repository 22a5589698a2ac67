"""`host bootstrap` on a real bare server: it becomes ready, and twice is as once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tidegate.bootstrap import findings, probe
from tidegate.bootstrap.findings import OK, WARNING
from tidegate.bootstrap.server import login_key, prepare_server, read_key
from tidegate.edges.ssh import Ssh
from tidegate.errors import InfrastructureError, InputError
from tidegate.lab import Lab
from tidegate.lab.server import Server

SIGNER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBwlOxBeImeJwkLSGy2Gx8owKAK9JTcr3N"
CONFIG = str(Path("~/.cache/tidegate/lab/ssh_config").expanduser())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server with systemd, sshd and Python, and nothing else."""
    lab = Lab.up(["bootstrap"], bare=True, podman=False, images=False)
    yield lab.server("bootstrap")
    lab.down()


@pytest.mark.lab
def test_a_bare_server_becomes_ready(server: Server) -> None:
    """Afterwards doctor lacks nothing there, a container runs, and a second run changes nothing."""
    root = Ssh(f"root@{server.address}", config=CONFIG)
    key = login_key(f"deploy@{server.address}", CONFIG)
    steps = prepare_server(root, "deploy", key, SIGNER)
    assert any("podman" in step.text for step in steps if step.changed)

    deploy = Ssh(f"deploy@{server.address}", config=CONFIG)
    found = list(findings.host("web-1", probe.of_host(deploy), SIGNER, 0.0))
    amiss = {f.check for f in found if f.state != OK}
    assert amiss <= {"cgroups", "clock"}  # the lab delegates no controllers; now was 0
    assert {f.state for f in found if f.check in amiss} <= {WARNING}
    assert server.run(["podman", "info", "-f", "{{.Host.Security.Rootless}}"], user="deploy").stdout

    again = prepare_server(root, "deploy", key, SIGNER)
    assert [step.text for step in again if step.changed] == []


@pytest.mark.lab
def test_a_login_without_rights_is_told(server: Server) -> None:
    """A user that may not become root gets one error that says what to give."""
    deploy = Ssh(f"deploy@{server.address}", config=CONFIG)
    with pytest.raises(InfrastructureError) as caught:
        prepare_server(deploy, "deploy", login_key(f"deploy@{server.address}", CONFIG), SIGNER)
    assert caught.value.code == "bootstrap-sudo"
    assert "--root-ssh" in caught.value.hint


@pytest.mark.parametrize(("user", "key"), [("Root; rm", "ssh-ed25519 AAAA"), ("deploy", "x\ny")])
def test_odd_values_never_reach_the_server(user: str, key: str) -> None:
    """A user's name and a key are checked before anything is connected."""
    with pytest.raises(InputError):
        prepare_server(Ssh("nowhere.invalid"), user, key, SIGNER)


def test_a_key_file_that_is_not_there(tmp_path: Path) -> None:
    """The error names the file."""
    with pytest.raises(InputError, match=r"missing\.pub"):
        read_key(tmp_path / "missing.pub")
