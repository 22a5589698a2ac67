"""`tidegate build` with the real builder, the real registry, and tests in real containers."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.builds.project import Project

pytestmark = pytest.mark.lab


def actions(answer: dict[str, Any]) -> dict[str, str]:
    return {name: one["action"] for name, one in answer["applications"].items()}


def digests(answer: dict[str, Any]) -> dict[str, str]:
    return {name: one["digest"] for name, one in answer["applications"].items()}


def login(registry: str) -> None:
    argv = ["skopeo", "login", "--tls-verify=false", "-u", "ci", "-p", "let me in", registry]
    subprocess.run(argv, check=True, capture_output=True)


def seen(project: Project, name: str, what: str) -> Any:
    """What the registry says of a repository: its tags, or what a tag is."""
    image = f"docker://{project.registry}/shop/{name}"
    argv = ["skopeo", *(["list-tags", image] if what == "tags" else ["inspect", f"{image}:{what}"])]
    argv.insert(2, "--tls-verify=false")
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    return sorted(found["Tags"]) if what == "tags" else found["Digest"]


def test_what_did_not_change_is_not_built_and_keeps_its_digest(project: Project) -> None:
    """Only what takes a changed file is built anew; a README or a commit are not it."""
    first = project.build()
    assert set(actions(first).values()) == {"built"}
    project.write("applications/api/README.md", "other words\n")
    (project.folder / "applications/api/value").touch()
    project.commit("two")
    second = project.build()
    assert set(actions(second).values()) == {"known"}
    assert digests(second) == digests(first)
    project.write("tools/probe/probe", "another\n")
    third = project.build()
    assert [name for name, action in actions(third).items() if action == "built"] == ["probe"]
    project.write("applications/base/Dockerfile", "FROM busybox:1\nRUN echo other > /base\n")
    fourth = project.build()
    built = [name for name, action in actions(fourth).items() if action == "built"]
    assert sorted(built) == ["api", "base"]
    assert digests(fourth)["api"] != digests(first)["api"]


def test_tests_run_in_the_very_image(project: Project) -> None:
    """As its user, in its folder; log and report are kept, and the same is not run again."""
    api = project.build("api")["applications"]["api"]
    assert api["tests"]["state"] == "passed"
    assert api["tests"]["counts"] == {"tests": 2, "failures": 0, "errors": 0, "skipped": 0}
    folder = Path(api["reports"])
    assert "value is good" in (folder / "test.log").read_text()
    assert "<testcase" in (folder / "reports" / "junit.xml").read_text()
    assert "COPY value" in (folder / "build.log").read_text()
    again = project.build("api")["applications"]["api"]
    assert (again["action"], again["tests"]["state"]) == ("known", "known")
    assert again["tests"]["counts"] == api["tests"]["counts"]


def test_an_image_whose_tests_fail_stays_a_candidate(project: Project, registry: str) -> None:
    """Exit code 1 with the log; others are built; nothing of it is in the registry."""
    login(registry)
    project.write("applications/api/value", "bad\n")
    project.commit("bad")
    answer = project.build("--push", status=1)
    assert actions(answer)["api"] == "failed"
    assert answer["applications"]["api"]["error"]["code"] == "tests-failed"
    assert answer["applications"]["api"]["published"] is False
    assert answer["applications"]["probe"]["published"] is True
    with pytest.raises(subprocess.CalledProcessError):
        seen(project, "api", "main")
    project.build("api", status=1)  # a failure is not remembered as passed
    project.write("applications/api/value", "good\n")
    project.commit("good")
    assert actions(project.build("--push"))["api"] == "built"


def test_one_step_feeds_two_images(project: Project) -> None:
    """It runs once for both, and not again; what it reads makes both of them build anew."""
    made = project.folder / "libs/page/made"
    first = project.build("front", "admin")
    stamp = made.read_text()
    assert set(actions(project.build("front", "admin")).values()) == {"known"}
    assert made.read_text() == stamp
    project.write("libs/page/page", "there\n")
    second = project.build("front", "admin")
    assert set(actions(second).values()) == {"built"}
    assert made.read_text() != stamp
    assert set(digests(second).values()).isdisjoint(digests(first).values())


def test_published_under_the_tags_of_the_commit(project: Project, registry: str) -> None:
    """Branch, commit, version; latest and the time on the default branch alone."""
    login(registry)
    project.git("tag", "v1.2.3")
    project.build("front", "--push")
    short = project.git("rev-parse", "HEAD")[:7]
    tags = [tag for tag in seen(project, "front", "tags") if not tag.startswith("key-")]
    stamp = next(tag for tag in tags if tag.startswith("20"))
    assert tags == sorted(["1.2.3", stamp, "latest", "main", f"sha-{short}"])
    project.git("checkout", "-q", "-b", "feature/x")
    project.write("libs/page/page", "feature\n")
    project.commit("feature")
    answer = project.build("front", "--push")
    assert answer["tags"][1:] == ["feature-x"]
    assert seen(project, "front", "feature-x") == digests(answer)["front"]
    assert seen(project, "front", "latest") != digests(answer)["front"]


def test_another_machine_fetches_what_was_built(
    project: Project, registry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an empty cache nothing is built or tested: the registry has it by its key."""
    login(registry)
    first = project.build("api", "--push")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    second = project.build("api")
    assert actions(second) == {"api": "fetched"}
    assert digests(second) == digests(first)
    assert second["applications"]["api"]["tests"]["state"] == "known"


def test_without_a_login_nothing_is_published(project: Project) -> None:
    """The error names the command that logs in; the image itself is built."""
    answer = project.build("probe", "--push", status=2)
    error = answer["applications"]["probe"]["error"]
    assert (error["class"], error["code"]) == ("input", "image-denied")
    assert "login" in error["hint"]


def test_what_differs_from_the_commit_is_not_published(project: Project, registry: str) -> None:
    """A tag of a commit must not name anything else."""
    login(registry)
    project.write("applications/api/value", "other\n")
    assert project.refused("--push")["code"] == "uncommitted"


def test_many_are_built_side_by_side(project: Project) -> None:
    """The sum of their times is more than the time of all."""
    for name in ("a", "b", "c", "d"):
        text = f"FROM busybox:1\nRUN sleep 2; echo {name} > /name\n"
        project.write(f"applications/{name}/Dockerfile", text)
    answer = project.build("a", "b", "c", "d", "--jobs", "4")
    assert answer["total_s"] < 0.6 * answer["work_s"]
