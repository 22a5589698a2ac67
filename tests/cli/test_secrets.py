"""`tidegate secrets`: set, list, rotate, edit, rm; no value is ever printed or given as a word."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from tests.cli.schemas import check
from tidegate.cli import run
from tidegate.edges import vault

CONFIG = """\
version: 1
project: shop
environments:
  production: {hosts: {a: {ssh: deploy@192.0.2.1}}, secrets: secrets/production.age}
  staging: {hosts: {b: {ssh: deploy@192.0.2.2}}}
"""


class Person:
    """Somebody at a terminal of this project."""

    def __init__(self, patch: pytest.MonkeyPatch, output: pytest.CaptureFixture[str]) -> None:
        self.patch = patch
        self.output = output

    def type(self, *words: str, given: str = "", code: int = 0) -> str:
        """``tidegate secrets WORDS`` with ``given`` on standard input; all that was printed."""
        self.patch.setattr("sys.stdin", io.StringIO(given))
        ended = run(["secrets", *words])
        said = self.output.readouterr()
        assert ended == code, said
        return said.out + said.err

    @staticmethod
    def values() -> dict[str, str]:
        """What is in the file."""
        found = vault.load(Path("secrets/production.age")).secrets
        return {name: secret.value for name, secret in found.items()}


@pytest.fixture
def person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Person:
    """A project without secrets, and a home of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    (tmp_path / "home").mkdir()
    (tmp_path / "tidegate.yaml").write_text(CONFIG, encoding="utf-8")
    return Person(monkeypatch, capsys)


def test_a_secret_is_set_rotated_and_taken_out(person: Person) -> None:
    """Values come from standard input and are in the file alone."""
    said = person.type("set", "production", "KEY", given="hunter2\n")
    said += person.type("set", "production", "TOKEN", "--variable", "CI_TOKEN")
    assert person.values() == {"KEY": "hunter2", "TOKEN": ""}
    first = vault.load(Path("secrets/production.age")).secrets["KEY"].version
    said += person.type("rotate", "production", "KEY", given="hunter3")
    held = vault.load(Path("secrets/production.age")).secrets["KEY"]
    assert (held.value, held.revoked) == ("hunter3", (first,))
    said += person.type("rm", "production", "TOKEN")
    assert person.values() == {"KEY": "hunter3"}
    assert "hunter" not in said
    assert "hunter" not in Path("secrets/production.age").read_text()


def test_a_generated_value_is_long_and_new(person: Person) -> None:
    """Nobody has to think of one."""
    for name in ("A", "B"):
        person.type("set", "production", name, "--generate")
    values = person.values()
    assert len(set(values.values())) == 2
    assert min(map(len, values.values())) > 40


def test_list_tells_names_and_sources(person: Person) -> None:
    """For people as a table, for programs by its schema."""
    assert "no secrets yet" in person.type("list", "production")
    person.type("set", "production", "KEY", given="hunter2")
    person.type("set", "production", "DEEP", "--command", "pass", "--command", "show")
    said = person.type("list", "production")
    assert "command pass" in said
    assert "hunter2" not in said
    listed = check(json.loads(person.type("list", "production", "--json")))["secrets"]
    assert [(entry["name"], entry["source"]) for entry in listed] == [
        ("DEEP", "command pass"),
        ("KEY", "file"),
    ]


def test_edit_changes_adds_and_removes(person: Person, tmp_path: Path) -> None:
    """By any editor; what has its value elsewhere stays, and nothing readable is left behind."""
    person.type("set", "production", "KEY", given="one")
    person.type("set", "production", "GONE", given="two")
    person.type("set", "production", "TOKEN", "--variable", "CI_TOKEN")
    kept = vault.load(Path("secrets/production.age")).secrets["TOKEN"]
    editor = tmp_path / "editor"
    editor.write_text(
        '#!/bin/sh\ngrep -q GONE "$1" && printf \'KEY: |-\\n  a\\n  b\\nNEW: "3"\\n\' > "$1"\n'
        f'echo "$1" > {tmp_path}/seen\n'
    )
    editor.chmod(0o755)
    person.patch.setenv("VISUAL", str(editor))
    person.type("edit", "production")
    assert person.values() == {"KEY": "a\nb", "NEW": "3", "TOKEN": ""}
    assert vault.load(Path("secrets/production.age")).secrets["TOKEN"] == kept
    assert not Path((tmp_path / "seen").read_text().strip()).exists()
    person.patch.setenv("VISUAL", "echo '[' >")
    assert "nothing was changed" in person.type("edit", "production", code=2)


def test_where_nothing_is_kept_is_said(person: Person) -> None:
    """With the lines that mend it."""
    said = person.type("set", "staging", "KEY", given="x", code=2)
    assert "secrets: secrets/staging.age" in said
    assert "tidegate.yaml:5" in said
    assert "no environment" in person.type("list", "testing", code=2)
    assert "no secret" in person.type("rm", "production", "KEY", code=2)
