"""``init --preset stages``: development by itself, two approvals on the way to production."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gates.people import Key
from tidegate.cli import run
from tidegate.config import load_config, require_available

COMPOSE = "services:\n  web:\n    build: .\n"
HOSTS = [f"deploy@192.0.2.{n}" for n in (1, 2, 3)]
GIVEN = [word for host in HOSTS for word in ("--host", host)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with tests, and somebody with a key."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    Key.make(tmp_path / ".ssh", "id_ed25519")
    (tmp_path / "compose.yaml").write_text(COMPOSE, encoding="utf-8")
    (tmp_path / "entrypoints").mkdir()
    (tmp_path / "entrypoints/entrypoint_e2e.sh").write_text("", encoding="utf-8")
    return tmp_path


def test_stages(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is written is read as it is meant, and needs nothing that this version lacks."""
    assert run(["init", "--preset", "stages", *GIVEN]) == 0
    assert "tidegate run" in capsys.readouterr().out
    found = load_config(folder / "tidegate.yaml")
    stages = list(found.environments.values())
    assert [stage.name for stage in stages] == ["development", "staging", "production"]
    assert [stage.witness.ssh for stage in stages] == HOSTS
    assert [stage.deploy for stage in stages] == ["automatic", "manual", "manual"]
    assert [[g.kind for g in stage.gates] for stage in stages] == [[], ["approval"], ["approval"]]
    assert {stage.verify for stage in stages} == {("e2e",)}
    assert found.people == {"ided25519": Key(folder / ".ssh/id_ed25519").line}
    for stage in stages:
        require_available(found, stage)


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (["--preset", "stagse"], "usage", "stages"),
        (["--preset", "stages", *GIVEN, "--host", "a@b"], "usage", "in their order"),
        (GIVEN, "usage", "in their order"),
    ],
)
def test_what_is_no_preset(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: str, hint: str
) -> None:
    """An unknown preset and a host too many are bad input, and nothing is written."""
    assert run(["init", "--json", *words]) == 2
    said = capsys.readouterr().err
    assert f'"code": "{code}"' in said
    assert hint in said
    assert not (folder / "tidegate.yaml").exists()


def test_approvals_need_a_key(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever has none is told how to make one."""
    (folder / ".ssh/id_ed25519.pub").unlink()
    assert run(["init", "--preset", "stages", "--json"]) == 2
    assert "ssh-keygen -t ed25519" in capsys.readouterr().err
