"""Secrets, configs and companion files: where they are, whose, and with which release."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.semantics.site import Site

pytestmark = pytest.mark.lab

BINARY = bytes(range(256)) * 3
PLAIN = "pl41n-t3xt-of-a-s3cret"
LINES = 'one "two" $three %four\\\n\tfive \n\n'
INIT = "#!/bin/sh\necho started by init.sh\nexec sleep 1d\n"
SLEEP: dict[str, Any] = {"image": "busybox:1", "init": True, "command": "sleep 1d"}
FILES: Mapping[str, str | bytes] = {
    "secrets/password": PLAIN,
    "secrets/key.bin": BINARY,
    "conf/app.conf": "version one\n",
    "conf/same.conf": "never changes\n",
    "html/index.html": "first\n",
    "html/deep/page.html": "deep\n",
    "init.sh": INIT,
    "app.env": "# a comment\nQUOTED='a $b'\nPLAIN=c d\n",
    "raw.env": "RAW='a $b' # no comment\n",
}
SECRETS = {
    "password": {"file": "./secrets/password"},
    "key": {"file": "./secrets/key.bin"},
    "token": {"environment": "TOKEN"},
}
CONFIGS = {
    "app": {"file": "./conf/app.conf"},
    "same": {"file": "./conf/same.conf"},
    "inline": {"content": LINES.replace("$", "$$")},
    "region": {"environment": "REGION"},
}


def project(outer: str) -> dict[str, Any]:
    """A service for each sort of file, and one with none."""
    services: dict[str, dict[str, Any]] = {
        "keeper": {
            "secrets": [
                "password",
                {"source": "key", "target": "/etc/key", "uid": "33", "gid": "34", "mode": 0o440},
                {"source": "token", "target": "renamed", "mode": 0o400},
                "outer",
            ],
        },
        "reader": {
            "configs": [
                "app",
                "inline",
                {"source": "region", "target": "/etc/region"},
                {"source": "same", "target": "/a", "uid": "33", "gid": "34", "mode": 0o440},
                {"source": "same", "target": "/b", "mode": 0o700},
                {"source": "inline", "target": "/c", "uid": "12"},
            ],
        },
        "web": {"volumes": ["./html:/html:ro", "./init.sh:/init.sh"], "command": "sh /init.sh"},
        "worker": {"env_file": ["app.env", {"path": "raw.env", "format": "raw"}]},
        "none": {},
    }
    return {
        "services": {name: {**SLEEP, **body} for name, body in services.items()},
        "secrets": {**SECRETS, "outer": {"external": True, "name": outer}},
        "configs": CONFIGS,
    }


def deploy(site: Site, outer: str, changed: Mapping[str, str | bytes], token: str) -> set[str]:
    """Deploy with these files changed; the services whose container is a new one."""
    before = {one["Config"]["Labels"]["tidegate.service"]: one["Id"] for one in running(site)}
    variables = {"TOKEN": token, "REGION": "eu-west"}
    site.write(project(outer), {**FILES, **changed}, variables=variables)
    site.deploy()
    return renewed(site, before)


def running(site: Site) -> list[dict[str, Any]]:
    """The services' own containers."""
    found = [one for one in site.containers() if one["State"]["Running"]]
    return [one for one in found if one["Config"]["Labels"].get("tidegate.digest")]


def renewed(site: Site, before: Mapping[str, str]) -> set[str]:
    """The services whose container is not the one of before."""
    now = {one["Config"]["Labels"]["tidegate.service"]: one["Id"] for one in running(site)}
    return {name for name, found in now.items() if before.get(name) != found}


def held(site: Site, service: str, path: str) -> tuple[bytes, str]:
    """The bytes of a file in a container, and its mode and owner."""
    look = 'stat -L -c "%a %u %g" "$0"; base64 "$0"'
    owned, _, content = site.exec(service, "sh", "-c", look, path).partition("\n")
    return base64.b64decode(content), owned


@pytest.fixture
def outer(site: Site) -> str:
    """A secret on the server that somebody else made; its name begins as the project's own do."""
    name = f"{site.name}_outer"
    site.podman("secret", "rm", "--ignore", name)
    site.on_server("podman", "secret", "create", name, "-", given="theirs")
    return name


def test_secrets_and_configs(site: Site, outer: str) -> None:
    """Each is a file at its place, with its bytes, mode and owner, and goes with its release."""
    assert deploy(site, outer, {}, "tok3n") == {"keeper", "reader", "web", "worker", "none"}
    assert held(site, "keeper", "/run/secrets/password") == (PLAIN.encode(), "444 0 0")
    assert held(site, "keeper", "/etc/key") == (BINARY, "440 33 34")
    assert held(site, "keeper", "/run/secrets/renamed") == (b"tok3n", "400 0 0")
    assert held(site, "keeper", "/run/secrets/outer") == (b"theirs", "444 0 0")
    assert held(site, "reader", "/app") == (b"version one\n", "644 0 0")
    assert held(site, "reader", "/inline") == (LINES.encode(), "444 0 0")
    assert held(site, "reader", "/etc/region") == (b"eu-west", "444 0 0")
    assert held(site, "reader", "/a") == (b"never changes\n", "440 33 34")
    assert held(site, "reader", "/b") == (b"never changes\n", "700 0 0")
    assert held(site, "reader", "/c") == (LINES.encode(), "444 12 0")
    nowhere_else(site)
    of_the_release(site, outer)
    site.destroy()
    left = site.podman("secret", "ls", "--format={{.Name}}").split()
    assert [name for name in left if name.startswith(site.name)] == [outer]


def nowhere_else(site: Site) -> None:
    """No unit, argv, record or log on the server holds the plain text, nor its base64."""
    coded = base64.b64encode(PLAIN.encode()).decode().rstrip("=")
    patterns = "/tmp/semantics-patterns"  # in a file: in an argv, ps would find them
    site.on_server("sh", "-c", f"cat > {patterns}", given=f"{PLAIN}\n{coded}\n")
    folders = "~/.config ~/.local/share/tidegate ~/.cache /run/user/1000/systemd"
    found = site.on_server("sh", "-c", f"grep -rlaF -f {patterns} {folders} 2>/dev/null || true")
    assert found == ""
    said = "journalctl -q -o export; ps axwwe"
    theirs = f"{said}; podman inspect $(podman ps -aq)"
    for look, user in ((said, "root"), (theirs, "deploy")):
        words = f"({look}) | grep -caF -f {patterns} || true"
        assert site.server.run(["sh", "-c", words], user=user).stdout == "0\n", look


def of_the_release(site: Site, outer: str) -> None:
    """A changed file renews its own service, and a rollback brings back what it was."""
    seen = json.loads(site.run("status", "--json").stdout)["data"]["hosts"][site.server.name]
    assert site.exec("web", "cat", "/html/index.html", "/html/deep/page.html") == "first\ndeep\n"
    assert "started by init.sh" in site.podman("logs", site.container("web")["Name"])
    values = site.exec("worker", "env").splitlines()
    assert {"QUOTED=a $b", "PLAIN=c d", "RAW='a $b' # no comment"} <= set(values)

    # Secrets are sent again, whatever bytes they hold, and their service is left alone.
    changed = {"html/deep/page.html": "deeper\n", "conf/app.conf": "version two\n"}
    assert deploy(site, outer, changed, "tok3n") == {"web", "reader"}
    assert site.exec("web", "cat", "/html/deep/page.html") == "deeper\n"
    assert site.exec("reader", "cat", "/app") == "version two\n"
    changed |= {"app.env": "PLAIN=e\n", "secrets/password": "another"}
    assert deploy(site, outer, changed, "new") == {"worker", "keeper"}
    assert held(site, "keeper", "/run/secrets/password")[0] == b"another"
    assert held(site, "keeper", "/run/secrets/renamed")[0] == b"new"

    before = {one["Config"]["Labels"]["tidegate.service"]: one["Id"] for one in running(site)}
    (site.folder / "compose.yaml").unlink()  # nothing of this folder is needed to go back
    site.rollback("--to", seen["deployment"].partition("/")[2])
    assert renewed(site, before) == {"web", "reader", "worker", "keeper"}
    assert site.exec("web", "cat", "/html/deep/page.html") == "deep\n"
    assert site.exec("reader", "cat", "/app") == "version one\n"
    assert "PLAIN=c d" in site.exec("worker", "env").splitlines()
    assert held(site, "keeper", "/run/secrets/password")[0] == PLAIN.encode()


def test_what_cannot_be_had_is_bad_input(site: Site) -> None:
    """A secret that is not there, empty or too big, a config of others: the line, and no change."""

    def refused(section: str, entry: Any, files: Mapping[str, str | bytes] | None = None) -> str:
        services = {"app": {**SLEEP, section: ["it"]}}
        site.write({"services": services, section: {"it": entry}}, files or {})
        return site.deploy(code=2).stderr

    said = refused("secrets", {"environment": "NOBODY_SETS_IT"})
    assert "the secret it has no value: the variable NOBODY_SETS_IT is not set" in said
    assert "at compose.yaml:1" in said
    assert "cannot be read" in refused("secrets", {"file": "./absent"})
    assert "the secret it has 0 bytes" in refused("secrets", {"file": "./e"}, {"e": ""})
    assert "512000 bytes" in refused("secrets", {"file": "./e"}, {"e": b"x" * 512_000})
    said = refused("secrets", {"external": True, "name": "nobody-made-it"})
    assert "the external secret 'nobody-made-it' is not here" in said
    assert "podman keeps no configs" in refused("configs", {"external": True})
    assert "there is no file" in refused("configs", {"file": "./absent"})
    said = refused("configs", {"environment": "NOBODY_SETS_IT"})
    assert "config it takes variable NOBODY_SETS_IT, which is not set" in said
    assert site.containers() == []
