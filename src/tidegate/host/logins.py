"""Credentials of registries, as Podman keeps them, and only there.

They come in on standard input and go to a file that only this user reads: never into an argv, a
log or a journal. They are tried before they are kept. Source: containers-auth.json(5).
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Mapping

from tidegate.host.errors import HostError
from tidegate.host.files import read_json, write_atomic
from tidegate.host.paths import Paths, runtime_dir
from tidegate.host.podman import masked
from tidegate.host.run import run

# What podman tells of a registry that it asks, at its debug level alone: whether one answered.
ANSWERED = re.compile(r"msg=\"Ping \S+ status \d+\"")
SILENT = re.compile(r"msg=\"Ping \S+ err (.*?) \(&")
LOGIN_S = 60.0


def kept() -> Path:
    """Where a login outlives a boot; Podman and skopeo look there, too."""
    named = os.environ.get("REGISTRY_AUTH_FILE", "")
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(named or Path(base, "containers/auth.json"))


def volatile() -> Path:
    """Where `podman login` itself writes: Podman asks it first, and a boot empties it."""
    return runtime_dir() / "containers/auth.json"


def login(registry: str, username: str, password: str) -> None:
    """Try credentials, then keep them; HostError (input) where the registry refuses them."""
    auth = base64.b64encode(f"{username}:{password}".encode()).decode()
    with tempfile.TemporaryDirectory(prefix="tidegate-login-") as folder:
        file = Path(folder, "auth.json")
        write_atomic(file, json.dumps({"auths": {registry: {"auth": auth}}}), 0o600)
        argv = ["podman", "--log-level=debug", "login", "--authfile", str(file), registry]
        done = run(argv, timeout_s=LOGIN_S, check=False)
    if done.returncode != 0:
        raise _refused(registry, masked(masked(done.stderr, password.encode()), auth.encode()))
    _change(kept(), registry, {"auth": auth})
    _change(volatile(), registry, None)


def _refused(registry: str, said: str) -> HostError:
    if ANSWERED.search(said):
        return HostError(
            "input",
            "login-refused",
            f"{registry} does not take this name and password",
            subject=registry,
            hint="a token may lack the right to read packages, or have run out",
        )
    why = SILENT.findall(said)
    return HostError(
        "error",
        "registry-silent",
        f"{registry} did not answer as a registry does",
        subject=registry,
        hint="is that its name, and can it be reached from here?",
        log=[text.replace('\\"', '"') for text in why[:1]] or said.splitlines()[-2:],
    )


def logout(registry: str) -> bool:
    """Forget a registry's credentials; whether there were any."""
    return any([_change(kept(), registry, None), _change(volatile(), registry, None)])


def known() -> Dict[str, str]:
    """Registry → the name that is logged in; never a password."""
    found = {}
    for file in (volatile(), kept()):
        for registry, entry in _auths(read_json(file)).items():
            pair = base64.b64decode(str(entry.get("auth") or "")).decode("utf-8", "replace")
            found[registry] = pair.partition(":")[0]
    return found


def _auths(content: Any) -> Dict[str, Mapping[str, Any]]:
    found: Dict[str, Mapping[str, Any]] = (content or {}).get("auths") or {}
    return found


def _change(file: Path, registry: str, entry: "Mapping[str, str] | None") -> bool:
    """Put one registry's entry into a file, or take it out; the others stay as they are."""
    content: Dict[str, Any] = read_json(file) or {}
    auths = dict(_auths(content))
    if auths.get(registry) == entry:
        return False
    auths.pop(registry, None)
    if entry is not None:
        auths[registry] = dict(entry)
    write_atomic(file, json.dumps({**content, "auths": auths}, indent=1), 0o600)
    return True


def by_hand(_paths: Paths, arguments: argparse.Namespace) -> int:
    """`login` reads `{"username", "password"}` from standard input; `list` prints JSON."""
    if arguments.action == "list":
        print(json.dumps(known(), sort_keys=True))
        return 0
    names: List[str] = [arguments.registry] if arguments.registry else []
    if not names:
        raise HostError("input", "usage", "which registry?")
    if arguments.action == "logout":
        print(json.dumps({"changed": logout(names[0])}))
        return 0
    told = json.load(sys.stdin)
    login(names[0], str(told["username"]), str(told["password"]))
    print(json.dumps({"changed": True}))
    return 0
