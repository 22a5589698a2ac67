"""How pages are read and followed: what would make a page untrue is found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.docs.page import Command, File, Interrupt, missing, simple, steps
from tests.docs.terminal import Terminal

PAGE = """\
Say `tidegate plan`, or `tidegate hold`.

```yaml title="a/b.yaml"
one: 1
```

```yaml
not: a file
```

```console
$ first --long \\
    --longer
said
$ second     # exit code 3: refused
deploy@203.0.113.10$ third
```

```console title="another terminal"
$ loop
^C
```
"""


def test_a_page_is_what_its_reader_does() -> None:
    """Files with a title, commands with what follows them, logins, another terminal, Ctrl-C."""
    assert steps(PAGE) == [
        File(4, "a/b.yaml", "one: 1\n"),
        Command(12, "first --long \\\n    --longer", shown=("said",)),
        Command(15, "second     # exit code 3: refused", code=3),
        Command(16, "third", login="deploy@203.0.113.10"),
        Command(20, "loop", beside=True),
        Interrupt(21),
    ]


def test_output_without_a_command_is_an_error() -> None:
    """A terminal that begins with output was meant otherwise."""
    with pytest.raises(ValueError, match="line 2"):
        steps("```console\ntidegate plan\n```\n")


@pytest.mark.parametrize(
    ("shown", "said", "first"),
    [
        (("web  8c02b91 (3.4 s)",), "web 1d3eb57  (0.2 s)", ""),
        (("a", "", "c"), "a\nb\nc", ""),
        (("c", "a"), "a\nb\nc", "a"),
        (("No changes: …",), "No changes: production already runs", ""),
        (("Apples",), "Apples and pears", "Apples"),
        (("Apples",), "\x1b[31mApples\x1b[0m", ""),
    ],
)
def test_what_is_shown_was_said(shown: tuple[str, ...], said: str, first: str) -> None:
    """Line by line and in order; numbers and digests may differ, words may not."""
    assert missing(shown, said) == first


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        ("sudo -E tidegate lab up && A=1 tidegate plan", ["tidegate lab up", "tidegate plan"]),
        ("tidegate set X < file > out # tidegate no", ["tidegate set X"]),
        (
            "while curl -f x; do tidegate status; done",
            ["while curl -f x", "tidegate status", "done"],
        ),
        ("tidegate exec web -- sh -c 'a; b'", ["tidegate exec web -- sh -c a; b"]),
        (
            "a | \\\n  tidegate exec web -- cat || [ $? = 5 ]",
            ["a", "tidegate exec web -- cat", "[ $? = 5 ]"],
        ),
    ],
)
def test_lines_are_cut_into_commands(line: str, commands: list[str]) -> None:
    """As the shell does, but for what is before the command and where its output goes."""
    assert [" ".join(words) for words in simple(line)] == commands


def test_a_terminal_remembers(tmp_path: Path) -> None:
    """Folder and variables last; exit codes and both outputs are told; nothing waits for input."""
    (tmp_path / "below").mkdir()
    with Terminal(tmp_path, os.environ) as terminal:
        assert terminal.run("cd below && export FRUIT=apple") == (0, "")
        assert terminal.folder == tmp_path / "below"
        assert terminal.run("echo $FRUIT; pwd >&2; cat; (exit 7)   # why") == (
            7,
            f"apple\n{tmp_path / 'below'}\n",
        )


def test_who_ends_beside_is_found(tmp_path: Path) -> None:
    """A loop that goes on is well; one that has ended is told, with what it said."""
    with Terminal(tmp_path, os.environ) as terminal:
        terminal.begin("while sleep 0.1; do :; done")
        assert terminal.interrupt() == []
        terminal.begin("echo failed")
        terminal.run("sleep 0.5")
        assert "failed" in terminal.interrupt()[0]
