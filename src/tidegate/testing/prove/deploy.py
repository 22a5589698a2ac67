"""``prove deploy``: deployments under load, and no client notices any of them.

HTTP over kept and new connections, requests of 2 s, websockets, a TCP echo, rows, and calls
between services. No answer may ever come from a copy that was not yet verified.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tidegate.testing.prove.controller import Outcome
from tidegate.testing.prove.progress import Progress
from tidegate.testing.prove.site import Site

PREPARED = "phase switch begin"  # every new copy is verified before this event
TWO_COPIES = ("web", "api", "chat", "echo")


def prove(seed: int, name: str, deployments: int) -> tuple[list[Any], dict[str, Any]]:
    """Run it; the violations and the figures."""
    progress = Progress("deploy")
    site = Site.up(name)
    try:
        site.next_version()
        progress.say(f"the first deployment, on {site.server.address}")
        outcomes = [site.deploy()]
        if outcomes[0].code != 0:
            raise RuntimeError(f"the first deployment fails:\n{outcomes[0].stderr}")
        with site.load("deploy", seed) as load:
            time.sleep(3)
            for number in range(1, deployments + 1):
                site.next_version()
                outcomes.append(site.deploy())
                progress.step(number, deployments, line(outcomes[-1], load.latest))
                if number == (deployments + 1) // 2:
                    outcomes.append(unhealthy(site))
                    progress.say(f"one that is never healthy: {line(outcomes[-1], load.latest)}")
            time.sleep(3)
            report = load.stop()
        return violations(site, outcomes, report), figures(outcomes, report)
    finally:
        site.close()


def unhealthy(site: Site) -> Outcome:
    """A version that answers everybody and is never healthy: nobody may ever be answered by it."""
    good = site.project.git("rev-parse", "HEAD")
    site.number += 1
    site.project.mistake("never healthy", str(site.number))
    outcome = site.deploy()
    site.project.revert(good)
    return outcome


def line(outcome: Outcome, latest: Mapping[str, Any]) -> str:
    """One deployment for the person who waits."""
    ended = "ok" if outcome.code == 0 else f"exit {outcome.code}: {outcome.last_words}"
    last = f" ({latest['last']})" if "last" in latest else ""
    return (
        f"{ended} in {outcome.seconds:.1f} s; {latest['requests']} requests,"
        f" {latest['failed']} failed{last}"
    )


def violations(site: Site, outcomes: list[Outcome], report: Mapping[str, Any]) -> list[Any]:
    """Failed deployments and requests, answers from unverified copies, lost rows, leftovers."""
    bad = 2 + (len(outcomes) - 1) // 2  # see `prove`: after the first and half of the others
    found: list[Any] = [
        {"version": str(number), "exit": outcome.code, "stderr": outcome.last_words}
        for number, outcome in enumerate(outcomes, 1)
        if outcome.code != (1 if number == bad else 0)
    ]
    found.extend(report["failures"])
    found.extend(unverified(outcomes, report["seen"]))
    found.extend(strangers(site.get("/version"), site.number))
    found.extend(site.violations(report["acknowledged"]))
    return found


def unverified(outcomes: Sequence[Outcome], seen: Sequence[Mapping[str, Any]]) -> list[str]:
    """Versions that answered before all copies of theirs were verified."""
    return [
        f"{sight['service']} {sight['version']} answered {prepared - sight['first']:.3f} s before"
        " it was verified (inf: it never was)"
        for sight in seen
        if sight["version"].isdigit() and 0 < int(sight["version"]) <= len(outcomes)
        for prepared in [outcomes[int(sight["version"]) - 1].first(PREPARED) or math.inf]
        if sight["first"] < prepared
    ]


def strangers(who: Mapping[str, Any], version: int) -> list[str]:
    """A new copy of web must have reached the new copy of api, before and after the switch."""
    called = who.get("first_called")
    if called == str(version):
        return []
    return [f"the new web {version} called api {called} when it was new"]


def figures(outcomes: list[Outcome], report: Mapping[str, Any]) -> dict[str, Any]:
    """Counts and times."""
    seconds = sorted(outcome.seconds for outcome in outcomes[1:] if outcome.code == 0)
    kinds = Counter(failure["kind"] for failure in report["failures"])
    return {
        "deployments": len(seconds),
        "requests": report["requests"],
        "failed": report["failed"],
        "requests_by_kind": report["counts"],
        "failed_by_kind": dict(kinds),
        "latency_ms": report["latency_ms"],
        "deployment_s": {
            "median": round(seconds[len(seconds) // 2], 2),
            "max": round(seconds[-1], 2),
        },
        "internal_calls": sum(call["count"] for call in report["calls"]),
        "calls_across_versions": [
            call for call in report["calls"] if call["caller"][4:] != call["called"][4:]
        ],
        "rows_acknowledged": len(report["acknowledged"]),
    }
