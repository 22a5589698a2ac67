"""The signing key: named, or made once, mode 0600, its public half a line for hosts."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tidegate.bootstrap.signing_key import VARIABLE, generate, public_key, signing_key
from tidegate.errors import InputError


def test_a_key_is_made_at_first_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first call makes it, the second finds it; only its owner may read it."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = signing_key()
    text = path.read_bytes()
    assert signing_key().read_bytes() == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert public_key(path).split()[0] == "ssh-ed25519"
    assert sorted(p.name for p in path.parent.iterdir()) == ["signing_key", "signing_key.pub"]


def test_two_processes_make_one_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several makers at once one wins, and both halves are of the same pair."""
    pids = iter(range(4))
    monkeypatch.setattr("tidegate.bootstrap.signing_key.os.getpid", lambda: next(pids))
    path = tmp_path / "key"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: generate(path), range(4)))
    assert Path(f"{path}.pub").read_text(encoding="utf-8").startswith(public_key(path))
    assert len(list(tmp_path.iterdir())) == 2


def test_a_named_key_must_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that names nothing is an error, not a new key."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none"))
    with pytest.raises(InputError) as caught:
        signing_key()
    assert caught.value.code == "signing-key-missing"
