"""What was found out about one commit serves the next, as long as the same was read for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.changes.repository import Repository, actions
from tidegate.changes import project as projects

FILES = {
    "README.md": "old\n",
    "applications/api/Dockerfile": "FROM python:3.12\nCOPY src /src\n",
    "applications/api/src/main.py": "1\n",
    "services/01_api/docker-compose.yml": "services: {api: {image: 'x/api:1', env_file: a.env}}\n",
    "services/01_api/a.env": "A=1\n",
}
BUILT = {"applications": {"api": "build"}, "services": {"api": "redeploy"}}


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    """A project of whose first commit everything is known, and is not to be read again."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = Repository(tmp_path / "project")
    made.commit("first", FILES)
    made.changed()
    monkeypatch.setattr(projects, "project", lambda *_, **__: pytest.fail("read again"))
    return made


def test_another_commit_needs_no_definition_again(made: Repository) -> None:
    """A file that defines nothing is whose it was, in whichever commit."""
    made.commit("source", {"applications/api/src/main.py": "2\n", "README.md": "new\n"})
    assert actions(made.changed()) == BUILT
    made.commit("companion", {"services/01_api/a.env": "A=2\n"})
    assert actions(made.changed()) == {"applications": {}, "services": {"api": "redeploy"}}
    assert actions(made.changed("HEAD~2..HEAD")) == BUILT


@pytest.mark.parametrize(
    "name",
    ["applications/api/Dockerfile", "applications/api/.dockerignore", "applications/b/Dockerfile",
     "services/01_api/docker-compose.yml", "services/01_api/docker-compose.override.yml",
     "tidegate.yaml", "services/version.env", "compose.yaml"],
)  # fmt: skip
def test_what_defines_something_is_read(made: Repository, name: str) -> None:
    """Where a definition differs, is new or is gone, nothing that was kept counts."""
    made.commit("another", {name: f"{FILES.get(name, '')}# another\n"})
    with pytest.raises(pytest.fail.Exception, match="read again"):
        made.changed()
    with pytest.raises(pytest.fail.Exception, match="read again"):
        made.changed("HEAD")  # from the other side: it is gone


def test_another_project_of_the_repository_has_its_own(made: Repository) -> None:
    """What is kept is of one tidegate.yaml."""
    with pytest.raises(pytest.fail.Exception, match="read again"):
        made.changed(config="other.yaml")
