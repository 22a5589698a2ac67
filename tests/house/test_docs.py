"""The documents hold together: links lead somewhere, commands in them exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tidegate.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"^\$ (?:sudo -E )?tidegate ([a-z]+)", re.MULTILINE)


def shown(path: Path) -> str:
    """A path as people see it, below the project's root."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_links_lead_somewhere(page: Path) -> None:
    """Each relative link of a page is a file or a folder of the project."""
    targets = [link for link in LINK.findall(page.read_text("utf-8")) if "://" not in link]
    assert [link for link in targets if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_commands_exist(page: Path) -> None:
    """Each `$ tidegate NAME` of a page is a command of the table."""
    known = {entry.word for entry in COMMANDS}
    assert set(COMMAND.findall(page.read_text("utf-8"))) <= known
