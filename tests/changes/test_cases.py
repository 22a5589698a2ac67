"""One commit on top of one project, case by case: what is built, redeployed, and whose files."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.changes.repository import Repository, actions, owners
from tidegate.cli.changes_json import answer

TABLE = yaml.safe_load(Path(__file__).with_name("cases.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project of the table, committed."""
    made = Repository(tmp_path_factory.mktemp("project"))
    made.commit("first", TABLE["project"])
    return made.folder


def apply(case: dict[str, Any], made: Repository) -> None:
    """Carry a case's change out in the working tree."""
    made.write(case.get("files", {}))
    for old, new in case.get("move", {}).items():
        (made.folder / new).parent.mkdir(parents=True, exist_ok=True)
        made.git("mv", old, new)
    for name, (old, new) in case.get("replace", {}).items():
        text = (made.folder / name).read_text(encoding="utf-8")
        assert old in text
        made.write({name: text.replace(old, new)})
    if "chmod" in case:
        (made.folder / case["chmod"]).chmod(0o755)


@pytest.mark.parametrize("case", TABLE["cases"], ids=lambda case: case["claim"].replace(" ", "-"))
def test_a_commit_changes_what_it_should(
    case: dict[str, Any], project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Actions, owners and rules are the case's; every file of the commit is told once.

    The answer is the same whether nothing, the commit before, or itself was asked about before.
    """
    folder = tmp_path / "project"
    shutil.copytree(project, folder)
    made = Repository(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made.changed()
    apply(case, made)
    made.commit()
    found = made.changed()
    assert answer(found) == answer(made.changed())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    assert answer(found) == answer(made.changed())
    assert actions(found) == {
        "applications": case.get("applications", {}),
        "services": case.get("services", {}),
    }
    whose = owners(found)
    told = made.git("-c", "core.quotepath=false", "diff", "-z", "--name-only", "HEAD^", "HEAD")
    assert sorted(whose) == sorted(name for name in told.split("\0") if name)
    assert {name: whose[name] for name in case.get("whose", {})} == case.get("whose", {})
    decision = found.decision
    for name, words in case.get("because", {}).items():
        items = [some[name] for some in (decision.applications, decision.services) if name in some]
        rules = [one.rule for item in items for one in item.because]
        assert any(words in rule for rule in rules), rules
