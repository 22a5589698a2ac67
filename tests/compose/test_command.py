"""`tidegate compose config`: what it prints, where, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tidegate.cli import run

TEXT = """
services:
  web:
    image: "x:${TAG}"
    command: [echo, $$HOME, "0o17", "yes", "1e3", "2020-01-01", ""]
  dev: {image: y, profiles: [dev]}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a compose file, in which the command runs."""
    (tmp_path / "compose.yaml").write_text(TEXT, encoding="utf-8")
    (tmp_path / ".env").write_text("TAG=1\n", encoding="utf-8")
    for name in ("TAG", "COMPOSE_FILE", "COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_json_is_the_project_without_envelope(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON on stdout is the project itself, with only the services of no profile."""
    assert run(["compose", "config", "-p", "shop", "--format", "json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["name"] == "shop"
    assert list(printed["services"]) == ["web"]
    assert printed["services"]["web"]["image"] == "x:1"
    assert printed["services"]["web"]["command"][1] == "$$HOME"


@pytest.mark.usefixtures("folder")
def test_yaml_is_the_same_project(capsys: pytest.CaptureFixture[str]) -> None:
    """YAML says the same, with quotes around whatever a reader could take for another type."""
    arguments = ["compose", "config", "--project", "shop", "--profile", "dev"]
    assert run([*arguments, "--format", "json"]) == 0
    as_json = json.loads(capsys.readouterr().out)
    assert run(arguments) == 0
    text = capsys.readouterr().out
    for service in as_json["services"].values():
        for key in ("command", "entrypoint"):
            if service[key] is None:
                del service[key]
    assert yaml.safe_load(text) == as_json
    for word in ("0o17", "yes", "1e3", "2020-01-01", ""):
        assert f'"{word}"' in text or f"'{word}'" in text


def test_env_files_and_several_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """-f and --env-file may be repeated; later ones win."""
    (folder / "over.yaml").write_text("services: {web: {hostname: h}}", encoding="utf-8")
    (folder / "a.env").write_text("TAG=2\n", encoding="utf-8")
    files = ["-f", "compose.yaml", "-f", "over.yaml", "--env-file", "a.env"]
    assert run(["compose", "config", *files, "--format", "json"]) == 0
    web = json.loads(capsys.readouterr().out)["services"]["web"]
    assert (web["image"], web["hostname"]) == ("x:2", "h")


def test_files_are_found_above(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without -f the nearest compose file at or above counts, with its override."""
    override = folder / "compose.override.yaml"
    override.write_text("services: {web: {hostname: o}}", encoding="utf-8")
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    assert run(["compose", "config", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["services"]["web"]["hostname"] == "o"


def test_bad_input_is_exit_code_2_with_a_place(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error names file, line and column on stderr, with a hint, and nothing is on stdout."""
    (folder / "compose.yaml").write_text("services:\n  a: {imgae: x}\n", encoding="utf-8")
    assert run(["compose", "config"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "compose.yaml:2:7" in told.err
    assert "did you mean 'image'?" in told.err


def test_no_file_is_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A directory without a compose file is bad input."""
    monkeypatch.chdir(tmp_path)
    assert run(["compose", "config"]) == 2
    assert "no compose file" in capsys.readouterr().err


def test_missing_variables_are_warnings(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A variable without a value is told on stderr, with its place."""
    (folder / ".env").unlink()
    assert run(["compose", "config", "--format", "json"]) == 0
    assert "compose.yaml:4:12: variable TAG is not set" in capsys.readouterr().err


def test_a_repository_of_folders(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a compose file here, all of applications/ and services/ are the project."""
    (folder / "compose.yaml").unlink()
    (folder / "applications" / "web").mkdir(parents=True)
    (folder / "applications" / "web" / "compose.yaml").write_text(
        "services: {web: {build: ., depends_on: [db]}}"
    )
    (folder / "services" / "10_db").mkdir(parents=True)
    (folder / "services" / "10_db" / "compose.yml").write_text("services: {db: {image: x}}")
    assert run(["compose", "config", "--format", "json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert set(printed["services"]) == {"web", "db"}
    assert run(["compose", "config", "-f", "services/10_db/compose.yml", "--format", "json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["services"]) == {"db"}
