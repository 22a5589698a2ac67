"""`tidegate release` with real images, a real registry, and clones that work side by side."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.builds.project import TIDEGATE, Project
from tests.builds.test_build import login
from tests.cli.schemas import check

pytestmark = pytest.mark.lab


@pytest.fixture
def shared(project: Project, registry: str, tmp_path: Path) -> Project:
    """The project with a remote that others clone, logged in."""
    login(registry)
    remote = tmp_path / "remote.git"
    project.git("init", "-q", "--bare", "-b", "main", str(remote))
    project.git("remote", "add", "origin", str(remote))
    project.git("push", "-q", "origin", "main")
    return project


def tell(project: Project, *words: str, status: int = 0) -> dict[str, Any]:
    """The data of ``tidegate release``, or its error."""
    argv = [str(TIDEGATE), "release", *words, "--json"]
    done = subprocess.run(argv, cwd=project.folder, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    if status:
        return dict(json.loads(done.stderr.splitlines()[-1])["data"])
    return dict(check(json.loads(done.stdout)))


def clone(project: Project, place: Path) -> Project:
    """The same commit on another machine."""
    project.git("clone", "-q", project.git("remote", "get-url", "origin"), str(place))
    return Project(place, place.parent)


def test_the_same_commit_is_the_same_release(
    shared: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Again, and on another machine with an empty cache: found, not made."""
    first = tell(shared)
    assert first["fresh"] is True
    again = tell(shared)
    assert (again["fresh"], again["tag"]) == (False, first["tag"])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    other = tell(clone(shared, tmp_path / "clone"))
    assert {**other, "fresh": True} == first
    assert first["applications"]["api"]["ref"] == first["services"]["api"]["ref"]


def test_the_branch_has_what_a_deployment_needs(shared: Project) -> None:
    """The tree of the commit, version.env with our images pinned, a release that verifies."""
    made = tell(shared)
    files = shared.git("ls-tree", "-r", "--name-only", made["tag"]).splitlines()
    assert {"compose.yaml", "applications/api/Dockerfile", "services/release.json"} <= {*files}
    versions = shared.git("show", f"{made['tag']}:services/version.env").splitlines()
    digest = made["applications"]["api"]["ref"].rpartition("@")[2]
    assert f"API_TAG={made['applications']['api']['tag']}@{digest}" in versions
    shown = tell(shared, "show")
    assert shown["signer"].startswith("SHA256:")
    assert shown["digest"] == made["digest"]
    assert [one["tag"] for one in tell(shared, "list")["releases"]] == [made["tag"]]


def test_two_releases_are_compared(shared: Project) -> None:
    """Only what differs is told; an application that did not change keeps its line."""
    first = tell(shared)
    shared.write("tools/probe/probe", "another\n")
    shared.commit("probe")
    second = tell(shared)
    found = tell(shared, "diff")
    assert [(one["name"], one["change"]) for one in found["images"]] == [("probe", "changed")]
    assert (found["before"]["tag"], found["after"]["tag"]) == (first["tag"], second["tag"])
    assert found["commits"] == 1
    lines = [
        {*shared.git("show", f"{one['tag']}:services/version.env").splitlines()}
        for one in (first, second)
    ]
    assert [line.partition("=")[0] for line in lines[1] - lines[0]] == ["PROBE_TAG"]


def test_an_older_commit_does_not_come_after_a_newer_one(shared: Project, tmp_path: Path) -> None:
    """A slow pipeline is refused, and may be told to go on."""
    slow = clone(shared, tmp_path / "slow")
    shared.write("tools/probe/probe", "newer\n")
    shared.commit("newer")
    shared.git("push", "-q", "origin", "main")
    newer = tell(shared)
    slow.git("fetch", "-q")
    assert tell(slow, status=3)["code"] == "superseded"
    assert tell(slow, "--older")["tag"] > newer["tag"]


def test_nothing_is_released_that_fails_or_is_not_committed(shared: Project) -> None:
    """Neither a branch nor a tag is there afterwards."""
    shared.write("applications/api/value", "other\n")
    assert tell(shared, status=2)["code"] == "uncommitted"
    shared.write("applications/api/value", "bad\n")
    shared.commit("bad")
    assert tell(shared, status=1)["code"] == "tests-failed"
    assert tell(shared, "list")["releases"] == []
    assert shared.git("ls-remote", "origin", "releases") == ""


def test_a_release_that_somebody_changed_is_not_believed(shared: Project) -> None:
    """Its digest and its signature are held against what the branch has."""
    made = tell(shared)
    shared.git("checkout", "-q", made["tag"])
    path = shared.folder / "services/release.json"
    path.write_text(path.read_text().replace('"shop"', '"shoe"'))
    message = shared.git("log", "-1", "--format=%B")
    shared.git("commit", "-q", "-a", "-m", message)
    shared.git("push", "-q", "origin", "HEAD:releases")
    shared.git("checkout", "-q", "main")
    shared.git("fetch", "-q", "origin", "+releases:refs/remotes/origin/releases")
    assert tell(shared, "show", status=2)["code"] == "release-broken"
