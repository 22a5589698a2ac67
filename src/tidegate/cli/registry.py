"""``tidegate registry``: who may pull and push, here and on the hosts.

A password comes from standard input or a prompt, never from the command line.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from cyclopts import App

from tidegate.cli.output import print_json, say, table
from tidegate.errors import InputError, TidegateError

if TYPE_CHECKING:
    from tidegate.app import Target
    from tidegate.upkeep.logins import Credentials

app = App(help="Logins to registries. Example: tidegate registry login ghcr.io --username me")


@app.command
def login(
    registry: str,
    environment: str = "",
    /,
    *,
    username: str,
    here: bool = False,
    config: str = "tidegate.yaml",
    json: bool = False,
) -> None:
    """Log this machine and the hosts in to a registry; the password is read from standard input.

    It is tried from each place before it is kept there, where Podman looks for it, and outlives
    a boot. Example: tidegate registry login ghcr.io --username me < token.txt

    Args:
        registry: Its name, such as ghcr.io or registry.example.com:5000.
        environment: The hosts of this one; without it those of all.
        username: Who logs in.
        here: Only this machine.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate.cli.progress import Progress
    from tidegate.upkeep import logins

    name, quiet = logins.registry(registry), Progress(quiet=True)
    where = logins.places(targets(environment, config, here=here), here=here)
    given = credentials(username)
    done, lost = logins.everywhere(where, lambda place: logins.login(place, name, given, quiet))
    conclude(name, "logged in to", done, lost, json=json)


@app.command
def logout(
    registry: str,
    environment: str = "",
    /,
    *,
    here: bool = False,
    config: str = "tidegate.yaml",
    json: bool = False,
) -> None:
    """Forget the credentials of a registry on this machine and the hosts.

    Example: tidegate registry logout ghcr.io

    Args:
        registry: Its name.
        environment: The hosts of this one; without it those of all.
        here: Only this machine.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate.cli.progress import Progress
    from tidegate.upkeep import logins

    name, quiet = logins.registry(registry), Progress(quiet=True)
    where = logins.places(targets(environment, config, here=here), here=here)
    done, lost = logins.everywhere(where, lambda place: logins.logout(place, name, quiet))
    conclude(name, "logged out of", done, lost, json=json)


@app.command(name="list")
def show(
    environment: str = "",
    /,
    *,
    here: bool = False,
    config: str = "tidegate.yaml",
    json: bool = False,
) -> None:
    """List who is logged in where; never a password.

    Example: tidegate registry list production

    Args:
        environment: The hosts of this one; without it those of all.
        here: Only this machine.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate.cli.progress import Progress
    from tidegate.upkeep import logins

    quiet = Progress(quiet=True)
    where = logins.places(targets(environment, config, here=here), here=here)
    found, lost = logins.everywhere(where, lambda place: logins.known(place, quiet))
    rows = [
        (place, name, str(user))
        for place, names in found.items()
        for name, user in sorted(names.items())
    ]
    if json:
        keys = ("place", "registry", "username")
        entries = [dict(zip(keys, row, strict=True)) for row in rows]
        print_json("registries", {"logins": entries, "lost": sorted(lost)})
    elif rows:
        say(table(("place", "registry", "user"), rows))
    else:
        say("nobody is logged in anywhere")
    for problem in lost.values():
        raise problem


def targets(environment: str, config: str, *, here: bool) -> list[Target]:
    """The environment of that name, or all; none where only this machine is meant."""
    from tidegate import app as wiring
    from tidegate.config import load_config

    if here and environment:
        raise InputError(
            f"--here is this machine only, and {environment} is of hosts",
            code="usage",
            hint="leave one of them out",
        )
    if here:
        return []
    names = [environment] if environment else list(load_config(config).environments)
    return [wiring.choose(name, file=config) for name in names]


def credentials(username: str) -> Credentials:
    """The password from standard input without its line end, or from a prompt on a terminal."""
    from tidegate.upkeep.logins import Credentials

    if sys.stdin.isatty():
        from getpass import getpass

        password = getpass("Password or token: ")
    else:
        password = sys.stdin.read().rstrip("\r\n")
    if not password or "\n" in password:
        raise InputError(
            "there is no password on standard input" if not password else "one line is wanted",
            code="usage",
            hint="tidegate registry login ghcr.io --username me < token.txt",
        )
    return Credentials(username, password)


def conclude(
    name: str,
    words: str,
    done: Mapping[str, Mapping[str, object]],
    lost: Mapping[str, TidegateError],
    *,
    json: bool,
) -> None:
    """Say where it was done; raises the first error, after all that went well."""
    if json:
        changed = [place for place, told in done.items() if told["changed"]]
        data = {"registry": name, "done": list(done), "changed": changed, "lost": sorted(lost)}
        print_json("registry", data)
    else:
        for place in done:
            say(f"{place}: {words} {name}")
    for problem in lost.values():
        raise problem
