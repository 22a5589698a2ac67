"""Secrets of a fleet: on the hosts that use them, in no file, image or word besides."""

from __future__ import annotations

import base64
import gzip
import json
import time
from collections.abc import Iterator

import pytest

from tests.fleet.fleet import Fleet
from tests.semantics.site import Done, Site
from tests.semantics.test_secret_variables import secrets
from tidegate.edges.store import Store

pytestmark = pytest.mark.lab

COMPOSE = """\
services:
  web:
    build: .
    init: true
    command: sleep 1d
    environment: {URL: "postgres://shop:${PASSWORD}@db/%(path)s"}
    secrets: [token]
secrets: {token: {environment: TOKEN}}
"""
# A file of the image that no image had before, so that one is built.
FILES: dict[str, str | bytes] = {
    "Dockerfile": "FROM busybox:1\nCOPY mine /mine\n",
    "mine": f"made at {time.time()}",
}
PASSWORD, TOKEN = "plain-51c0-password", "plain-93fe-token"
# A podman whose secrets cannot be stored, and that says why with all that it was given.
BROKEN = """\
#!/bin/sh
case "$1 $2" in
"secret create") echo "Error: no space left for: $(cat)" >&2; exit 125;;
esac
exec /usr/bin/podman "$@"
"""


def spoken() -> list[bytes]:
    """Every way in which a value could be written down."""
    values = (PASSWORD, TOKEN, f"postgres://shop:{PASSWORD}@db/one")
    plain = [value.encode() for value in values]
    return [
        *plain,
        *(base64.b64encode(value) for value in plain),
        *(v.hex().encode() for v in plain),
    ]


def blobs(since: float) -> Iterator[bytes]:
    """Every image blob that this machine keeps for hosts since then, unpacked."""
    for path in Store().blobs.glob("*/*"):
        if path.stat().st_mtime < since:
            continue
        content = path.read_bytes()
        yield gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def leaks(*hosts: Site) -> list[str]:
    """Files and lines of the servers' journals in which a value is: root sees them all."""
    words = (
        "cd /home/deploy; cat > /root/wanted; grep -rlaF -f /root/wanted"
        " .local/share/tidegate .config; journalctl -q --no-pager -a | grep -aF -f /root/wanted;"
        " rm /root/wanted"
    )
    given = b"\n".join(spoken())
    found = []
    for host in hosts:
        told = host.server.run(["sh", "-c", words], user="root", input=given).stdout
        found += [f"{host.server.name}: {line}" for line in told.splitlines()]
    return found


def said(done: Done) -> bytes:
    """Both streams of a command."""
    return (done.stdout + done.stderr).encode()


def silent(*told: bytes) -> None:
    """No value is in any of these, in any form."""
    for each in told:
        assert [value for value in spoken() if value in each] == []


def test_values_are_written_nowhere(fleet: Fleet) -> None:
    """Not in ledgers, journals, releases, units, images, or what commands say."""
    places = {"web": {"on": "web"}}
    fleet.write(COMPOSE % {"path": "one"}, places, FILES, secrets="production.age")
    for name, value in (("PASSWORD", PASSWORD), ("TOKEN", TOKEN)):
        secrets(fleet.site, "set", "production", name, given=value)
    events = fleet.site.folder.parent / "events"
    done = fleet.deploy("--json", "--events", str(events))
    first, second, third = fleet.hosts
    for host in (second, third):
        words = r"tr '\0' '\n' < /proc/1/environ; cat /run/secrets/token"
        told = host.exec("web", "sh", "-c", words)
        assert f"postgres://shop:{PASSWORD}@db/one" in told
        assert TOKEN in told
    stored = "podman secret ls --format '{{.Name}}'"
    assert fleet.site.name not in first.on_server("sh", "-c", stored)
    told_by = [
        fleet.site.run(word, "production", "--json") for word in ("status", "plan", "history")
    ]
    silent(said(done), events.read_bytes(), *(said(each) for each in told_by))
    assert leaks(*fleet.hosts) == []
    kept = {"production.age": (fleet.site.folder / "production.age").read_bytes()}
    fleet.write(COMPOSE % {"path": "two"}, places, {**FILES, **kept}, secrets="production.age")
    fleet.deploy()
    assert "@db/two" in second.exec("web", "cat", "/proc/1/environ")
    found = list(blobs(fleet.site.began))
    assert any(b"made at" in blob for blob in found)
    silent(*found)


@pytest.mark.parametrize("words", [(), ("--json",)], ids=["text", "json"])
def test_a_failure_in_the_middle_of_sending_tells_nothing(
    fleet: Fleet, words: tuple[str, ...]
) -> None:
    """Podman itself repeats what it was given: it is masked, all goes back, the next one works."""
    fleet.write(COMPOSE % {"path": "one"}, {}, FILES, secrets="production.age")
    for name, value in (("PASSWORD", PASSWORD), ("TOKEN", TOKEN)):
        secrets(fleet.site, "set", "production", name, given=value)
    host, fake = fleet.hosts[2], "/usr/local/bin/podman"
    script = f"cat > {fake}; chmod 755 {fake}"
    host.server.run(["sh", "-c", script], user="root", input=BROKEN)
    events = fleet.site.folder.parent / "events"
    site = fleet.site
    try:
        loud = {**site.environment, "TIDEGATE_DEBUG": "1"}
        noisy = Site(site.server, site.folder, site.name, loud, site.began)
        done = noisy.deploy(*words, "--events", str(events), code=4)
    finally:
        host.server.run(["rm", fake], user="root")
    assert "could not be stored" in done.stderr
    assert host.server.name in done.stderr
    silent(said(done), events.read_bytes())
    assert leaks(*fleet.hosts) == []
    assert not any(seen["open"] or seen["deployment"] for seen in fleet.status().values())
    fleet.deploy()
    for each in fleet.hosts:
        mine = f"--filter=name={site.name}_"
        assert len(each.podman("secret", "ls", "--quiet", mine).split()) == 2


def test_a_full_disk_in_the_middle_of_sending_tells_nothing(fleet: Fleet) -> None:
    """A real ENOSPC, by the podman that is there."""
    fleet.write(COMPOSE % {"path": "one"}, {}, FILES, secrets="production.age")
    for name, value in (("PASSWORD", PASSWORD), ("TOKEN", TOKEN)):
        secrets(fleet.site, "set", "production", name, given=value)
    host = fleet.hosts[2]
    fleet.site.run("status", "production")  # the tool is there before the disk is full
    host.server.fill_disk()
    try:
        done = fleet.deploy("--json", code=4)
    finally:
        host.server.free_disk()
    assert json.loads(done.stderr.splitlines()[-1])["data"]["class"] == "error"
    silent(said(done))
    assert leaks(*fleet.hosts) == []
    fleet.deploy()
