"""The site of the documents builds without a warning, is whole, and fetches nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
FETCHED = {
    ("script", "src"),
    ("img", "src"),
    ("link", "href"),
    ("iframe", "src"),
    ("source", "src"),
}
# What a browser looks for besides: a canonical address is no fetch.
RELATIONS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "modulepreload"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly from a copy, so that nothing is left in the checkout."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copy(ROOT / "zensical.toml", folder)
    shutil.copytree(ROOT / "docs", folder / "docs")
    done = build(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stdout + done.stderr
    return folder / "site"


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build the site of a folder, strictly."""
    program = Path(sys.executable).with_name("zensical")
    return subprocess.run(
        [program, "build", "--strict"], cwd=folder, capture_output=True, text=True, check=False
    )


def test_every_page_is_in_the_navigation() -> None:
    """The navigation names each page below docs once, and no other."""
    settings = tomllib.loads((ROOT / "zensical.toml").read_text(encoding="utf-8"))
    pages = [str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")]
    assert sorted(named(settings["project"]["nav"])) == sorted(pages)


def named(nav: Any) -> Iterator[str]:
    """The pages of a navigation, however deep."""
    if isinstance(nav, str):
        yield nav
    else:
        for one in nav.values() if isinstance(nav, dict) else nav:
            yield from named(one)


def test_a_broken_link_fails_the_build(tmp_path: Path) -> None:
    """Strict is strict: a page that is not there, and an anchor that is not there."""
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    (tmp_path / "docs").mkdir()
    for link, ends in (("#a-page", 0), ("absent.md", 1), ("#absent", 1)):
        (tmp_path / "docs/index.md").write_text(f"# A page\n\n[Read on]({link})\n", "utf-8")
        assert build(tmp_path).returncode == ends, link


class Fetches(HTMLParser):
    """What a browser would fetch for a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.classes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the addresses of one tag."""
        found = {name: value or "" for name, value in attrs}
        self.classes.update(found.get("class", "").split())
        if tag == "link" and not RELATIONS & set(found.get("rel", "").split()):
            return
        self.addresses += [found[name] for of, name in FETCHED if of == tag and found.get(name)]


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    """Scripts, styles, fonts and pictures are files of the site, and they are there.

    A Mermaid block would make the theme fetch its program: there is none.
    """
    pages = [path for path in site.rglob("*.html") if path.name != "404.html"]
    assert len(pages) > 20
    for page in pages:
        parser = Fetches()
        parser.feed(page.read_text(encoding="utf-8"))
        assert "mermaid" not in parser.classes, page
        for address in parser.addresses:
            assert "//" not in address and not address.startswith("data:http"), f"{page}: {address}"
            assert (page.parent / address.partition("?")[0]).exists(), f"{page}: {address}"
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(?:https?:)?//|@import", style.read_text("utf-8")), style


def test_the_protocol_shows_its_picture(site: Path) -> None:
    """The page has the picture of the table, as text that a browser draws by itself."""
    page = (site / "protocol.html").read_text(encoding="utf-8")
    source = re.search(r'<img[^>]+src="([^"]*host\.svg)"', page)
    assert source is not None
    picture = (site / source[1]).read_text(encoding="utf-8")
    assert ">in-doubt<" in picture and "href=" not in picture.replace("xlink", "")
