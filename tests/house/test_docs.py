"""The documents hold together: links lead somewhere. Their commands: see tests/docs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")

PATH = re.compile(r"`(?:python |\./)?((?:src|tests|scripts|benchmarks|examples)/[\w./-]+\w)[` ]")


def shown(path: Path) -> str:
    """A path as people see it, below the project's root."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_links_lead_somewhere(page: Path) -> None:
    """Each relative link of a page is a file or a folder of the project."""
    targets = [link for link in LINK.findall(page.read_text("utf-8")) if "://" not in link]
    assert [link for link in targets if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_paths_lead_somewhere(page: Path) -> None:
    """Each path of the project that a page names in a line is there."""
    named = PATH.findall(page.read_text("utf-8"))
    assert [path for path in named if not (ROOT / path).exists()] == []
