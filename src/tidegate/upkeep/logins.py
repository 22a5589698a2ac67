"""Logins to registries: on this machine, and on hosts as the user that deploys there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tidegate.app import Target
from tidegate.edges import frames
from tidegate.edges.agent_install import ATTACH
from tidegate.edges.process import Command
from tidegate.errors import InputError, TidegateError
from tidegate.host import logins
from tidegate.host.errors import HostError
from tidegate.model.config import Host
from tidegate.pipeline.fleet import ssh
from tidegate.ports import Reporter
from tidegate.upkeep.hosts import each, reach

HERE = "this machine"
_REGISTRY = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?(/[a-z0-9._/-]+)?")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A name and a password, which is shown to nobody."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Place:
    """Where credentials are kept: a host of a target, or this machine."""

    name: str
    host: Host | None = None
    target: Target | None = None


def registry(name: str) -> str:
    """A registry's name as Podman keeps it; ``InputError`` for what is none."""
    plain = name.removeprefix("https://").rstrip("/")
    if not _REGISTRY.fullmatch(plain) or "//" in plain:
        raise InputError(
            f"{name!r} is no registry",
            code="usage",
            hint="as in ghcr.io, docker.io or registry.example.com:5000",
        )
    return plain


def places(targets: Sequence[Target], *, here: bool) -> list[Place]:
    """This machine and every host of the targets, each once."""
    found = {"": Place(HERE)}
    if not here:
        for target in targets:
            for name, host in target.environment.hosts.items():
                shown = f"{target.environment.name}/{name}" if len(targets) > 1 else name
                found.setdefault(host.destination, Place(shown, host, target))
    return list(found.values())


def everywhere(
    where: Sequence[Place], work: Callable[[Place], Mapping[str, object]]
) -> tuple[dict[str, Mapping[str, object]], dict[str, TidegateError]]:
    """Do it in all places at once: the answers and the errors, by the place's name."""
    return each({place.name: place for place in where}, work)


def login(place: Place, name: str, given: Credentials, reporter: Reporter) -> Mapping[str, object]:
    """Try credentials from a place, and keep them there."""
    if place.host is None:
        return _here(lambda: logins.login(name, given.username, given.password))
    content = json.dumps({"username": given.username, "password": given.password})
    return _there(
        place, ("login", name), reporter, Command((), content.encode(), (given.password,))
    )


def logout(place: Place, name: str, reporter: Reporter) -> Mapping[str, object]:
    """Forget them; ``changed`` says whether there were any."""
    if place.host is None:
        return {"changed": logins.logout(name)}
    return _there(place, ("logout", name), reporter, Command(()))


def known(place: Place, reporter: Reporter) -> Mapping[str, object]:
    """Registry → who is logged in."""
    if place.host is None:
        return dict(logins.known())
    return _there(place, ("list",), reporter, Command(()))


def _here(work: Callable[[], None]) -> Mapping[str, object]:
    try:
        work()
    except HostError as problem:
        raise frames.error(HERE, {"error": problem.as_dict()}) from None
    return {"changed": True}


def _there(
    place: Place, words: tuple[str, ...], reporter: Reporter, given: Command
) -> Mapping[str, object]:
    """The host's own tool, brought up to date first; what is secret is on its standard input."""
    assert place.host is not None
    assert place.target is not None
    reach(place.target, reporter, place.host.name)
    argv = (ATTACH, "registry", "--project", place.target.instance, *words)
    done = ssh(place.host).run(Command(argv, given.stdin, given.redact), timeout_s=90.0)
    answer = frames.parse(done.stdout.strip(), place.name)
    if "refused" in answer:
        raise frames.error(place.name, {"error": answer["refused"]})
    return answer
