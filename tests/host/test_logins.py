"""Credentials are tried at a real registry, kept where Podman looks, and shown to nobody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.schemas import check
from tidegate.host import logins
from tidegate.host.errors import HostError
from tidegate.lab.places import default_places
from tidegate.upkeep.logins import registry

PROGRAM = default_places().registry / "program/usr/bin/docker-registry"
PASSWORD = "pass word $1"
# Of the password, by bcrypt.
HTPASSWD = "$2b$05$sqPG535HeNV6s4YmwyqutuEmeZKLUiB01Ezytms2vLR84tZxW8qMq"
PORT = 5397

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="the lab's registry is not here")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's folders, empty."""
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.delenv("REGISTRY_AUTH_FILE", raising=False)
    conf = tmp_path / "registries.conf"
    conf.write_text(f'[[registry]]\nlocation = "127.0.0.1:{PORT}"\ninsecure = true\n')
    monkeypatch.setenv("CONTAINERS_REGISTRIES_CONF", str(conf))


@contextmanager
def asking(folder: Path, address: str) -> Iterator[str]:
    """A registry at an address that asks for a name and a password."""
    words = folder / "htpasswd"
    words.write_text(f"me:{HTPASSWD}\n")
    config = {
        "version": "0.1",
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": address},
        "auth": {"htpasswd": {"realm": "test", "path": str(words)}},
    }
    (folder / "config.json").write_text(json.dumps(config))
    argv = [str(PROGRAM), "serve", str(folder / "config.json")]
    env = {"OTEL_TRACES_EXPORTER": "none", "PATH": os.defpath}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(argv, env=env, stdout=quiet, stderr=quiet) as running:
        deadline = time.monotonic() + 10
        while not _asks(address):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield address
        running.terminate()


def _asks(address: str) -> bool:
    """Whether it answers that one has to log in."""
    try:
        urllib.request.urlopen(f"http://{address}/v2/", timeout=1).close()
    except urllib.error.HTTPError as answer:
        answer.close()
        return answer.code == 401
    except OSError:
        return False
    return False


@pytest.fixture
def place(tmp_path: Path) -> Iterator[str]:
    """One on this machine."""
    with asking(tmp_path, f"127.0.0.1:{PORT}") as address:
        yield address


def test_a_login_is_tried_and_kept(place: str) -> None:
    """For good, for this user alone, beside what others are there; Podman finds it."""
    logins.kept().parent.mkdir(parents=True)
    logins.kept().write_text(json.dumps({"auths": {"other.example": {"auth": "eDp5"}}, "x": 1}))
    logins.volatile().parent.mkdir(parents=True)
    logins.volatile().write_text(json.dumps({"auths": {place: {"auth": "b2xkOm9sZA=="}}}))
    logins.login(place, "me", PASSWORD)
    assert logins.known() == {"other.example": "x", place: "me"}
    assert logins.kept().stat().st_mode & 0o777 == 0o600
    assert json.loads(logins.kept().read_text())["x"] == 1
    argv = ["podman", "login", "--get-login", place]
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout == "me\n"
    assert logins.logout(place)
    assert not logins.logout(place)
    assert logins.known() == {"other.example": "x"}


def test_what_is_refused_is_not_kept(place: str) -> None:
    """A wrong password is bad input, a silent registry an error; neither is told."""
    with pytest.raises(HostError) as caught:
        logins.login(place, "me", "another secret")
    assert (caught.value.class_, caught.value.code) == ("input", "login-refused")
    with pytest.raises(HostError) as silent:
        logins.login("127.0.0.1:1", "me", "another secret")
    assert (silent.value.class_, silent.value.code) == ("error", "registry-silent")
    assert "connection refused" in silent.value.log[0]
    assert "another secret" not in str((caught.value.as_dict(), silent.value.as_dict()))
    assert not logins.kept().exists()


def test_by_the_command_line(place: str) -> None:
    """The password comes by standard input, and each answer is by its schema."""

    def run(*words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "tidegate", "registry", *words, "--here", "--json"]
        return subprocess.run(argv, input=given, capture_output=True, text=True, check=False)

    wrong = run("login", place, "--username", "me", given="wrong\n")
    assert wrong.returncode == 2
    assert "does not take this name" in check(json.loads(wrong.stderr))["message"]
    done = run("login", place, "--username", "me", given=f"{PASSWORD}\n")
    assert check(json.loads(done.stdout))["changed"] == ["this machine"], done.stderr
    seen = check(json.loads(run("list").stdout))["logins"]
    assert seen == [{"place": "this machine", "registry": place, "username": "me"}]
    assert check(json.loads(run("logout", f"https://{place}/").stdout))["registry"] == place
    assert run("login", place, "--username", "me").returncode == 2
    assert run("login", "no registry!", "--username", "me", given="x").returncode == 2


def test_names_of_registries() -> None:
    """As Podman keeps them."""
    assert registry("https://ghcr.io/") == "ghcr.io"
    assert registry("registry.example.com:5000/acme") == "registry.example.com:5000/acme"
