"""Values with secrets in them leave the project; a secret anywhere else is refused by its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidegate.compose import Project, load
from tidegate.edges.disk import Disk
from tidegate.errors import InputError
from tidegate.targets.quadlet.secret_env import EnvSecret, mark, secret_env, without


def project(folder: Path, text: str) -> Project:
    """A loaded compose file in which PASSWORD and TOKEN are secrets."""
    (folder / "compose.yaml").write_text(text)
    variables = {"HOST": "db", **{name: mark(name) for name in ("PASSWORD", "TOKEN")}}
    return load(
        [str(folder / "compose.yaml")],
        reader=Disk(str(folder)),
        variables=variables,
        project="shop",
        env_files=[],
    )


def test_a_variable_holds_the_whole_value(tmp_path: Path) -> None:
    """The password inside a URL, by any form of interpolation; the rest stays as it is."""
    loaded = project(
        tmp_path,
        """\
services:
  web:
    image: x
    environment:
      URL: postgres://shop:${PASSWORD}@${HOST}/shop?token=${TOKEN:-none}
      PLAIN: ${HOST}
      GIVEN: ${TOKEN:+yes}
  other: {image: y}
""",
    )
    (url,) = secret_env(loaded, "shop")
    assert (url.service, url.variable, url.secret) == ("web", "URL", "shop_web_URL")
    assert url.names == ("PASSWORD", "TOKEN")
    values = {"PASSWORD": "p$1\\1", "TOKEN": "t"}
    assert url.value(values) == "postgres://shop:p$1\\1@db/shop?token=t"
    use = url.use()
    assert len(use.pop("around")) == 12
    assert use == {
        "name": "PASSWORD,TOKEN",
        "secret": "shop_web_URL",
        "type": "env",
        "target": "URL",
    }
    services = without(loaded.services, [url])
    assert services["web"]["environment"] == {"PLAIN": "db", "GIVEN": "yes"}
    assert services["other"] == loaded.services["other"]
    assert "⟦" not in str(services)


def test_what_stands_around_a_secret_is_part_of_the_release() -> None:
    """Another host in the same URL is a change of the service, though no secret changed."""
    one, two, again = (
        EnvSecret("web", "URL", "shop_web_URL", f"postgres://shop:{mark('KEY')}@{host}/shop").use()
        for host in ("db", "other", "db")
    )
    assert one == again
    assert one != two


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("command: [run, --password, $PASSWORD]", 4),
        ("labels: {a: $PASSWORD}", 4),
        ("healthcheck: {test: [CMD, check, $PASSWORD]}", 4),
        ("image: registry/$PASSWORD", 4),
        ("volumes: [./$PASSWORD:/x]", 4),
        ("extra_hosts: {a: $PASSWORD}", 4),
    ],
)
def test_a_secret_anywhere_else_is_refused(tmp_path: Path, words: str, line: int) -> None:
    """Everybody on the host could read it there; the error names the secret, never its value."""
    first = "" if words.startswith("image") else "image: x"
    text = f"services:\n  web:\n    {first}\n    {words}\n"
    with pytest.raises(InputError, match="holds the secret PASSWORD") as caught:
        secret_env(project(tmp_path, text), "shop")
    assert caught.value.where is not None
    assert caught.value.where.line == line
    assert "environment:" in caught.value.hint


def test_a_config_is_no_place_and_a_compose_secret_is_one(tmp_path: Path) -> None:
    """Configs are files that anybody may read."""
    service = "services: {web: {image: x, %s: [a]}}\n%s: {a: {environment: PASSWORD}}\n"
    assert secret_env(project(tmp_path, service % ("secrets", "secrets")), "shop") == []
    with pytest.raises(InputError, match="holds the secret"):
        secret_env(project(tmp_path, service % ("configs", "configs")), "shop")
