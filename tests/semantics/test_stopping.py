"""stop_signal and stop_grace_period: who needs time gets it, who ignores the signal is killed."""

from __future__ import annotations

import pytest

from tests.semantics.site import Site

pytestmark = pytest.mark.lab

# The health check gives up after 4 s: less than a copy may need to stop before it is replaced.
COMPOSE = """\
x-graceful: &graceful
  image: busybox:1
  environment: {VERSION: "%(version)s"}
  command: ["sh", "-c", "trap 'echo asked; sleep 5; echo finished; exit 0' USR1; touch /up;
    while :; do sleep 0.1; done"]
  stop_signal: SIGUSR1
  stop_grace_period: 20s
  healthcheck: {test: ["CMD", "test", "-e", "/up"], interval: 3s, timeout: 1s, retries: 1}
x-stubborn: &stubborn
  image: busybox:1
  environment: {VERSION: "%(version)s"}
  command: ["sh", "-c", "trap 'echo asked; while :; do sleep 0.5; echo still; done' TERM;
    while :; do sleep 0.1; done"]
  stop_grace_period: 2s
services:
  graceful-beside: *graceful
  graceful-in-place: {<<: *graceful, container_name: one}
  stubborn-beside: *stubborn
  stubborn-in-place: {<<: *stubborn, container_name: other}
"""
OLD = {
    "graceful": ("graceful-beside-a", "graceful-in-place"),
    "stubborn": ("stubborn-beside-a", "stubborn-in-place"),
}


def test_stopping(site: Site) -> None:
    """A new version lets the old copies finish within their grace, beside and in place."""
    site.write(COMPOSE % {"version": "1"})
    site.deploy()
    site.write(COMPOSE % {"version": "2"})
    site.deploy()
    for unit in OLD["graceful"]:
        assert site.log(f"{site.name}-{unit}") == ["asked", "finished"]
    for unit in OLD["stubborn"]:
        said = site.log(f"{site.name}-{unit}")
        assert said[0] == "asked"
        assert 2 <= said.count("still") <= 4, "2 s are four times half a second"
    shown = {one["Config"]["Env"].count("VERSION=2") for one in site.containers()}
    assert (shown, len(site.containers())) == ({1}, 4)
