"""Carries messages to people, in a process of its own that outlives the command, and tries again.

``python -m tidegate.edges.courier`` reads ``{"letters": [{"to", "title", "body"}]}`` from stdin:
an address may be a secret, so it is in no argv and in no file. What cannot be delivered is noted
without its address, and told by the next deployment. Addresses are those of apprise
(https://github.com/caronc/apprise/wiki); any other https URL gets JSON by POST.
"""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tidegate.edges.private_dir import cache_dir

# Pauses before each attempt: what is down for some minutes is waited for.
PAUSES_S = (0.0, 2.0, 5.0, 15.0, 60.0, 120.0, 240.0)
# How long a command waits for its messages to be out; most are in less than a second.
PATIENCE_S = 5.0
UNKNOWN = "no service is known that has such an address"
SECRET_LETTERS = 6  # a part of an address that is so long may be a secret
_PARTS = re.compile(r"[/:@?&=,]+")
_left: list[subprocess.Popen[bytes]] = []  # still at work when their command went on


@dataclass(frozen=True, slots=True)
class Letter:
    """A message and where it goes; ``name`` is how people know the address."""

    to: str
    title: str
    body: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """How it went: ``to`` is an address' kind and place, ``why`` empty where it arrived."""

    to: str
    why: str = ""


def dispatch(letters: Sequence[Letter], patience_s: float = PATIENCE_S) -> bool:
    """Hand letters to a courier; whether all were delivered before our patience ended."""
    argv = [sys.executable, "-m", "tidegate.edges.courier"]
    nothing = subprocess.DEVNULL
    process = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=nothing, stderr=nothing, start_new_session=True
    )
    _left.append(process)
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin:
        process.stdin.write(json.dumps({"letters": [asdict(one) for one in letters]}).encode())
    try:
        return process.wait(patience_s) == 0
    except subprocess.TimeoutExpired:
        return False


def deliver(letters: Sequence[Letter], pauses_s: Sequence[float] = PAUSES_S) -> list[Delivery]:
    """Send each, and again after each pause what did not arrive; those that never did, too."""
    waiting = dict(enumerate(letters))
    done: dict[int, Delivery] = {}
    for pause_s in pauses_s:
        time.sleep(pause_s)
        for number, letter in list(waiting.items()):
            done[number] = send(letter)
            if done[number].why in ("", UNKNOWN):
                del waiting[number]
        if not waiting:
            break
    return [done[number] for number in sorted(done)]


def understood(letter: Letter) -> bool:
    """Whether its address is of a service that is known."""
    import apprise

    plugin = apprise.Apprise.instantiate(address(letter.to), suppress_exceptions=True)
    return isinstance(plugin, apprise.NotifyBase)


def send(letter: Letter) -> Delivery:
    """One attempt."""
    import logging

    import apprise

    logging.getLogger("apprise").propagate = False  # it tells of addresses
    plugin = apprise.Apprise.instantiate(address(letter.to), suppress_exceptions=True)
    if not isinstance(plugin, apprise.NotifyBase):
        return Delivery(letter.name or "an address", UNKNOWN)
    name = letter.name or called(plugin)
    with apprise.LogCapture(level=logging.WARNING) as captured:  # type: ignore[no-untyped-call]
        arrived = plugin.notify(title=letter.title, body=letter.body)
        said = captured.getvalue().strip().splitlines()
    if arrived:
        return Delivery(name)
    return Delivery(name, masked(said[0] if said else "no answer", letter.to))


def address(to: str) -> str:
    """An address for apprise: a web address that it does not know as a service's takes JSON.

    Words of its query belong to the address; apprise would take them for its own settings.
    """
    import apprise

    parts = urlsplit(to)
    if parts.scheme not in ("http", "https") or apprise.Apprise.instantiate(to):
        return to
    query = urlencode([(f"-{key}", value) for key, value in parse_qsl(parts.query, True)])
    scheme = {"http": "json", "https": "jsons"}[parts.scheme]
    return parts._replace(scheme=scheme, query=query).geturl()


def called(plugin: Any) -> str:
    """What people call it: the service, with the host where that says more and hides nothing."""
    service = str(plugin.service_name)
    schemes = plugin.secure_protocol if plugin.secure_protocol else ()
    known = {schemes} if isinstance(schemes, str) else set(schemes)
    return f"{service} at {plugin.host}" if known & {"jsons", "mailtos"} else service


def masked(text: str, to: str) -> str:
    """What a service says, without any part of the address that may be a secret."""
    place = urlsplit(to)
    for part in sorted(_PARTS.split(to), key=len, reverse=True):
        if len(part) >= SECRET_LETTERS and part not in (place.hostname, place.scheme):
            text = text.replace(part, "***")
    return text


def undelivered() -> list[Mapping[str, str]]:
    """What couriers before could not deliver; each is told once."""
    try:
        note = _note()
        lines = note.read_text(encoding="utf-8").splitlines()
        note.unlink()
        return [json.loads(line) for line in lines]
    except (OSError, ValueError):
        return []


def _note() -> Path:
    return cache_dir("notify") / "undelivered.jsonl"


def main() -> int:
    """Deliver what stdin says; 1 where something was not delivered."""
    letters = [Letter(**one) for one in json.load(sys.stdin)["letters"]]
    lost = [(d, one) for d, one in zip(deliver(letters), letters, strict=True) if d.why]
    at = datetime.now(UTC).isoformat(timespec="seconds")
    for delivery, letter in lost:
        entry = {"at": at, "to": delivery.to, "title": letter.title, "why": delivery.why}
        with _note().open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
