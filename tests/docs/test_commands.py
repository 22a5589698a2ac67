"""Every command line in the documents is one that the program takes; every terminal is tried."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from cyclopts import CycloptsError, MissingArgumentError

from tests.docs.page import Command, Invocation, blocks, invocations, simple, steps
from tests.docs.reader import LISTED, PERSON, ROOT
from tidegate.cli import COMMANDS, find, load, own
from tidegate.config.load import read_config
from tidegate.errors import InputError
from tidegate.host import commands as host
from tidegate.testing.prove import __main__ as prove

MADE = ROOT / "docs/reference/commands.md"  # its usage lines are no commands
PAGES = sorted({ROOT / "README.md", *(ROOT / "docs").rglob("*.md")} - {MADE})
IN_A_JOB = re.compile(r"^\s*(?:-\s+)?(?:run:\s+)?((?:[A-Z_]+=\S+ )*tidegate .*)$")
LEFT_OUT = 6
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBwlOxBeImeJwkLSGy2Gx8owKAK9JTcr3Nx6Jz9"


def shown(path: Path) -> str:
    """A path as people see it, below the project's root."""
    return str(path.relative_to(ROOT))


def refused(words: list[str], *, typed: bool = True) -> str:
    """What the real parser has against a command line; nothing if it takes it.

    Prose may name a command without the arguments that it needs.
    """
    if words[0] != "tidegate":
        parser = prove.arguments() if "prove" in words[0] else host._parser()
        named = [] if typed or words[0] != "tidegate-host" else ["--project", "shop"]
        try:
            parser.parse_args([words[1].replace("PART", "deploy"), *words[2:], *named])
        except SystemExit as ended:
            return "" if ended.code == 0 else f"{words[0]} does not take {' '.join(words[1:])}"
        return ""
    if words[1:] in ([], ["--help"], ["--version"]):
        return ""
    try:
        load(find(*own(words[1:]))).parse_args(words[1:], exit_on_error=False, print_error=False)
    except MissingArgumentError as problem:
        return str(problem) if typed else ""
    except (CycloptsError, InputError) as problem:
        return str(problem)
    return ""


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_command_lines_are_taken(page: Path) -> None:
    """Each command of ours, in a terminal, in a line of prose or in a job, can be typed."""
    text = page.read_text(encoding="utf-8")
    told = [
        f"{shown(page)}:{one.line}: {problem}"
        for one in [*invocations(text), *in_jobs(text)]
        if (problem := refused(one.words, typed=one.typed))
    ]
    assert told == []


def test_examples_of_the_help_are_taken() -> None:
    """Each command has one, and it can be typed."""
    text = MADE.read_text(encoding="utf-8")
    examples = re.findall(r"^(?:.* )?Example: `(.+)`$", text, flags=re.MULTILINE)
    assert len(examples) >= len(COMMANDS)
    ours = [words for one in examples for words in simple(one) if words[0] == "tidegate"]
    assert [problem for words in ours if (problem := refused(words))] == []


def in_jobs(text: str) -> list[Invocation]:
    """The commands of a CI job's file."""
    return [
        Invocation(first + number, words, True)
        for first, language, _, body in blocks(text)
        if language in ("yaml", "sh")
        for number, line in enumerate(body)
        if (found := IN_A_JOB.match(line))
        for words in simple(found[1])
    ]


def test_a_wrong_command_line_is_refused() -> None:
    """The parsers that the test above asks do refuse: an option, a command, a host's command."""
    assert refused(["tidegate", "deploy", "--fast"])
    assert refused(["tidegate", "deplou"])
    assert refused(["tidegate", "secrets", "rotate", "production"])
    assert refused(["tidegate-host", "rollback"])
    assert refused(["./scripts/prove", "everything"])


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_terminal_is_tried(page: Path) -> None:
    """A page with a terminal is in pages.yaml, so it is followed; and only such a page."""
    typed = [step for step in steps(page.read_text(encoding="utf-8")) if isinstance(step, Command)]
    assert bool(typed) == (shown(page) in LISTED)


def test_what_is_not_run_is_there_and_little() -> None:
    """What pages.yaml leaves out stands on its page, has a reason, and is little."""
    left_out = [
        (page, *entry) for page, of in LISTED.items() for entry in of.get("not_run", {}).items()
    ]
    for page, text, why in left_out:
        typed = [s.bare for s in steps((ROOT / page).read_text("utf-8")) if isinstance(s, Command)]
        assert text in typed and why, f"{page}: {text}"
    assert len(left_out) <= LEFT_OUT


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_no_command_hides_in_an_indented_block(page: Path) -> None:
    """Commands stand in terminals, where they are run; not in blocks that are only indented."""
    hidden = [
        line
        for line in page.read_text(encoding="utf-8").splitlines()
        if re.match(r"^(?: {4,}|\t)(?:\$ |tidegate |\./scripts/)", line)
    ]
    assert hidden == []


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_files_can_be_read(page: Path) -> None:
    """Every YAML on a page is YAML, and every tidegate.yaml that is written is a good one."""
    for first, language, title, body in blocks(page.read_text(encoding="utf-8")):
        if language != "yaml":
            continue
        text = PERSON.sub(lambda found: f"{KEY}{found[1]:x<5}", "\n".join(body))
        assert yaml.safe_load(text), f"{shown(page)}:{first}"
        if title == "tidegate.yaml":
            read_config(text, title, root=str(ROOT))


def test_every_command_is_in_the_documents() -> None:
    """Each command of the table is typed or named on a page that people wrote."""
    told = [one.words for page in PAGES for one in invocations(page.read_text(encoding="utf-8"))]
    named = {words[1] for words in told if len(words) > 1}
    assert {entry.word for entry in COMMANDS} - named == set()
    assert {entry.name for entry in COMMANDS} - named <= {
        f"{words[1]} {word}" for words in told for word in words[2:]
    }
