"""``tidegate init``: writes tidegate.yaml from the compose file that is here, and asks nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tidegate.cli import presets
from tidegate.cli.output import print_json, say
from tidegate.compose.document import read
from tidegate.compose.files import Allowance, Source
from tidegate.compose.folders import COMPOSE_FILES
from tidegate.config import find_compose_files, find_layout, read_config
from tidegate.config.load import FILE, default_project
from tidegate.config.unreadable import unreadable
from tidegate.errors import InputError

EXAMPLE_HOST = "deploy@203.0.113.10"  # an address for documentation: RFC 5737
_PLAIN = re.compile(r"[a-z][a-z0-9_.@-]*")
_WORDS = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")


@dataclass(frozen=True, slots=True)
class Found:
    """What is here: the compose files, the project's name, its services."""

    files: tuple[str, ...]
    project: str
    services: tuple[str, ...]


def init(
    *,
    host: list[str] | None = None,
    environment: str = "production",
    preset: str = "",
    project: str = "",
    json: bool = False,
) -> None:
    """Write tidegate.yaml for the compose file here, or those in applications/ and services/.

    It never overwrites one. Example: tidegate init --host deploy@203.0.113.10

    Args:
        host: How ssh reaches the server, as user@address; of a preset, one for each environment.
        environment: The name of the first environment.
        preset: `stages` is the only one: development, then staging and production by approval.
        project: The project's name; without it that of the compose file or the directory.
        json: Answer as JSON.
    """
    root = Path.cwd()
    found = look(root, project)
    names, hosts = presets.stages(preset) if preset else (environment,), host or []
    text = content(root, found, preset, names, hosts)
    check(text, root)
    try:
        with (root / FILE).open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(
            f"there is a {FILE} already",
            code="config-exists",
            hint=f"edit it, or remove it first: rm {FILE}",
        ) from None
    following = next_commands(names[0], hosts[0] if hosts else EXAMPLE_HOST)
    following += ["tidegate run                          # to the next gate"] if preset else []
    if json:
        data = {"file": FILE, "project": found.project, "services": list(found.services)}
        print_json("init", {**data, "compose": list(found.files), "next": following})
        return
    say(f"wrote {FILE}, from {sources(found.files)}: {', '.join(found.services)}")
    say()
    say("\n".join(f"    {line}" for line in text.splitlines()))
    say()
    if len(hosts) < len(names):
        say(f"Put your server's address in the place of {EXAMPLE_HOST}. Then:")
    else:
        say("Next:")
    for line in following:
        say(f"    {line}")


def check(text: str, root: Path) -> None:
    """What a file written by hand must be, the new one must be, too; it has no lines yet."""
    try:
        read_config(text, FILE, root=str(root))
    except InputError as error:
        error.where = None
        raise


def content(
    root: Path, found: Found, preset: str, names: Sequence[str], hosts: Sequence[str]
) -> str:
    """The text of the file, with a host for each environment."""
    if not all(hosts):
        raise InputError("--host is empty", code="usage", hint=f"as in --host {EXAMPLE_HOST}")
    if len(hosts) > len(names):
        raise InputError(
            f"{len(hosts)} hosts were given for {' and '.join(names)}",
            code="usage",
            hint="one --host for each environment, in their order; add more in tidegate.yaml",
        )
    if preset:
        return head(found) + presets.environments(root, hosts)
    return configuration(found, names[0], hosts[0] if hosts else EXAMPLE_HOST)


def look(root: Path, project: str) -> Found:
    """What is in a directory; without a compose file an ``InputError``."""
    files = find_compose_files(root) or find_layout(root).files
    if not files:
        raise InputError(
            "there is no compose file here",
            code="compose-missing",
            hint=f"looked for {', '.join(COMPOSE_FILES)}, also in applications/* and services/*",
        )
    named = ""
    services: list[str] = []
    for name in files:
        try:
            source = Source(name, (root / name).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise unreadable(name, error, code="compose-file") from None
        for document in read(source, Allowance()):
            node = document.root.get("name")
            named = node.text() if node else named
            body = document.root.get("services")
            services += [key for key in (body.children() if body else {}) if key not in services]
    if "$" in named:
        named = ""
    return Found(files, project or named or default_project(str(root)), tuple(services))


def sources(files: tuple[str, ...]) -> str:
    """The compose files as people say it; many of them by their number."""
    if len(files) <= 2:
        return " and ".join(files)
    folders = " and ".join(dict.fromkeys(f"{file.partition('/')[0]}/" for file in files))
    return f"{len(files)} compose files in {folders}"


def configuration(found: Found, environment: str, host: str) -> str:
    """The text of a tidegate.yaml: all that one compose file and one server need."""
    return (
        f"{head(found)}"
        "environments:\n"
        f"  {quoted(environment)}:\n"
        f"    hosts: {{web-1: {{ssh: {quoted(host)}}}}}\n"
    )


def head(found: Found) -> str:
    """What every file begins with."""
    return f"version: 1\nproject: {quoted(found.project)}\n"


def quoted(word: str) -> str:
    """A word as YAML text, quoted where it would be something else."""
    return word if _PLAIN.fullmatch(word) and word not in _WORDS else f'"{word}"'


def next_commands(environment: str, host: str) -> list[str]:
    """What to type next."""
    address = host.rpartition("@")[2]
    return [
        f"tidegate host bootstrap {environment} --root-ssh root@{address}   # a bare server",
        "tidegate doctor                       # what is missing, and the command that mends it",
        f"tidegate deploy {environment}",
    ]
