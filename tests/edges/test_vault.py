"""The encrypted file: read by those it is for, closed to all others."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from tidegate.edges import vault
from tidegate.errors import InfrastructureError, InputError
from tidegate.model.vault import Secret, Vault

HELD = Vault({"KEY": Secret("v1", "hunter2")})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Somebody's home folder."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    (tmp_path / "home" / ".ssh").mkdir(parents=True)
    return tmp_path / "home"


def ssh_key(folder: Path) -> str:
    """A new SSH key in a folder; its public line."""
    path = folder / "id_ed25519"
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "anna", "-f", str(path)]
    subprocess.run(argv, check=True)
    return path.with_suffix(".pub").read_text().strip()


def test_the_writer_and_the_people_can_read(home: Path, tmp_path: Path) -> None:
    """By the writer's own identity, and by a person's SSH key with nothing else."""
    path = tmp_path / "secrets" / "production.age"
    anna = ssh_key(home / ".ssh")
    vault.save(path, HELD, [anna])
    assert vault.load(path) == HELD
    (home / ".config/tidegate/age.txt").unlink()
    assert vault.load(path) == HELD
    assert b"hunter2" not in path.read_bytes()
    assert path.read_text().startswith("-----BEGIN AGE ENCRYPTED FILE-----")


def test_commands_at_once_have_one_identity(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each found that there is none; no command encrypts for one that is lost."""
    together, exists = Barrier(2), Path.exists

    def none_yet(path: Path) -> bool:
        found = exists(path)
        if path.name == "age.txt":
            together.wait(timeout=10)
        return found

    monkeypatch.setattr(Path, "exists", none_yet)
    with ThreadPoolExecutor(2) as pool:
        found = {one.result() for one in [pool.submit(vault.own_recipient) for _ in range(2)]}
    monkeypatch.undo()
    monkeypatch.setenv("HOME", str(home))
    assert found == {vault.own_recipient()}
    (kept,) = (home / ".config/tidegate").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600


def test_nobody_else_can(home: Path, tmp_path: Path) -> None:
    """A stranger is told whom to ask."""
    path = tmp_path / "production.age"
    vault.save(path, HELD, [])
    (home / ".config/tidegate/age.txt").unlink()
    with pytest.raises(InputError, match="cannot be opened") as caught:
        vault.load(path)
    assert "people:" in caught.value.hint


def test_a_job_without_a_home_has_its_identity_in_a_variable(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a CI job keeps it."""
    path = tmp_path / "production.age"
    vault.save(path, HELD, [])
    own = home / ".config/tidegate/age.txt"
    monkeypatch.setenv(vault.VARIABLE, own.read_text())
    own.unlink()
    assert vault.load(path) == HELD


def test_what_is_not_there_yet_is_empty(home: Path, tmp_path: Path) -> None:
    """The first `secrets set` makes the file."""
    assert home.exists()
    assert vault.load(tmp_path / "none.age") == Vault()


def test_a_value_may_come_from_a_variable_or_a_command() -> None:
    """When it is needed, and a source without a value is an error that tells none."""
    assert vault.value("A", Secret("v", variable="X"), {"X": "1"}) == "1"
    assert vault.value("A", Secret("v", command=("printf", "two\\nlines\\n")), {}) == "two\nlines"
    with pytest.raises(InputError, match="X is not set"):
        vault.value("A", Secret("v", variable="X"), {})
    for command in (("false",), ("true",), ("/nowhere",)):
        with pytest.raises(InfrastructureError, match="the command of the secret A"):
            vault.value("A", Secret("v", command=command), {})
    with pytest.raises(InfrastructureError) as caught:
        vault.value("A", Secret("v", command=("sh", "-c", "echo hunter2 >&2; exit 1")), {})
    assert "hunter2" not in str(caught.value)
