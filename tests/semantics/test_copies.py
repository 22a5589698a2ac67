"""How many copies of which services run: replicas, scale and profiles."""

from __future__ import annotations

import pytest

from tests.semantics.site import Site

pytestmark = pytest.mark.lab

COMPOSE = """\
x-serve: &serve
  image: busybox:1
  init: true
  command: sh -c "mkdir /w && hostname > /w/index.html && exec httpd -f -p 8000 -h /w"
services:
  web:
    <<: *serve
    ports: ["8080:8000"]
    deploy: {replicas: %(copies)s}
  # Has a volume, so its copies are replaced in place; their name has the address of each.
  store:
    <<: *serve
    scale: %(copies)s
    volumes: ["data:/data"]
  caller:
    <<: *serve
    command: sleep 1d
  # Runs only with its profile, and needs another one, which has the same.
  debug:
    <<: *serve
    profiles: [dev]
    depends_on: {probe: {condition: service_started}}
  probe:
    <<: *serve
    profiles: [dev, test]
  test: {<<: *serve, profiles: [test]}
volumes: {data: }
"""
SETTINGS = {"services": {"debug": {"health": "/", "port": 8000}}}
ASK = 'for i in $(seq 12); do wget -q -T 3 -O - "http://$0:8000/"; done'
LOOK_UP = """\
for address in $(nslookup "$0" | sed -n 's/^Address[^.]*: *\\([0-9.]*\\)$/\\1/p'); do
    wget -q -T 3 -O - "http://$address:8000/"
done
"""


def hosts(site: Site, service: str) -> set[str]:
    """The host names of a service's copies."""
    return {one["Config"]["Hostname"] for one in site.containers(service)}


def asked(site: Site, name: str, how: str = ASK) -> set[str]:
    """Who answers a caller inside the project under this name."""
    return set(site.exec("caller", "sh", "-c", how, name).split())


@pytest.mark.parametrize("steps", [((2, ""), (3, "dev"), (1, ""))], ids=["copies"])
def test_copies(site: Site, steps: tuple[tuple[int, str], ...]) -> None:
    """Each of 2, 3, then 1 copies answers, outside and by name; profiles come and go with them."""
    for copies, profile in steps:
        site.write(
            COMPOSE % {"copies": copies},
            settings=SETTINGS,
            variables={"COMPOSE_PROFILES": profile},
        )
        site.deploy()
        web, store = hosts(site, "web"), hosts(site, "store")
        assert (len(web), len(store)) == (copies, copies)
        assert {site.get(8080) for _ in range(4 * copies)} == web
        assert asked(site, "web") == asked(site, f"{site.name}-web-1") == web
        assert asked(site, "store", LOOK_UP) == store
        services = {one["Config"]["Labels"].get("tidegate.service") for one in site.containers()}
        extra = {"debug", "probe"} if profile else set()
        assert services - {None} == {"web", "store", "caller"} | extra
    assert "debug" in site.run("plan", "--variable", "COMPOSE_PROFILES=dev").stdout


def test_a_dependency_that_no_profile_enables(site: Site) -> None:
    """It is an error with its line and the profile to choose, as docker compose says it."""
    site.write(COMPOSE.replace("profiles: [dev, test]", "profiles: [test]") % {"copies": 1})
    said = site.deploy("--variable", "COMPOSE_PROFILES=dev", code=2).stderr
    assert "service 'debug' depends on 'probe', which no chosen profile enables" in said
    assert "at compose.yaml:22:" in said
    assert "choose a profile of test" in said
