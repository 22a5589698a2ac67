"""`tidegate release` on the command line, with real git and clones that race; nothing is built."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.schemas import check

CONFIG = """\
version: 1
project: shop
people: {{lead: "{key}"}}
environments: {{production: {{hosts: {{a: {{ssh: a@192.0.2.1}}}}}}}}
"""
COMPOSE = "services:\n  web: {{image: docker.io/library/busybox@sha256:{digit}}}\n"
PROGRAM = Path(sys.executable).with_name("tidegate")


@dataclass(frozen=True)
class Clone:
    """A clone of the project, with a home of its own."""

    folder: Path
    home: Path

    def git(self, *words: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        argv = ["git", *identity, "-C", str(self.folder), *words]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, digit: str, message: str) -> str:
        """Another image, and its commit."""
        (self.folder / "compose.yaml").write_text(COMPOSE.format(digit=digit * 64))
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The installed program."""
        env = {**os.environ, "HOME": str(self.home), "XDG_CACHE_HOME": str(self.home / "cache")}
        env.pop("XDG_CONFIG_HOME", None)
        argv = [str(PROGRAM), "release", *words, "--json"]
        return subprocess.run(
            argv, cwd=self.folder, env=env, capture_output=True, text=True, check=False
        )

    def release(self, *words: str) -> dict[str, Any]:
        """Its answer."""
        done = self.run(*words)
        assert done.returncode == 0, done.stderr
        return dict(check(json.loads(done.stdout)))


@pytest.fixture
def project(tmp_path: Path) -> Clone:
    """A clone of an empty remote, with one commit."""
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", tmp_path / "r.git"], check=True)
    made = clone(tmp_path, "mine")
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    public = Path(f"{key}.pub").read_text().strip()
    (made.folder / "tidegate.yaml").write_text(CONFIG.format(key=public))
    made.commit("1", "one")
    made.git("push", "-q", "origin", "main")
    return made


def clone(place: Path, name: str) -> Clone:
    folder, home = place / name / "shop", place / name
    home.mkdir()
    subprocess.run(["git", "clone", "-q", place / "r.git", folder], check=True, capture_output=True)
    return Clone(folder, home)


def together(clones: Sequence[Clone]) -> list[subprocess.CompletedProcess[str]]:
    """All of them release at the same time."""
    with ThreadPoolExecutor(len(clones)) as pool:
        return list(pool.map(lambda one: one.run(), clones))


def test_two_machines_that_release_one_commit_make_one_release(
    project: Clone, tmp_path: Path
) -> None:
    """Whoever is second finds what the first has made, in the very same second, too."""
    clones = [project, *(clone(tmp_path, f"other{n}") for n in range(2))]
    answers = [check(json.loads(done.stdout)) for done in together(clones)]
    assert sorted(answer["fresh"] for answer in answers) == [False, False, True]
    assert len({(answer["tag"], answer["digest"]) for answer in answers}) == 1
    project.git("fetch", "-q", "--tags")
    assert project.git("tag").split() == [answers[0]["tag"]]


def test_a_race_never_puts_an_older_commit_on_top(project: Clone, tmp_path: Path) -> None:
    """Of two commits the older is either first, or refused with exit code 3."""
    slow = clone(tmp_path, "slow")
    project.commit("2", "two")
    project.git("push", "-q", "origin", "main")
    older, newer = together([slow, project])
    assert newer.returncode == 0, newer.stderr
    assert older.returncode in (0, 3), older.stderr
    project.git("fetch", "-q", "origin", "+releases:refs/remotes/origin/releases")
    top = project.release("show")
    assert top["commit"] == project.git("rev-parse", "HEAD")
    count = len(project.release("list")["releases"])
    assert count == (2 if older.returncode == 0 else 1)
    assert slow.run().returncode == 3
    assert slow.release("--older")["commit"] != top["commit"]


def test_what_is_shown_is_what_was_signed(
    project: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A key under people is called by its name; a changed signature is an error."""
    monkeypatch.setenv("TIDEGATE_SIGNING_KEY", str(tmp_path / "key"))
    made = project.release()
    assert project.release("show", made["digest"][7:15])["signer"] == "lead"
    project.git("checkout", "-q", made["tag"])
    path = project.folder / "services/release.json.sig"
    path.write_text(path.read_text().replace("A", "B", 40))
    text = project.git("log", "-1", "--format=%B")
    project.git("commit", "-q", "-a", "-m", text)
    project.git("push", "-q", "origin", "HEAD:releases")
    project.git("checkout", "-q", "main")
    done = project.run("show")
    assert done.returncode == 2
    assert json.loads(done.stderr.splitlines()[-1])["data"]["code"] == "signature-bad"


def test_a_release_can_be_made_without_a_remote(project: Clone) -> None:
    """The branch is here alone, then; what differs from the commit is refused."""
    project.git("remote", "remove", "origin")
    first = project.release()
    assert project.git("rev-parse", "releases") == project.git("rev-parse", first["tag"])
    (project.folder / "compose.yaml").write_text(COMPOSE.format(digit="3" * 64))
    refused = project.run()
    assert refused.returncode == 2
    assert "compose.yaml" in refused.stderr
    project.commit("3", "three")
    second = project.release()
    found = project.release("diff")
    assert [(one["kind"], one["name"], one["change"]) for one in found["images"]] == [
        ("service", "web", "changed")
    ]
    assert found["after"]["digest"] == second["digest"]
