"""Ranges, merges, shallow clones, submodules and odd names, in real repositories."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import pytest

from tests.changes.repository import Repository, actions, owners
from tidegate.edges.git_repository import Repository as Asked
from tidegate.errors import InfrastructureError, InputError
from tidegate.repo.diff import shown, submodules
from tidegate.repo.revisions import written

PROJECT = {
    "applications/api/Dockerfile": "FROM a\nCOPY src libs /\n",
    "applications/web/Dockerfile": "FROM a\nCOPY . /\n",
    "applications/web/x": "1",
    "services/01_web/docker-compose.yml": "services: {web: {image: r/web}}\n",
}
API, WEB = "applications/api/src/a", "applications/web/a"
BUILD_API = {"applications": {"api": "build"}, "services": {}}
BUILD_WEB = {"applications": {"web": "build"}, "services": {"web": "redeploy"}}
BOTH = {"applications": {"api": "build", "web": "build"}, "services": {"web": "redeploy"}}


@pytest.fixture
def made(tmp_path: Path) -> Repository:
    """A repository with one commit."""
    found = Repository(tmp_path / "project")
    found.commit("first", PROJECT)
    return found


def refused(made: Repository, text: str, code: str) -> InputError:
    """The error for a range."""
    with pytest.raises(InputError) as found:
        made.changed(text)
    assert found.value.code == code
    return found.value


def clone(made: Repository, *words: str) -> Repository:
    """A clone with a depth, as actions/checkout makes one."""
    folder = made.folder.with_name("clone")
    made.git("clone", "-q", *words, f"file://{made.folder}", str(folder))
    found = Repository.__new__(Repository)
    found.folder = folder
    return found


@pytest.mark.parametrize("text", ["", "HEAD~1..HEAD", "HEAD^..", f"{'0' * 40}..HEAD"])
def test_the_first_commit_changes_everything(text: str, made: Repository) -> None:
    """Without a base every file is new, and so is every application and service."""
    found = made.changed(text)
    assert actions(found) == BOTH
    assert found.range.base == ""
    assert found.range.reason
    assert set(owners(found)) == set(PROJECT)


def test_ranges(made: Repository) -> None:
    """A..B, A...B, A alone and nothing at all."""
    made.git("switch", "-q", "-c", "topic")
    made.commit("topic", {API: "1"})
    made.git("switch", "-q", "main")
    made.commit("main", {WEB: "1"})
    assert actions(made.changed("main..topic")) == BOTH
    assert actions(made.changed("main...topic")) == BUILD_API
    assert actions(made.changed("topic...")) == BUILD_WEB
    assert actions(made.changed("HEAD^")) == BUILD_WEB
    assert actions(made.changed("HEAD..HEAD")) == {"applications": {}, "services": {}}
    made.git("switch", "-q", "--detach", "topic")
    assert actions(made.changed()) == BUILD_API


def test_a_merge_is_compared_with_its_first_parent(made: Repository) -> None:
    """By itself a merge changes what it brings in; BASE..HEAD is the same whichever way."""
    base = made.git("rev-parse", "HEAD")
    made.git("switch", "-q", "-c", "topic")
    made.commit("topic", {API: "1"})
    made.git("switch", "-q", "main")
    made.commit("main", {WEB: "1"})
    made.git("merge", "-q", "--no-ff", "-m", "Merge", "topic")
    assert actions(made.changed()) == BUILD_API
    assert actions(made.changed("HEAD^2..HEAD")) == BUILD_WEB
    assert actions(made.changed(f"{base}..HEAD")) == BOTH
    assert made.changed(f"{base}..HEAD").commits == 2


def test_a_shallow_clone_needs_its_base(made: Repository) -> None:
    """What is missing is an error with the command that fetches it, and that command helps."""
    base = made.git("rev-parse", "HEAD")
    made.commit("second", {API: "1"})
    made.commit("third", {WEB: "1"})
    made.git("config", "uploadpack.allowAnySHA1InWant", "true")
    shallow = clone(made, "--depth=1")
    assert refused(shallow, "", "base-missing").hint.startswith("git fetch --deepen=1 ")
    assert "--unshallow" in refused(shallow, "HEAD~2..HEAD", "base-missing").hint
    hint = refused(shallow, f"{base}..HEAD", "base-missing").hint
    command = hint.partition(" (")[0].split()
    assert command[0] == "git"
    shallow.git(*command[1:])
    assert actions(shallow.changed(f"{base}..HEAD")) == BOTH


def test_a_base_that_a_push_rewrote_changes_everything(made: Repository) -> None:
    """In a whole clone a commit that nobody has is one that a forced push took away."""
    made.commit("second", {API: "1"})
    found = made.changed(f"{'1' * 40}..HEAD")
    assert actions(found) == BOTH
    assert "rewrote" in found.range.reason


def test_what_is_no_range_or_no_commit(made: Repository, tmp_path: Path) -> None:
    """Each mistake is named, with what to do."""
    for text in ("..", "a..b..c", "--output=x..HEAD", "a b", "HEAD:x"):
        refused(made, text, "range")
    assert "nowhere" in refused(made, "nowhere..HEAD", "unknown-commit").message
    refused(made, "HEAD..nowhere", "unknown-commit")
    empty = Repository(tmp_path / "empty")
    refused(empty, "", "no-commit")
    (tmp_path / "plain").mkdir()
    plain = Repository.__new__(Repository)
    plain.folder = tmp_path / "plain"
    refused(plain, "", "not-a-repository")
    empty.commit("first", {"README.md": "1"})
    assert "--config" in refused(empty, "", "config-missing").hint


def test_no_base_in_both_lengths() -> None:
    """Forty zeros, or sixty-four for SHA-256, are no base; a range reads back as written."""
    assert written(f"{'0' * 64}..HEAD").base == ""
    assert written(f"{'0' * 39}..HEAD").base
    assert written("a...b") == ("a", "b", True)


def test_a_submodule_is_all_of_its_files(made: Repository, tmp_path: Path) -> None:
    """Another commit of a submodule counts for whoever copies something from below it."""
    other = Repository(tmp_path / "other")
    other.commit("one", {"py/a": "1"})
    made.git("submodule", "-q", "add", f"file://{other.folder}", "libs")
    configuration = """\
        version: 1
        applications: {root: {context: ., dockerfile: applications/root/Dockerfile}}
        environments: {e: {hosts: {h: {ssh: a@b}}}}
        """
    made.write({"applications/root/Dockerfile": "FROM a\nCOPY libs/py/ /\n"})
    made.write({"tidegate.yaml": textwrap.dedent(configuration)})
    made.commit("add")
    other.commit("two", {"py/a": "2"})
    made.git("-C", "libs", "fetch", "-q", "origin", "main")
    made.git("-C", "libs", "checkout", "-q", "FETCH_HEAD")
    made.commit("bump")
    found = made.changed()
    assert actions(found) == {"applications": {"root": "build"}, "services": {}}
    assert owners(found) == {"libs": ["application root"]}
    made.git("rm", "-q", "libs")
    made.commit("gone")
    assert owners(made.changed())["libs"] == ["application root"]


def test_where_submodules_are() -> None:
    """Paths as .gitmodules has them, quoted where they must be."""
    text = '[submodule "a b"]\n\tpath = a b\n\turl = u\n[submodule "q"]\n  Path="q \\"1\\""\n'
    assert submodules(text) == {"a b", 'q "1"'}


def test_an_application_that_is_a_submodule(made: Repository, tmp_path: Path) -> None:
    """All of it counts, since its Dockerfile cannot be seen."""
    other = Repository(tmp_path / "other")
    other.commit("one", {"Dockerfile": "FROM a\n"})
    made.git("submodule", "-q", "add", f"file://{other.folder}", "applications/sub")
    made.commit("add")
    assert actions(made.changed())["applications"] == {"sub": "build"}


def test_names_that_are_no_text(made: Repository) -> None:
    """A name of any bytes is matched, and shown with its bytes escaped."""
    name = os.fsdecode(b"applications/web/caf\xe9 \n.txt")
    (made.folder / name).write_text("1")
    made.commit()
    found = made.changed()
    assert actions(found) == BUILD_WEB
    [path] = owners(found)
    assert shown(path) == "applications/web/caf\\xe9 \\n.txt"


def test_a_project_below_the_top(tmp_path: Path) -> None:
    """Its paths count from its own folder, what it uses may lie above it."""
    made = Repository(tmp_path / "project")
    files = {f"deep/shop/{name}": text for name, text in PROJECT.items()}
    files["deep/shop/services/01_web/docker-compose.yml"] = (
        "services: {web: {image: r/web, volumes: [../../../../shared/www:/www]}}\n"
    )
    made.commit("first", {**files, "shared/www/a": "1"})
    made.commit("second", {f"deep/shop/{API}": "1", "shared/www/a": "2", API: "1"})
    found = made.changed(config="deep/shop/tidegate.yaml")
    assert actions(found) == {**BUILD_API, "services": {"web": "redeploy"}}
    assert owners(found)[API] == ""


def test_the_working_tree_does_not_count(made: Repository) -> None:
    """Only commits count; a tidegate.yaml that is not committed is told, not heeded."""
    made.commit("second", {API: "1"})
    made.write({WEB: "1", "tidegate.yaml": "nonsense: ["})
    found = made.changed()
    assert actions(found) == BUILD_API
    assert "tidegate.yaml" in found.notes[0]
    made.git("config", "diff.renames", "false")
    made.git("config", "diff.noprefix", "true")
    made.git("config", "diff.external", "false")
    assert actions(made.changed()) == BUILD_API


def test_a_bare_repository(made: Repository) -> None:
    """A server's repository without a working tree is enough."""
    made.commit("second", {WEB: "1"})
    assert actions(clone(made, "--bare").changed()) == BUILD_WEB


def test_a_broken_file_at_the_base_does_not_stop_anything(made: Repository) -> None:
    """What mends a compose file can be deployed; what breaks one is an error with its line."""
    name = "services/01_web/docker-compose.yml"
    made.commit("break", {name: "services: [\n"})
    error = refused(made, "", "compose-yaml")
    assert error.where is not None
    assert error.where.file == name
    made.commit("mend", {name: "services: {web: {image: r/web}}\n"})
    assert actions(made.changed()) == {"applications": {}, "services": {"web": "redeploy"}}


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("services/01_web/docker-compose.yml", b"services: {web: {image: \xff}}\n", "compose-file"),
        ("tidegate.yaml", b"project: \xff\n", "config-unreadable"),
        ("tidegate.yaml", b"version: 1\nenvironments: {e: {hosts: {h: {ssh: a@b}}}}\n"
         b"applications: {gone: {context: nowhere}}\n", "dockerfile-missing"),
        ("tidegate.yaml", b"version: 1\nenvironments: {e: {hosts: {h: {ssh: a@b}}}}\n"
         b"applications: {api: {deliver: {into: wbe, at: /x}}}\n", "unknown-service"),
        ("tidegate.yaml", b"version: 1\nenvironments: {e: {hosts: {h: {ssh: a@b}}}}\n"
         b"compose: nowhere.yaml\n", "compose-file"),
        ("tools/web/Dockerfile", b"FROM a\n", "image-twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_newest_commit(
    name: str, content: bytes, code: str, made: Repository
) -> None:
    """A mistake in a committed file is bad input with a hint or a place, never a guess."""
    (made.folder / name).parent.mkdir(parents=True, exist_ok=True)
    (made.folder / name).write_bytes(content)
    made.commit("wrong")
    error = refused(made, "", code)
    assert error.hint or error.where


def test_a_repository_of_sha_256(tmp_path: Path) -> None:
    """Longer ids are ids, too, with and without a base."""
    made = Repository.__new__(Repository)
    made.folder = tmp_path / "project"
    made.folder.mkdir()
    made.git("init", "-q", "-b", "main", "--object-format=sha256")
    made.commit("first", PROJECT)
    assert actions(made.changed()) == BOTH
    made.commit("second", {WEB: "1"})
    assert actions(made.changed()) == BUILD_WEB
    assert len(made.changed().range.base) == 64


def test_a_broken_repository_is_no_empty_one(made: Repository) -> None:
    """A git that cannot read an object is broken infrastructure, never "nothing to build"."""
    name = "services/01_web/docker-compose.yml"
    oid = made.git("rev-parse", f"HEAD:{name}")
    made.commit("second", {API: "1"})
    path = made.folder / ".git/objects" / oid[:2] / oid[2:]
    path.chmod(0o644)
    path.write_bytes(b"broken")
    with pytest.raises(InfrastructureError) as found:
        made.changed()
    assert found.value.code == "git"
    assert found.value.hint


def test_many_long_names_do_not_fill_the_pipes(made: Repository) -> None:
    """Questions and answers larger than any pipe come and go."""
    long = "n" * 200
    for n in range(1000):
        folder = made.folder / f"services/{n:04}_{long}"
        folder.mkdir()
        (folder / "docker-compose.yml").write_text(f"services: {{s{n}: {{image: i}}}}\n")
    made.commit("many")
    assert len(made.changed().decision.services) == 1001


def test_answers_come_to_whoever_asked(made: Repository) -> None:
    """Two commits are asked for the same files before either's answers are read."""
    made.commit("second", {"applications/web/x": "2"})
    objects = Asked(str(made.folder)).objects()
    old, new = (objects.at(made.git("rev-parse", name)) for name in ("HEAD~1", "HEAD"))
    for tree in (old, new):
        tree.fetch(["applications/web/x", "no/such/file", "applications/web/Dockerfile"])
    assert new.text("applications/web/x") == "2"
    assert old.text("applications/web/x") == "1"
    assert new.text("no/such/file") is None
    assert old.text("applications/web/Dockerfile") == PROJECT["applications/web/Dockerfile"]
    objects.close()
