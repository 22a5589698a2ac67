"""What a release needs from the project's folder is asked for, and nothing else."""

from __future__ import annotations

from tests.targets.quadlet.projects import FOLDER, project, release
from tidegate.targets.quadlet.secrets import sources
from tidegate.targets.quadlet.wanted import config_texts, wanted_files

TEXT = """
services:
  web:
    image: x
    volumes: ["./conf:/conf", "/etc/hosts:/h:ro", "data:/data", "../up:/up"]
    configs: [file, inline, variable]
    secrets: [file, variable, theirs]
    security_opt: ["seccomp=./profile.json", "seccomp=unconfined"]
volumes: {data: }
configs:
  file: {file: ./app.conf}
  inline: {content: text}
  variable: {environment: TEXT}
secrets:
  file: {file: ./password}
  variable: {environment: TOKEN}
  theirs: {external: true}
  unused: {file: ./other}
"""


def test_files() -> None:
    """Binds inside the folder, configs and profiles; no secret, no volume, no host path."""
    wanted = wanted_files(project(TEXT))
    assert {(file.path.removeprefix(FOLDER), file.required) for file in wanted} == {
        ("/conf", False),
        ("/app.conf", True),
        ("/profile.json", True),
    }
    assert all(file.where.line for file in wanted)


def test_texts_are_those_of_the_release() -> None:
    """The content of configs that are no files is known under the digest that the release names."""
    variables = {"TEXT": "value"}
    texts = config_texts(project(TEXT), variables)
    assert sorted(texts.values()) == [b"text", b"value"]
    files = {"app.conf": "file", "profile.json": "file"}
    made = release(TEXT, files=files, variables=variables)
    assert set(texts) < set(made["files"])


def test_secret_sources() -> None:
    """Each used secret says where its value is; external ones belong to the host."""
    found = sources(project(TEXT), "p")
    assert [(s.name, s.secret, s.file, s.variable) for s in found] == [
        ("file", "p_file", f"{FOLDER}/password", ""),
        ("variable", "p_variable", "", "TOKEN"),
    ]
