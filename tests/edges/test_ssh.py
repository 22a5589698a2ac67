"""The SSH edge against a real sshd: quoting, one connection, forwards, every kind of failure."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tidegate.edges.process import Command
from tidegate.edges.ssh import Ssh
from tidegate.errors import TidegateError
from tidegate.lab import Server

pytestmark = pytest.mark.lab
ODD = ("a b", "it's", '"q"', "$HOME", "`id`", "*", "\\", "", "new\nline", "ü", "-n", ";true", "~")


@pytest.fixture
def ssh(server: Server) -> Iterator[Ssh]:
    """A fresh connection to the deploy user."""
    found = Ssh(f"deploy@{server.address}", name="test-edges")
    found.disconnect()
    yield found
    found.disconnect()


def test_every_word_arrives_as_it_is(ssh: Ssh) -> None:
    """Quoting happens once: the far program sees exactly the argv and the bytes of stdin."""
    script = "import sys; print(ascii(sys.argv[1:]), len(sys.stdin.buffer.read()))"
    done = ssh.run(Command(("python3", "-c", script, *ODD), stdin=b"\0\xff\n" * 1000))
    assert done.text.strip() == f"{list(ODD)!a} 3000"


def test_one_connection_carries_all_commands(ssh: Ssh) -> None:
    """The second command joins the first one's connection: the same port on the server."""
    ports = {ssh.run(Command(("sh", "-c", "echo $SSH_CONNECTION"))).text for _ in range(3)}
    assert len(ports) == 1
    assert ssh.is_open()
    ssh.disconnect()
    assert not ssh.is_open()


def test_exit_status_is_an_answer(ssh: Ssh) -> None:
    """A command that fails is no exception: its status and its words come back."""
    done = ssh.run(Command(("sh", "-c", "echo no >&2; exit 3")))
    assert (done.returncode, done.complaint) == (3, "no")
    assert ssh.run(Command(("no-such-command",))).returncode == 127


def test_a_pipe_talks_both_ways_and_ends(ssh: Ssh) -> None:
    """Bytes written come back; closing our end ends the far command in order."""
    pipe = ssh.open(Command(("cat",)))
    pipe.stdin.write(b"ping\n")
    pipe.stdin.flush()
    assert pipe.stdout.readline() == b"ping\n"
    pipe.close()
    assert pipe.returncode() == 0


def test_a_forward_needs_no_session_and_can_be_cancelled(ssh: Ssh) -> None:
    """The host reaches our loopback port; after cancel it does not."""
    ssh.run(Command(("true",)))
    handler = http.server.SimpleHTTPRequestHandler
    local = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=local.serve_forever, daemon=True).start()
    port = ssh.forward(local.server_address[1])
    probe = Command(("curl", "-s", "-o", "/dev/null", f"http://127.0.0.1:{port}/"))
    assert ssh.run(probe).returncode == 0
    assert ssh.forward(local.server_address[1]) == port
    ssh.cancel(local.server_address[1], port)
    assert ssh.run(probe).returncode == 7
    local.shutdown()
    local.server_close()


def failure(ssh: Ssh) -> TidegateError:
    with pytest.raises(TidegateError) as found:
        ssh.run(Command(("true",)))
    assert found.value.hint
    return found.value


def test_unreachable_hosts(ssh: Ssh) -> None:
    """A closed port and an unknown name are infrastructure errors."""
    for address in ("ssh://deploy@127.0.0.1:1", "deploy@no-such-host.invalid"):
        error = failure(Ssh(address, name="web-1", config="/dev/null"))
        assert (error.code, error.exit_code) == ("ssh-unreachable", 4)
        assert "web-1" in error.message
    assert ssh.run(Command(("true",))).returncode == 0


def test_host_keys_are_always_checked(server: Server, tmp_path: Path) -> None:
    """An unknown and a changed key stop everything before login, as bad input."""
    known, config = tmp_path / "known_hosts", tmp_path / "config-ssh"
    known.touch()
    config.write_text(f"Host *\n  UserKnownHostsFile {known}\n  StrictHostKeyChecking no\n")
    one = Ssh(f"deploy@{server.address}", config=str(config))
    assert (failure(one).code, failure(one).exit_code) == ("host-key-unknown", 2)
    other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBwlOxBeImeJwkLSGy2Gx8owKAK9JTcr3N/UQVwS7AU6"
    known.write_text(f"{server.address} {other}\n")
    changed = failure(one)
    assert (changed.code, changed.exit_code) == ("host-key-changed", 2)
    assert "ssh-keygen -f" in changed.hint


def test_a_key_that_is_not_accepted(server: Server, lab_known_hosts: str, tmp_path: Path) -> None:
    """A host that does not know our key is named, with what to try."""
    config = tmp_path / "config-ssh"
    config.write_text(
        f"Host *\n  UserKnownHostsFile {lab_known_hosts}\n  IdentityFile {tmp_path}/none\n"
        "  IdentitiesOnly yes\n"
    )
    assert failure(Ssh(f"deploy@{server.address}", config=str(config))).code == "ssh-auth"


@pytest.fixture
def lab_known_hosts(ssh: Ssh) -> str:
    """The file with the lab's host keys."""
    text = Path(ssh.destination.config).read_text()
    return next(line.split()[1] for line in text.splitlines() if "UserKnownHostsFile" in line)
