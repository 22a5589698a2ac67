"""Real shells complete what the commands really take."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tidegate.cli import COMMANDS
from tidegate.cli.candidates import candidates

CONFIG = """\
version: 1
project: shop
environments:
  staging: {hosts: {staging-1: {ssh: deploy@192.0.2.1}}}
  production: {hosts: {web-1: {ssh: deploy@192.0.2.2}, web-2: {ssh: deploy@192.0.2.3}}}
"""
COMPOSE = "services: {web: {image: x}, worker: {image: x}, db: {image: x}}\n"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with two environments."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tidegate.yaml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "compose.yaml").write_text(COMPOSE, encoding="utf-8")
    return tmp_path


CASES = [
    (["depl"], ["deploy"]),
    (["secrets", "r"], ["rotate", "rm"]),
    (["deploy", ""], ["staging", "production"]),
    (["deploy", "p"], ["production"]),
    (["deploy", "staging", ""], []),
    (["deploy", "--dry"], ["--dry-run"]),
    (["deploy", "--dry-run", "--dry"], []),
    (["deploy", "--reason", ""], []),
    (["deploy", "--reason", "x", ""], ["staging", "production"]),
    (["deploy", "--config", ""], [":files"]),
    (["logs", "web", "w"], ["worker"]),
    (["logs", "--environment", "=", "s"], ["staging"]),
    (["exec", "db", "--host", "web-"], ["web-1", "web-2"]),
    (["exec", "db", "--", "l"], [":files"]),
    (["run", "--rm", "d"], ["db"]),
    (["scale", "we"], ["web="]),
    (["host", "drain", "web-2"], ["web-2"]),
    (["nosuch", ""], []),
]


@pytest.mark.parametrize(("words", "wanted"), CASES, ids=lambda item: " ".join(item) or "-")
def test_what_may_follow(words: list[str], wanted: list[str]) -> None:
    """Commands, their parts, options, and what is in the configuration."""
    assert [word for word, _ in candidates(words)] == wanted


def test_every_option_of_every_command_is_offered() -> None:
    """With the words of its help; none makes the completion fail."""
    for entry in COMMANDS:
        for word, meaning in candidates([*entry.name.split(), "-"]):
            assert word.startswith("--"), entry.name
            assert meaning, (entry.name, word)


def test_what_cannot_be_read_completes_nothing(project: Path) -> None:
    """No message, no traceback."""
    (project / "compose.yaml").write_text("services: [", encoding="utf-8")
    assert candidates(["logs", ""]) == []
    (project / "tidegate.yaml").write_text("x: [", encoding="utf-8")
    assert candidates(["deploy", ""]) == []


# What a shell offers for the words `tidegate logs w`, one a line; $1 is its completion script.
ASKED = {
    "bash": 'source "$1"; COMP_WORDS=(tidegate logs w); COMP_CWORD=2; _tidegate; '
    'printf "%s\\n" "${COMPREPLY[@]}"',
    "zsh": '_describe() { print -l -- "${(@)found%%:*}"; }; compdef() { :; }; source "$1"; '
    "words=(tidegate logs w); CURRENT=3; _tidegate",
    "fish": 'source $argv[1]; complete -C "tidegate logs w" | string replace -r "\\t.*" ""',
}


@pytest.mark.parametrize("shell", sorted(ASKED))
def test_a_shell_completes(shell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The script that is printed, in the shell that it is for."""
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=":")
    argv = [sys.executable, "-m", "tidegate", "completion", shell]
    script = tmp_path / f"completion.{shell}"
    script.write_bytes(subprocess.run(argv, capture_output=True, check=True).stdout)
    before = ("-c", ASKED[shell], shell) if shell != "fish" else ("-c", ASKED[shell])
    done = subprocess.run(
        [program, *before, str(script)], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["web", "worker"], done.stderr
