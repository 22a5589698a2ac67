"""A one-off container is as a service's copy, but for its names, its ports and its checks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.targets.quadlet.projects import of_project, project
from tidegate.host.generations import Generation
from tidegate.host.layout import compute
from tidegate.host.once import by_hand, command_of, unit_of
from tidegate.host.units import place
from tidegate.host.unitwords import expanded, split
from tidegate.targets.quadlet import escape
from tidegate.testing.quadlet.argv import options
from tidegate.testing.quadlet.generator import generate

COMPOSE = """\
services:
  db: {image: x}
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


def argv(command: bool) -> list[str]:
    """What podman is told, by the real Quadlet."""
    now = generation()
    text = unit_of(now, "web", "p-web-a", "p-web-once-1", command)
    services = generate({**(now.layout or {})["shared"], "p-web-once-1.container": text})
    words = command_of(services["p-web-once-1.service"], "p-web-once-1")
    return by_hand(words, now.release["services"]["web"]["image"], tty=False)


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


def test_nobody_is_led_to_it() -> None:
    """No port, name, address or check of the copy's; no label by which a deployment knows it."""
    words = argv(command=True)
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


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)))
def test_words_are_read_as_they_were_written(words: list[str]) -> None:
    """Whatever is in them."""
    try:
        line = escape.words(words)
    except escape.InexpressibleError:
        return  # refused before any host sees it
    assert [expanded(word, {"i": ""}) for word in split(line)] == words
