"""Services reach each other by every name that compose gives them, on their own networks only."""

from __future__ import annotations

import pytest

from tests.semantics.site import Site

pytestmark = pytest.mark.lab

COMPOSE = """\
x-serve: &serve
  image: busybox:1
  init: true
services:
  # Two copies are possible: behind a front, under other names on each of its networks.
  api:
    <<: *serve
    command: sh -c "mkdir /w && echo api-%(version)s > /w/index.html && exec httpd -f -p 8000 -h /w"
    expose: ["8000"]
    networks: {front: {aliases: [gate]}, back: {aliases: [books, gate.internal]}}
  # One copy, because of its name.
  box:
    <<: *serve
    container_name: the-box
    command: sh -c "mkdir /w && echo box > /w/index.html && exec httpd -f -p 8000 -h /w"
    networks: {back: {aliases: [chest]}}
  # Nothing declares its port, it opens it late, and a caller names it.
  late:
    <<: *serve
    command: sh -c "mkdir /w && echo late > /w/index.html; sleep 4; exec httpd -f -p 8000 -h /w"
    networks: [back]
  # Nothing anywhere names its port, and it is soon there.
  quiet:
    <<: *serve
    command: sh -c "mkdir /w && echo quiet > /w/index.html; sleep 1; exec httpd -f -p 8000 -h /w"
    networks: [back]
  in-front: {<<: *serve, command: sleep 1d, networks: [front]}
  in-back:
    <<: *serve
    command: sleep 1d
    networks: [back]
    links: ["api:books-by-link"]
    environment: {LATE: "http://late:8000/"}
  in-both: {<<: *serve, command: sleep 1d, networks: [front, back]}
  outside: {<<: *serve, command: sleep 1d, networks: [elsewhere]}
networks: {front: , back: , elsewhere: }
"""
ASK = """\
for name in $0; do
    echo "$name $(wget -q -T 3 -O - http://$name:8000/ 2>/dev/null || echo nobody)"
done
"""


def answers(site: Site, caller: str, *names: str) -> dict[str, str]:
    """Who answers a service under each name."""
    told = site.exec(caller, "sh", "-c", ASK, " ".join(names))
    return {name: who for name, _, who in (line.partition(" ") for line in told.splitlines())}


def test_names(site: Site) -> None:
    """Service name, aliases per network, container name and link lead there, also after a switch.

    Whoever is on none of its networks reaches nobody.
    """
    mine, shared = {"gate"}, {"api", f"{site.name}-api-1", "books-by-link"}
    behind = {"books", "gate.internal"}
    others = {"box": "box", "the-box": "box", "chest": "box", "late": "late", "quiet": "quiet"}
    everything = (*mine, *shared, *behind, *others)
    for version in ("1", "2"):
        site.write(COMPOSE % {"version": version})
        site.deploy()
        api, nobody = f"api-{version}", dict.fromkeys(everything, "nobody")
        in_front = {**nobody, **dict.fromkeys(mine | shared, api)}
        in_back = {**nobody, **others, **dict.fromkeys(shared | behind, api)}
        assert answers(site, "in-front", *everything) == in_front
        assert answers(site, "in-back", *everything) == in_back
        assert answers(site, "in-both", *everything) == {**in_back, "gate": api}
        assert answers(site, "outside", *everything) == nobody
    assert answers(site, "in-back", "api", "box")["api"] == "api-2"
