"""Who sits here: the key that is named, one of the SSH agent, one in ~/.ssh; real keys sign."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gates.people import Key
from tidegate.edges.person import person
from tidegate.errors import InputError
from tidegate.host.signature import signed_by


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without keys and without an agent."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return tmp_path


@pytest.fixture
def agent(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An SSH agent without keys."""
    socket = home / "agent"
    running = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    while not socket.exists():
        assert running.poll() is None
        time.sleep(0.02)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
    yield socket
    running.terminate()
    running.wait()


def test_the_agent_signs_with_a_key_that_is_nowhere_else(agent: Path, home: Path) -> None:
    """The first of its keys that is somebody's, whatever others it has."""
    assert agent.exists()
    other, anna = Key.make(home, "other"), Key.make(home, "anna")
    for key in (other, anna):
        subprocess.run(["ssh-add", "-q", key.file], check=True)
    people = {"anna": anna.line, "ben": Key.make(home, "ben").line}
    anna.file.unlink()
    found = person(people)
    assert found.name == "anna"
    signature = found.sign(b"words", "test")
    assert signed_by("anna", anna.line, b"words", signature, "test")
    assert not signed_by("ben", people["ben"], b"words", signature, "test")


def test_the_key_in_the_home_signs(home: Path) -> None:
    """~/.ssh/id_ed25519, also where its public half is not beside it."""
    key = Key.make(home / ".ssh", "id_ed25519")
    line = key.line
    Path(f"{key.file}.pub").unlink()
    found = person({"anna": line})
    assert signed_by("anna", line, b"words", found.sign(b"words", "test"), "test")


def test_the_named_key_is_taken_and_no_other(home: Path) -> None:
    """A key that is nobody's is an error, though a good one lies in ~/.ssh."""
    good, other = Key.make(home / ".ssh", "id_ed25519"), Key.make(home, "other")
    assert person({"anna": good.line}, str(good.file)).name == "anna"
    with pytest.raises(InputError, match="not the key of anybody"):
        person({"anna": good.line}, str(other.file))
