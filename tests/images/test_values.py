"""Names, ignore files, Dockerfiles, image facts and recipes, each from cases.json."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tidegate.errors import InputError
from tidegate.images import dockerfile, facts, ignore, names, recipe

CASES: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "cases.json").read_text()
)


def refused(code: str, found: pytest.ExceptionInfo[InputError]) -> None:
    assert found.value.code == code
    assert found.value.hint


@pytest.mark.parametrize("case", CASES["names"], ids=lambda case: str(case["text"]))
def test_names_are_qualified(case: dict[str, Any]) -> None:
    """A short name means what Docker takes it to mean; what no registry takes is refused."""
    if "error" in case:
        with pytest.raises(InputError) as found:
            names.parse(case["text"])
        refused(case["error"], found)
    else:
        assert names.parse(case["text"]).tagged == case["tagged"]


def test_own_images_have_a_name_no_registry_has() -> None:
    """Without a registry an own image is tidegate.internal/PROJECT/SERVICE, by digest alone."""
    digest = "sha256:" + "a" * 64
    assert names.own("hello", "web").at(digest).pinned == f"tidegate.internal/hello/web@{digest}"
    assert names.own("p", "web", "reg.example.com/acme").repository == "reg.example.com/acme/p/web"


@pytest.mark.parametrize("case", CASES["ignore"], ids=lambda case: repr(case["rules"]))
def test_ignore_files_select_as_docker_does(case: dict[str, Any]) -> None:
    """Patterns, exceptions and their order decide which paths of a context count."""
    ignored = ignore.matcher(case["rules"])
    paths = [*case["ignored"], *case["kept"]]
    assert [path for path in paths if ignored(path)] == case["ignored"]


@pytest.mark.parametrize("case", CASES["dockerfile"], ids=lambda case: repr(case["text"]))
def test_bases_of_a_dockerfile(case: dict[str, Any]) -> None:
    """Every image that a build starts from or copies from is found; stages and contexts are not."""
    found = dockerfile.bases(case["text"], case.get("args", {}), case.get("contexts", ()))
    assert list(found) == case["bases"]


@pytest.mark.parametrize("case", CASES["facts"], ids=lambda case: repr(case["facts"]))
def test_facts_of_an_image(case: dict[str, Any]) -> None:
    """Ports, volumes, user and health check are read from the OCI configuration."""
    found = json.loads(json.dumps(asdict(facts.facts(case["config"]))))
    assert {key: found[key] for key in case["facts"]} == case["facts"]


@pytest.mark.parametrize("case", CASES["recipe"], ids=lambda case: repr(case["build"]))
def test_build_commands(case: dict[str, Any]) -> None:
    """A compose build becomes one argv per builder; what none carries out is named."""

    def read() -> recipe.Recipe:
        return recipe.recipe(
            case["build"], platform="", secrets=case.get("secrets", {}), where=lambda _: None
        )

    if "error" in case:
        with pytest.raises(InputError) as found:
            read()
        refused(case["error"], found)
    for builder in ("podman", "docker"):
        if builder in case:
            made = read()
            argv = recipe.build_argv(
                recipe.Builder(builder),
                made,
                tag="T",
                dockerfile=made.dockerfile,
                ignore_file="",
                output="OUT",
            )
            assert list(argv) == case[builder]


def test_short_names_are_docker_hubs() -> None:
    """A builder is told what a short name means; whole names and own contexts stay as they are."""
    build = {"context": "/p", "additional_contexts": {"lib": "/l"}}
    made = recipe.recipe(build, platform="", secrets={}, where=lambda _: None)
    pinned = f"docker.io/acme/b@sha256:{'a' * 64}"
    bases = ["nginx:1", "acme/app", pinned.removeprefix("docker.io/"), pinned, "ghcr.io/a/b:1"]
    assert recipe.qualified(made, bases).contexts == (
        ("lib", "/l"),
        ("nginx:1", "docker-image://docker.io/library/nginx:1"),
        ("acme/app", "docker-image://docker.io/acme/app:latest"),
        (pinned.removeprefix("docker.io/"), f"docker-image://{pinned}"),
    )


def test_the_key_follows_content_and_not_place() -> None:
    """Two checkouts in different folders share a key; another base or argument changes it."""

    def made(context: str, **more: Any) -> recipe.Recipe:
        build = {"context": context, **more}
        return recipe.recipe(build, platform="", secrets={}, where=lambda _: None)

    def key(one: recipe.Recipe, base: str = "1") -> str:
        return recipe.key(one, "FROM a", {"": "digest"}, {"a": base})

    assert key(made("/x")) == key(made("/y"))
    different = [
        key(made("/x")),
        key(made("/x"), "2"),
        key(made("/x", args={"A": "1"})),
        key(made("/x", target="t")),
    ]
    assert len(set(different)) == len(different)
