"""``tidegate approve`` and ``reject``: a person's signed word on a release that waits."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tidegate.cli.output import print_json, say
from tidegate.errors import InputError

if TYPE_CHECKING:
    from tidegate.edges.person import Person
    from tidegate.pipeline.fleet import Fleet


def approve(
    environment: str = "",
    release: str = "",
    /,
    *,
    key: str = "",
    reason: str = "",
    config: str = "tidegate.yaml",
    json: bool = False,
) -> None:
    """Show what a waiting release would change, and approve just that with your SSH key.

    A release waits after `tidegate run` or `deploy` has ended with exit code 5. The approval is for
    this release, this plan and this environment: when what runs changes, a new one is needed.
    Example: tidegate approve production

    Args:
        environment: Its name; may be left out where there is only one.
        release: The beginning of its version or digest; without it the newest that waits.
        key: Your SSH key's file; else the first of yours that is among the people.
        reason: What you have looked at, for the history.
        config: The configuration file.
        json: Answer as JSON.
    """
    _say("approved", environment, release, key, reason, config, json=json)


def reject(
    environment: str = "",
    release: str = "",
    /,
    *,
    key: str = "",
    reason: str = "",
    config: str = "tidegate.yaml",
    json: bool = False,
) -> None:
    """Refuse a waiting release with your SSH key: it cannot be deployed by this plan any more.

    Example: tidegate reject production --reason "the migration locks the orders"

    Args:
        environment: Its name; may be left out where there is only one.
        release: The beginning of its version or digest; without it the newest that waits.
        key: Your SSH key's file; else the first of yours that is among the people.
        reason: Why; whoever is refused reads it.
        config: The configuration file.
        json: Answer as JSON.
    """
    _say("rejected", environment, release, key, reason, config, json=json)


def _say(
    verdict: str, environment: str, release: str, key: str, reason: str, config: str, *, json: bool
) -> None:
    """Plan the waiting release against what runs now, sign both digests, record it."""
    from tidegate import app
    from tidegate.cli.plan import text
    from tidegate.cli.progress import Progress
    from tidegate.edges.person import person
    from tidegate.pipeline import gating
    from tidegate.plan import plan_fleet
    from tidegate.release.manifest import release_digest

    target = app.choose(environment, file=config)
    name = target.environment.name
    who = person(target.config.people, key)
    fleet = app.attach(target, Progress(quiet=True), full=True)
    waiting = gating.proposal(fleet, name, release)["release"]
    _same_hosts(waiting, list(fleet.by_host))
    plan = plan_fleet(waiting, fleet.by_host)
    if not json:
        say(f"{text(plan)}\n")
        _confirm(verdict, name, plan.version)
    record = {"release": release_digest(waiting), "plan": plan.digest, "verdict": verdict}
    recorded = _record(fleet, target.instance, name, record, who, reason)
    missing = gating.missing(fleet, waiting, plan.digest)
    fleet.close()
    facts = {"environment": name, **record, "version": plan.version, "person": recorded["person"]}
    if json:
        print_json("decision", {**facts, "missing": missing, "plan_facts": plan.as_dict()})
        return
    say(f"{plan.version} is {verdict} for {name} by {recorded['person']}")
    if verdict == "approved":
        told = "; ".join(missing)
        say(f"still missing: {told}" if missing else f"now: {following(name, plan.version)}")


def following(environment: str, version: str) -> str:
    """What deploys just this release, whatever is checked out by then."""
    commit = "" if version.endswith("+") else version
    return f"tidegate deploy {environment} {commit}".rstrip()


def _same_hosts(release: Mapping[str, Any], hosts: list[str]) -> None:
    """The plan is for the release's hosts: this folder must mean the same ones."""
    theirs = sorted(release.get("hosts") or hosts[:1])
    if theirs != sorted(hosts):
        raise InputError(
            f"the release is for {', '.join(theirs)}, and here are {', '.join(sorted(hosts))}",
            code="other-hosts",
            hint="git pull: the configuration here is not the release's",
        )


def _confirm(verdict: str, environment: str, version: str) -> None:
    """On a terminal nobody signs unasked."""
    if not sys.stdin.isatty():
        return
    sys.stderr.write(f"Is {version} {verdict} for {environment}? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise InputError("not confirmed, so nothing was signed", code="not-confirmed")


def _record(
    fleet: Fleet, instance: str, environment: str, record: dict[str, str], who: Person, reason: str
) -> Any:
    from tidegate.edges.signing import owner
    from tidegate.host.approvals import NAMESPACE, statement
    from tidegate.pipeline.fleet import OBSERVE_S
    from tidegate.pipeline.witness import in_office

    signature = who.sign(statement(instance, environment, record), NAMESPACE)
    args = {**record, "signature": signature, "owner": owner(), "reason": reason}
    return in_office(fleet).call("approve", args, timeout_s=OBSERVE_S)
