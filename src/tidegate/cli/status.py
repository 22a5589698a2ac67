"""``tidegate status``: what runs, since when, and whether it is what should."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tidegate.cli.output import print_json, say, table


def status(environment: str = "", /, *, config: str = "tidegate.yaml", json: bool = False) -> None:
    """Show what runs in an environment, held against its release.

    Example: tidegate status production

    Args:
        environment: Its name; may be left out where there is only one.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate import app
    from tidegate.cli.progress import Progress

    target = app.choose(environment, file=config)
    fleet = app.attach(target, Progress(quiet=True))
    fleet.close()
    hosts = {agent.name: seen for agent, seen in zip(fleet.agents, fleet.observed, strict=True)}
    if json:
        print_json("status", {"environment": target.environment.name, "hosts": hosts})
        return
    say("\n\n".join(text(target.environment.name, name, seen) for name, seen in hosts.items()))


def text(environment: str, host: str, seen: Mapping[str, Any]) -> str:
    """One host's observation for people."""
    lines = [f"{environment} on {host}: {seen.get('deployment') or 'nothing deployed yet'}"]
    services = seen.get("services") or {}
    if services:
        heads = ("service", "state", "health", "slot", "image", "since")
        lines += ["", table(heads, [_row(name, entry) for name, entry in services.items()])]
    opened = seen.get("open")
    if opened:
        told = f"{opened['deployment']} is {opened['state']}, by {opened['owner']}"
        lines += ["", f"open: {told} since {opened['since']}"]
    lines += _gates(environment, seen)
    drift = seen.get("drift") or ()
    lines += [""] if drift else []
    lines += [f"drift: {item['subject']}: {item['detail']}" for item in drift]
    earlier = [entry for entry in seen.get("generations") or () if not entry["current"]]
    kept = ", ".join(str(entry["n"]) for entry in earlier)
    lines += ["", f"kept for rollback: {kept}"] if kept else []
    return "\n".join(lines)


def _gates(environment: str, seen: Mapping[str, Any]) -> list[str]:
    """The hold in force, the release that waits and what tests said, as the witness has them."""
    from tidegate.host.holds import words

    hold, waiting, verified = seen.get("hold"), seen.get("waiting"), seen.get("verified")
    lines = ["", f"hold: {words(environment, hold)}"] if hold else []
    if waiting:
        short = waiting["release"].removeprefix("sha256:")[:12]
        told = f"{waiting['version']} ({short}), proposed by {waiting['owner']}"
        lines += ["", f"waiting for people: {told} at {waiting['at']}"]
    if verified:
        reason = f": {verified['reason']}" if verified["reason"] else ""
        told = f"{verified['suite']} {verified['verdict']} at {verified['at']}{reason}"
        lines += ["", f"tests: {told}"]
    return lines


def _row(name: str, entry: Mapping[str, Any]) -> tuple[str, ...]:
    image = str(entry.get("image", ""))
    repository, _, digest = image.partition("@sha256:")
    restarts = int(entry.get("restarts") or 0)
    since = re.sub(r"^[A-Z][a-z]{2} ", "", str(entry.get("since", "")))  # systemd's day of the week
    return (
        name,
        str(entry.get("state", "")) + (f", {restarts} restarts" if restarts else ""),
        str(entry.get("health", "")),
        str(entry.get("slot") or "-"),
        f"{repository.rpartition('/')[2]}@{digest[:12]}",
        f"next {entry['next'] or 'never'}" if "next" in entry else since,
    )
