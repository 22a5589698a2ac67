"""The table of commands: each imports, helps with an example, and is in the reference."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from tidegate import __version__
from tidegate.cli import COMMANDS, Entry, load, overview, own, reference, run
from tidegate.cli.output import envelope, error_text, table
from tidegate.errors import DeploymentFailed, InputError, RefusedError, Where


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_each_command_helps(entry: Entry, capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` of each command and each of its parts ends well and shows an example."""
    app = load(entry)
    parts = [name for name in app[entry.word] if not name.startswith("-")]
    helps = []
    own_words = entry.name.split()
    for words in [own_words, *([*own_words, part] for part in parts)]:
        assert run([*words, "--help"]) == 0
        helps.append(capsys.readouterr().out)
    assert all("Example" in text for text in helps)
    assert entry.help.endswith(".")


def test_the_reference_is_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/reference is what the code gives."""
    monkeypatch.setattr(sys, "argv", ["reference", "--check"])
    assert reference.main() == 0


def test_the_overview_names_every_command() -> None:
    """`tidegate --help` lists each command once with its line."""
    lines = overview().splitlines()
    for entry in COMMANDS:
        assert sum(line.startswith(f"  {entry.name}  ") for line in lines) == 1


def test_the_version_is_quick() -> None:
    """`tidegate --version` starts no command line: cyclopts, rich and yaml stay out."""
    code = (
        "import sys; sys.argv=['tidegate','--version']\n"
        "from tidegate.__main__ import main; main()\n"
        "heavy = {'cyclopts', 'rich', 'yaml', 'tidegate.cli'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.returncode, done.stdout) == (0, f"tidegate {__version__}\n"), done.stderr
    assert time.perf_counter() - begun < 5


def test_words_after_two_dashes_are_not_ours() -> None:
    """`exec web -- cmd --json` asks nothing of us."""
    assert own(["exec", "web", "--", "cmd", "--json"]) == ["exec", "web"]


@pytest.mark.parametrize("error", [ValueError("boom"), KeyError("x")])
def test_an_unexpected_exception_is_one_line(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 4, no traceback, and how to get one; with TIDEGATE_DEBUG it is raised."""

    def broken(_: object) -> int:
        raise error

    monkeypatch.delenv("TIDEGATE_DEBUG", raising=False)
    monkeypatch.setattr("tidegate.cli.dispatch", broken)
    assert run(["init", "--json"]) == 4
    data = json.loads(capsys.readouterr().err)["data"]
    assert (data["class"], data["code"]) == ("error", "unexpected")
    assert "TIDEGATE_DEBUG=1" in data["hint"]
    monkeypatch.setenv("TIDEGATE_DEBUG", "1")
    with pytest.raises(type(error)):
        run(["init"])


def test_an_error_shows_place_hint_and_log() -> None:
    """What a person reads on stderr."""
    error = DeploymentFailed(
        "web did not become healthy",
        code="unhealthy",
        where=Where("compose.yaml", 3, 5),
        hint="look at its log",
        log=("one", "two"),
    )
    assert error_text(error) == (
        "error: web did not become healthy\n"
        "  at compose.yaml:3:5\n"
        "  hint: look at its log\n"
        "  its last log lines:\n"
        "    | one\n"
        "    | two\n"
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [(InputError("x", code="x"), 2), (RefusedError("x", code="x"), 3)],
)
def test_exit_codes_follow_the_class(
    error: Exception, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The class of an error decides the exit code."""

    def raising(_: object) -> int:
        raise error

    monkeypatch.setattr("tidegate.cli.dispatch", raising)
    assert run(["init"]) == code


def test_a_table_is_aligned() -> None:
    """Columns are as wide as their widest cell."""
    assert table(["n", "state"], [["web", "ok"], ["db", "up"]]) == ("N    STATE\nweb  ok\ndb   up")


def test_the_envelope() -> None:
    """Every --json answer names its schema and its kind."""
    assert envelope("plan", {"a": 1}) == {
        "schema": "tidegate/plan/1",
        "kind": "plan",
        "data": {"a": 1},
    }
