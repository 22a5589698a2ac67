"""A one-off container is as a service's copy, but for its names, its ports and its checks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.targets.quadlet.projects import of_project, project
from tidegate.host.generations import Generation
from tidegate.host.layout import compute
from tidegate.host.once import by_hand, command_of, mentioned, unit_of
from tidegate.host.units import place
from tidegate.host.unitwords import expanded, split
from tidegate.targets.quadlet import escape
from tidegate.testing.quadlet.argv import options
from tidegate.testing.quadlet.generator import generate

COMPOSE = """\
services:
  db:
    image: x
    ports: ["5432:5432"]
    networks: {default: {aliases: [books]}}
    volumes: ["data:/data"]
    healthcheck: {test: [CMD, "true"]}
  beside: {image: x, network_mode: "service:db"}
  web:
    image: x
    command: [serve, -d, --rm]
    environment: {GREETING: "50% of $$5 'a b'", HOME_OF: ~}
    ports: ["8080:80"]
    networks: {default: {aliases: [shop]}, other: {}}
    volumes: ["data:/data:ro"]
    healthcheck: {test: [CMD, "true"]}
    mem_limit: 1g
    labels: {mine: "yes"}
    secrets: [key]
networks: {other: {}}
volumes: {data: {}}
secrets: {key: {file: ./key}}
"""


def generation() -> Generation:
    """The project as a host has it."""
    release = of_project(project(COMPOSE))
    secrets = {use["secret"]: f"{use['secret']}-1" for use in release["services"]["web"]["secrets"]}
    laid = compute(release, 1, None, None, [], secrets)
    place(release, laid, None, {})
    return Generation(1, release, "", laid)


def argv(command: bool, service: str = "web", unit: str = "p-web-a") -> list[str]:
    """What podman is told, by the real Quadlet."""
    now, name = generation(), f"p-{service}-once-1"
    text = unit_of(now, service, unit, name, command)
    services = generate({**mentioned(now, text), f"{name}.container": text})
    words = command_of(services[f"{name}.service"], name)
    return by_hand(words, now.release["services"][service]["image"], tty=False)


def test_it_is_as_the_copy_that_serves() -> None:
    """Environment, volumes, networks, limits and secrets; the service's own command or none."""
    pairs = options(argv(command=False))
    assert ("--name", "p-web-once-1") in pairs
    assert ("--env", "GREETING=50% of $5 'a b'") in pairs
    assert ("-v", "p_data:/data:ro") in pairs
    assert [value for name, value in pairs if name == "--network"] == ["p_default", "p_other"]
    assert ("--memory", str(2**30)) in pairs
    assert ("--label", "mine=yes") in pairs
    assert [value.split(",")[0] for name, value in pairs if name == "--secret"] == ["p_key-1"]
    assert [value for name, value in pairs if not name][1:] == ["serve", "-d", "--rm"]
    assert argv(command=True)[-1].startswith("docker.io/"), "the image is the last word"


@pytest.mark.parametrize(("service", "unit"), [("web", "p-web-a"), ("db", "p-db")])
def test_nobody_is_led_to_it(service: str, unit: str) -> None:
    """No port, name, address or check of the copy's; no label by which a deployment knows it."""
    words = argv(True, service, unit)
    told = " ".join(words)
    for part in (
        "--publish",
        "-p ",
        "--health",
        "alias=",
        "ip=",
        "mac=",
        "--rm=false",
        "--cidfile",
    ):
        assert part not in told
    assert not {"-d", "--replace"} & set(words)
    labels = [w.split("=")[0] for w in words if w.startswith("tidegate.")]
    assert sorted(labels) == ["tidegate.once", "tidegate.service"]
    assert "--rm" in words


def test_it_may_share_a_network() -> None:
    """As its service does, by the unit of the other one and what that speaks of."""
    pairs = options(argv(True, "beside", "p-beside"))
    assert [value for name, value in pairs if name == "--network"] == ["container:p-db"]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)))
def test_words_are_read_as_they_were_written(words: list[str]) -> None:
    """Whatever is in them."""
    try:
        line = escape.words(words)
    except escape.InexpressibleError:
        return  # refused before any host sees it
    assert [expanded(word, {"i": ""}) for word in split(line)] == words
