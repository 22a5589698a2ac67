"""The branch releases in real repositories: whole, in order, and safe from others."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tidegate.edges import git_releases
from tidegate.edges.git_releases import Releases, remote
from tidegate.errors import InfrastructureError, InputError
from tidegate.repo.releases import Entry, choose

PUSHERS, EACH = 4, 3


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    argv = ["git", *identity, "-C", str(folder), *words]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def digest(n: int) -> str:
    return f"sha256:{n:064x}"


def files(text: str) -> Callable[[Callable[[str], bytes]], Mapping[str, bytes]]:
    """version.env with one more line than the released commit has."""
    return lambda read: {
        "services/version.env": read("services/version.env") + f"{text}\n".encode(),
        "services/release.json": text.encode(),
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with two commits, in a folder below its top, and an empty remote."""
    place = tmp_path / "repo" / "shop"
    (place / "services").mkdir(parents=True)
    (place / "services/version.env").write_text("POSTGRES_TAG=17\n")
    (place / "app").write_text("1")
    git(tmp_path, "init", "-q", "-b", "main", "repo")
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", "one")
    (place / "app").write_text("2")
    git(place, "commit", "-q", "-a", "-m", "two")
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "remote.git")
    git(place, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(place, "push", "-q", "origin", "main")
    return place


def head(folder: Path, name: str = "HEAD") -> str:
    return git(folder, "rev-parse", name)


@pytest.mark.parametrize("place", ["", "origin"], ids=["alone", "remote"])
def test_a_release_is_a_commit_with_everything(project: Path, place: str) -> None:
    """The released tree with version.env in it, both parents, a tag; here nothing is touched."""
    (project / "app").write_text("not committed")
    before = git(project, "status", "--porcelain"), head(project)
    branch = Releases(str(project), place)
    first = branch.publish(head(project, "HEAD~1"), digest(1), files("A=1"), lambda _: True)
    second = branch.publish(head(project), digest(2), files("A=2"), lambda _: True)
    assert first is not None
    assert second is not None
    assert branch.entries() == [second, first]
    assert branch.file(second.oid, "services/version.env") == b"POSTGRES_TAG=17\nA=2\n"
    assert branch.file(second.oid, "app") == b"2"
    assert branch.file(first.oid, "app") == b"1"
    parents = git(project, "log", "-1", "--format=%P", second.oid).split()
    assert parents == [first.oid, head(project)]
    where = project.parents[1] / "remote.git" if place else project
    assert head(where, f"refs/tags/{second.tag}") == second.oid == head(where, "releases")
    assert (git(project, "status", "--porcelain"), head(project)) == before
    assert (project / "app").read_text() == "not committed"


def test_many_publish_at_the_same_time(project: Path, tmp_path: Path) -> None:
    """Every release is on the branch exactly once, with its own tag and files; none is lost."""
    clones = []
    for n in range(PUSHERS):
        git(tmp_path, "clone", "-q", str(tmp_path / "remote.git"), f"clone{n}")
        clones.append(tmp_path / f"clone{n}" / "shop")
    commit = head(project)

    def push(n: int) -> list[Entry]:
        branch = Releases(str(clones[n]), "origin")
        made = []
        for k in range(EACH):
            number = n * EACH + k + 1
            entry = branch.publish(commit, digest(number), files(f"N={number}"), lambda _: True)
            assert entry is not None
            made.append(entry)
        return made

    with ThreadPoolExecutor(PUSHERS) as pool:
        published = [entry for made in pool.map(push, range(PUSHERS)) for entry in made]
    branch = Releases(str(project), "origin")
    branch.fetch()
    found = branch.entries()
    assert sorted(found) == sorted(published)
    assert len({entry.tag for entry in found}) == PUSHERS * EACH
    server = tmp_path / "remote.git"
    for entry in found:
        number = int(entry.digest.removeprefix("sha256:"), 16)
        assert head(server, f"refs/tags/{entry.tag}") == entry.oid
        assert branch.file(entry.oid, "services/release.json") == f"N={number}".encode()
    assert len(git(server, "tag").split()) == PUSHERS * EACH  # no tag without its release


def test_two_in_one_repository_without_a_remote(project: Path) -> None:
    """The local branch and its tags move together, too."""
    branch = Releases(str(project), "")
    commit = head(project)

    def make(n: int) -> Entry | None:
        return Releases(str(project), "").publish(
            commit, digest(n), files(f"N={n}"), lambda _: True
        )

    with ThreadPoolExecutor(PUSHERS) as pool:
        made = list(pool.map(make, range(1, 9)))
    assert sorted(branch.entries()) == sorted(entry for entry in made if entry)
    assert len(made) == len(git(project, "tag").split()) == 8


def test_who_comes_second_is_asked_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the push another release came: it is what the next answer is about."""
    mine, theirs = Releases(str(project), "origin"), Releases(str(project), "origin")
    commit = head(project)
    asked: list[Entry | None] = []

    def accept(newest: Entry | None) -> bool:
        asked.append(newest)
        if len(asked) == 1:
            theirs.publish(commit, digest(7), files("T=1"), lambda _: True)
        return newest is None or newest.digest != digest(7)

    monkeypatch.setattr(mine, "_free_tag", lambda: "20200101-000000")
    assert mine.publish(commit, digest(8), files("M=1"), accept) is None
    assert [one and one.digest for one in asked] == [None, digest(7)]
    assert [one.digest for one in mine.entries()] == [digest(7)]
    assert "20200101-000000" not in git(project.parents[1] / "remote.git", "tag")


def test_a_remote_that_says_no_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A protected branch is no race: after a few refusals its own words are the error."""
    monkeypatch.setattr(git_releases, "LONGEST_S", 0.01)
    hook = project.parents[1] / "remote.git/hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho protected >&2\nexit 1\n")
    hook.chmod(0o755)
    branch = Releases(str(project), "origin")
    with pytest.raises(InfrastructureError) as found:
        branch.publish(head(project), digest(1), files("A=1"), lambda _: True)
    assert found.value.code == "release-push"
    assert "protected" in "\n".join(found.value.log)
    assert branch.entries() == []
    assert git(project, "tag") == ""


def test_releases_are_named_in_many_ways(project: Path) -> None:
    """By tag, by the beginning of a digest or a commit, by their distance from the newest."""
    branch = Releases(str(project), "")
    made = [
        branch.publish(head(project, name), f"sha256:{name[-1] * 64}", files("A"), lambda _: True)
        for name in ("HEAD~1", "HEAD~0")
    ]
    older, newest = (entry for entry in made if entry)
    known = branch.entries()
    assert choose(known, "") == choose(known, "~0") == choose(known, newest.tag) == newest
    assert choose(known, "~1") == choose(known, older.digest[:20]) == older
    assert choose(known, older.commit[:8]) == older
    for name in ("~2", "000", "nothing"):
        with pytest.raises(InputError):
            choose(known, name)
    with pytest.raises(InputError, match="no release yet"):
        choose([], "")


def test_the_remote_is_found(project: Path, tmp_path: Path) -> None:
    """origin where there is one; a wrong name is told with those that there are."""
    assert remote(str(project), "") == "origin"
    with pytest.raises(InputError) as found:
        remote(str(project), "upstream")
    assert "origin" in found.value.hint
    git(project, "remote", "remove", "origin")
    assert remote(str(project), "") == ""
    with pytest.raises(InputError, match="no git repository"):
        Releases(str(tmp_path))
