"""What images of a commit are called."""

from __future__ import annotations

import re

import pytest

from tidegate.repo.tags import Commit, cleaned, commit, tags

OID = "4da4d90" + "0" * 33
AT = 1_764_000_000  # 2025-11-24 16:00:00 UTC

CASES = [
    (Commit(OID, AT, "main"), ("sha-4da4d90", "main", "20251124-160000", "latest")),
    (Commit(OID, AT, "feature/log in"), ("sha-4da4d90", "feature-log-in")),
    (Commit(OID, AT, "main", default="trunk"), ("sha-4da4d90", "main")),
    (
        Commit(OID, AT, "trunk", ("v1.2.3", "nightly"), "trunk"),
        ("sha-4da4d90", "1.2.3", "trunk", "20251124-160000", "latest"),
    ),
    (Commit(OID, AT, "", ("1.3.0-rc.1+build.5",)), ("sha-4da4d90", "1.3.0-rc.1")),
]


@pytest.mark.parametrize(("given", "wanted"), CASES)
def test_tags(given: Commit, wanted: tuple[str, ...]) -> None:
    """latest and the time on the default branch only; a version where git has one."""
    assert tags(given) == wanted


@pytest.mark.parametrize("branch", ["-x", "a" * 300, "ö/ü", "renovate/node@22", ".hidden", "///"])
def test_any_branch_gives_a_tag(branch: str) -> None:
    """Whatever git allows becomes what a registry takes."""
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", cleaned(branch))


def test_what_git_says_is_read() -> None:
    """The default branch is that of origin; without git there is no commit."""
    found = commit(f"{OID} {AT}\n", "main", "v1.0.0\nother\n", "origin/main\n")
    assert found == Commit(OID, AT, "main", ("v1.0.0", "other"), "main")
    assert commit("", "", "", "") == Commit("", 0)
