"""Settings come from tidegate.yaml and from x-tidegate; variables from four places, in order."""

from __future__ import annotations

from typing import Any

import pytest

from tidegate.config import (
    environment_variables,
    read_config,
    require_available,
    service_settings,
)
from tidegate.errors import InputError, Where
from tidegate.model.config import Config, Migration, Seed, ServiceSettings

TAIL = "environments: {p: {hosts: {a: {ssh: a@b}}, env_file: p.env, variables: {B: own}}}\n"


def config(services: str = "{}", tail: str = TAIL) -> Config:
    """A configuration with these services."""
    return read_config(f"version: 1\nservices: {services}\n{tail}", "tidegate.yaml", root="/srv/x")


def settings(services: str, extension: Any = None, **variables: str) -> ServiceSettings:
    """The settings of the service web, whose compose file carries ``extension``."""
    body: dict[str, Any] = {"image": "x"}
    if extension is not None:
        body["x-tidegate"] = extension
    return service_settings(config(services), {"web": body}, place, variables)["web"]


def place(path: tuple[str | int, ...]) -> Where:
    """Where a value of the compose file stands: its depth is its line."""
    return Where("compose.yaml", len(path), 7)


def test_a_service_without_settings_has_empty_ones() -> None:
    """Every composed service has settings."""
    assert settings("{}") == ServiceSettings("web")


def test_both_places_add_up() -> None:
    """A key from either place counts; the same value in both is no conflict."""
    found = settings("{web: {port: 80, on: web}}", {"health": "/up", "port": 80})
    assert (found.port, found.health, found.on) == (80, "/up", ("web",))


def test_a_difference_names_both_places() -> None:
    """Two values for one key are an error at the compose file's line; the hint has the other."""
    with pytest.raises(InputError) as caught:
        settings("{web: {port: 80}}", {"port": 81})
    assert caught.value.code == "settings-differ"
    assert str(caught.value.where) == "compose.yaml:4:7"
    assert "tidegate.yaml:2:18" in caught.value.hint


def test_migrations_from_both_places() -> None:
    """The same ones are no conflict, in whichever form; others are named by their commands."""
    ours = "{web: {migrate: {command: [m, up], timeout: 1m}, seed: {command: [fill]}}}"
    theirs = {
        "migrate": [{"command": ["m", "up"], "timeout": "60s"}],
        "seed": {"command": ["fill"]},
    }
    found = settings(ours, theirs)
    assert found.migrate == (Migration(("m", "up"), timeout_s=60.0),)
    assert found.seed == Seed(("fill",))
    theirs["migrate"] = [{"command": ["m", "down"], "kind": "contract"}]
    with pytest.raises(InputError, match=r"expand: m up in .* contract: m down in x-tidegate"):
        settings(ours, theirs)


def test_an_unknown_key_of_x_tidegate_stands_in_the_compose_file() -> None:
    """x-tidegate is checked by the same table, at its own place."""
    with pytest.raises(InputError) as caught:
        settings("{}", {"rout": "x"})
    assert (caught.value.code, str(caught.value.where)) == (
        "config-unknown-key",
        "compose.yaml:4:7",
    )
    assert "route" in caught.value.hint


def test_settings_of_a_service_that_is_not_composed() -> None:
    """A service that no compose file has is an error naming the nearest."""
    with pytest.raises(InputError) as caught:
        settings("{wep: {port: 80}}")
    assert (caught.value.code, caught.value.hint) == ("unknown-service", "did you mean web?")


def test_settings_of_a_service_that_no_profile_enables() -> None:
    """They wait for the service's profile, and are no error meanwhile."""
    given = config("{debug: {port: 80}}")
    assert service_settings(given, {}, place, {}, {"debug": ("dev",)}) == {}


def test_a_route_takes_its_variables() -> None:
    """Routes are resolved; a default counts where there is no value."""
    assert settings('{web: {route: "${D}/x"}}', D="a.example").route == "a.example/x"
    assert settings('{web: {route: "${D:-b.example}"}}').route == "b.example"


def test_a_route_without_its_variable() -> None:
    """An undefined variable is an error at the route's line."""
    with pytest.raises(InputError) as caught:
        settings('{web: {route: "${D}"}}')
    assert caught.value.code == "undefined-variable"
    assert str(caught.value.where) == "tidegate.yaml:2:18"


def test_variables_strongest_first() -> None:
    """Command line, variables, env_file, services/version.env, .env."""
    files = {
        ".env": "A=env\nB=env\nC=env\nD=env\nE=env\n",
        "services/version.env": "B=version\nC=version\nD=version\n",
        "p.env": "B=file\nC=file\n",
    }
    found = config()
    got = environment_variables(found, found.environments["p"], {"A": "given"}, files.get)
    assert got == {"A": "given", "B": "own", "C": "file", "D": "version", "E": "env"}


def test_a_named_env_file_must_exist() -> None:
    """A missing env_file is an error at its line."""
    found = config()
    with pytest.raises(InputError) as caught:
        environment_variables(found, found.environments["p"], {}, lambda _: None)
    assert (caught.value.code, str(caught.value.where)) == (
        "env-file-missing",
        "tidegate.yaml:3:44",
    )


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ("hosts: {a: {ssh: a@b}}, verify: [e2e, load]", "the suite load is"),
    ],
)
def test_what_is_not_available_is_refused_by_name(environment: str, words: str) -> None:
    """A suite that would not be run is an error, never passed over."""
    found = config("{}", f"environments: {{p: {{{environment}}}}}\n")
    with pytest.raises(InputError, match=words) as caught:
        require_available(found, found.environments["p"])
    assert caught.value.code == "not-available-yet"
    assert caught.value.where is not None
    assert caught.value.where.line == 3


def test_one_server_has_everything() -> None:
    """The small configuration needs nothing that is missing."""
    found = config()
    require_available(found, found.environments["p"])
