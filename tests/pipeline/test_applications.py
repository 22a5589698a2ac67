"""What a folder builds, found by the rules of `tidegate changes`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidegate.config import environment_variables, load_config
from tidegate.errors import InputError
from tidegate.pipeline.applications import Application, applications, chosen, served
from tidegate.pipeline.making import compose

CONFIG = """\
version: 1
project: shop
steps: {site: {run: [make], in: libs/site, outputs: [libs/site/dist]}}
applications:
  web: {context: ., dockerfile: applications/web/Dockerfile, steps: site}
  api: {platforms: [linux/arm64]}
environments: {production: {hosts: {a: {ssh: a@192.0.2.1}}, variables: {KIND: slim}}}
"""
COMPOSE = """\
services:
  api: {build: {context: applications/api, args: {KIND: "${KIND}"}}}
  old: {build: applications/base}
  old-debug: {build: {context: applications/base, args: {KIND: debug}}}
  side: {build: {dockerfile_inline: "FROM shop-api"}}
  api-migrate: {build: {context: applications/api, args: {KIND: "${KIND}"}}}
  api-debug: {build: {context: applications/api, args: {KIND: debug}}}
  web: {image: "example.com/shop/web:1"}
"""
FILES = {
    "tidegate.yaml": CONFIG,
    "compose.yaml": COMPOSE,
    "applications/base/Dockerfile": "FROM scratch\n",
    "applications/api/Dockerfile": "FROM shop/base\nCOPY src .\n",
    "applications/api/entrypoints/entrypoint_test.sh": "true\n",
    "applications/web/Dockerfile": "FROM python:3\nCOPY libs/site/dist .\n",
    "applications/python/Dockerfile": "FROM scratch\n",
    "applications/old/skipped-Dockerfile": "FROM scratch\n",
    "tools/probe/Dockerfile": "FROM scratch\n",
}


def found(root: Path) -> tuple[dict[str, Application], dict[str, Application]]:
    config = load_config(root / "tidegate.yaml")
    [environment] = config.environments.values()
    project = compose(config, environment_variables(config, environment, {}))
    everything = applications(config, project)
    return everything, served(everything)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_folders_configuration_and_compose_files_count(root: Path) -> None:
    """Each image once, with its kind, its recipe's values, its tests and its steps."""
    everything, _ = found(root)
    assert {name: one.kind for name, one in everything.items()} == {
        "api": "application", "base": "application", "python": "application",
        "web": "application", "probe": "tool", "api-debug": "application",
        "old-debug": "application", "side": "application",
    }  # fmt: skip
    assert dict(everything["api"].recipe.args) == {"KIND": "slim"}
    assert everything["api"].recipe.platform == "linux/arm64"
    assert everything["api"].tests == str(root / "applications/api/entrypoints/entrypoint_test.sh")
    assert everything["web"].recipe.context == str(root)
    assert [step.name for step in everything["web"].steps] == ["site"]
    assert everything["web"].tests == ""


def test_equal_recipes_are_one_image(root: Path) -> None:
    """Services with the same build share an application; one with other arguments has its own."""
    everything, by_service = found(root)
    assert by_service["api"] is by_service["api-migrate"] is everything["api"]
    assert dict(by_service["api-debug"].recipe.args) == {"KIND": "debug"}
    assert "web" not in by_service
    assert by_service["old"] is everything["base"]
    assert dict(by_service["old-debug"].recipe.args) == {"KIND": "debug"}


def test_only_our_own_bases_are_built_first(root: Path) -> None:
    """shop/base is an application of the project; python:3 is not, though a folder has its name."""
    everything, _ = found(root)
    assert everything["api"].bases == {"shop/base": "base"}
    assert everything["side"].bases == {"shop-api": "api"}
    assert everything["web"].bases == {}


def test_a_circle_is_refused(root: Path) -> None:
    """Two that are built on each other are named."""
    (root / "applications/base/Dockerfile").write_text("FROM shop/api\n")
    with pytest.raises(InputError, match="is built on itself"):
        found(root)


def test_unknown_names_get_the_nearest(root: Path) -> None:
    """A typing error is told with what was meant."""
    everything, _ = found(root)
    assert chosen(everything, []) == list(everything)
    assert chosen(everything, ["web", "web"]) == ["web"]
    with pytest.raises(InputError) as refused:
        chosen(everything, ["apii"])
    assert refused.value.hint == "did you mean api?"
