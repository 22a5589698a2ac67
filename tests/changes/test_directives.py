"""What messages order, as data, and what the orders do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.changes.repository import Repository, actions
from tidegate.changes.directives import orders
from tidegate.errors import InputError
from tidegate.repo.commits import Commit

MESSAGES = yaml.safe_load(Path(__file__).with_name("directives.yaml").read_text("utf-8"))
OID = "0123456789abcdef0123456789abcdef01234567"
PROJECT = {
    "applications/api/Dockerfile": "FROM a\nCOPY . /\n",
    "applications/web/Dockerfile": "FROM a\nCOPY . /\n",
    "services/01_web/docker-compose.yml": "services: {web: {image: r/web}, cache: {image: c}}\n",
    "services/02_api/docker-compose.yml": "services: {api: {image: r/api, volumes: [./c:/c]}}\n",
}
CHANGE = {"applications/api/x": "2", "services/02_api/c": "2"}
BUILT = {"applications": {"api": "build"}, "services": {"api": "redeploy"}}


@pytest.fixture
def made(tmp_path: Path) -> Repository:
    """A repository with one commit."""
    found = Repository(tmp_path / "project")
    found.commit("first", PROJECT)
    return found


@pytest.mark.parametrize("case", MESSAGES, ids=lambda case: repr(case["message"]))
def test_messages_order(case: dict[str, Any]) -> None:
    """Each message orders what the table says, or is an error with its commit, line and hint."""
    commits = [Commit(OID, case["message"])]
    if "heeded" in case:
        assert [str(one) for one in orders(commits).heeded] == case["heeded"]
        return
    with pytest.raises(InputError) as found:
        orders(commits)
    assert case["error"] in found.value.message
    assert f"commit {OID[:12]}, line {case['line']}" in found.value.message
    assert found.value.where is not None
    assert (found.value.where.file, found.value.where.line) == (f"commit {OID[:12]}", case["line"])
    assert case["hint"] in found.value.hint


def test_the_newest_commit_speaks() -> None:
    """Orders to do less count in the newest commit only; to build everything, in all of them."""
    plain = Commit(OID, "Fix")
    less = Commit(OID, "Fix [skip-build] [nothing-else]")
    more = Commit(OID, "Fix [force-build]")
    assert orders([plain, less]).heeded == ()
    assert [str(one) for one in orders([plain, less]).unheeded] == ["[skip-build]"]
    assert [str(one) for one in orders([plain, less, more]).heeded] == ["[force-build]"]
    assert [str(one) for one in orders([less, more]).heeded] == ["[skip-build]"]
    assert orders([plain, Commit(OID, "Fix [skip-builds]")]).heeded == ()


@pytest.mark.parametrize(
    ("order", "expected", "ends"),
    [
        ("", BUILT, False),
        ("[skip-build]", {"applications": {}, "services": {}}, True),
        ("[force-build]", {
            "applications": {"api": "build", "web": "build"},
            "services": {"api": "redeploy", "web": "redeploy"},
        }, False),
        ("[release-only]", {"applications": {}, "services": {"api": "redeploy"}}, False),
        ("[deploy-services: cache]", {
            "applications": {"api": "build"}, "services": {"cache": "redeploy"},
        }, False),
        ("[deploy-services: 01_web]", {
            "applications": {"api": "build"},
            "services": {"cache": "redeploy", "web": "redeploy"},
        }, False),
        ("[force-build] [deploy-services: api]", {
            "applications": {"api": "build", "web": "build"}, "services": {"api": "redeploy"},
        }, False),
        ("[release-only] [deploy-services: web]", {
            "applications": {}, "services": {"web": "redeploy"},
        }, False),
    ],
)  # fmt: skip
def test_orders_are_carried_out(
    order: str, expected: dict[str, Any], ends: bool, made: Repository
) -> None:
    """The exact effect of each order on a commit that changes one application and its service."""
    made.commit(f"Change {order}", CHANGE)
    found = made.changed()
    assert (actions(found), found.decision.ends) == (expected, ends)


def test_release_only_leaves_services_of_changed_files(made: Repository) -> None:
    """A service whose image only would be new keeps the old one, and that is said."""
    compose = "services: {{web: {{build: {{context: ., args: {{A: '{}'}}}}}}}}\n"
    name = "applications/web/compose.yaml"
    made.commit("compose", {name: compose.format(1)})
    made.commit("Change [release-only]", {"applications/web/x": "2", name: compose.format(2)})
    found = made.changed()
    assert actions(found) == {"applications": {}, "services": {}}
    assert found.decision.applications["web"].kept_from == "[release-only]"


def test_a_service_that_does_not_exist(made: Repository) -> None:
    """A wrong name in [deploy-services] is an error with its commit, its line and the right one."""
    oid = made.commit("Change\n\n[deploy-services: cahce]", CHANGE)
    with pytest.raises(InputError) as found:
        made.changed()
    assert f"commit {oid[:12]}, line 3" in found.value.message
    assert "cache" in found.value.hint


def test_a_merge_speaks_for_itself(made: Repository) -> None:
    """What the merged branch ordered counts for that branch; the merge's own message counts."""
    made.git("switch", "-q", "-c", "topic")
    made.commit("Topic [skip-build]", CHANGE)
    made.git("switch", "-q", "main")
    made.commit("Main", {"README.md": "1"})
    made.git("merge", "-q", "--no-ff", "-m", "Merge topic", "topic")
    assert actions(made.changed()) == BUILT
    made.git("commit", "-q", "--amend", "-m", "Merge topic [skip-build]")
    assert made.changed().decision.ends
