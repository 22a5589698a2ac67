"""``tidegate deploy``: this folder's release to an environment, and back by itself if it is bad."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tidegate.cli.output import print_json, progress, say

if TYPE_CHECKING:
    from tidegate.app import Survey, Target, Wish
    from tidegate.cli.progress import Progress
    from tidegate.errors import TidegateError
    from tidegate.pipeline.runner import Report
    from tidegate.plan import FleetPlan


OWED = "contract-failed"  # an error that says itself how things stand


def deploy(
    environment: str = "",
    release: str = "",
    /,
    *,
    dry_run: bool = False,
    reason: str = "",
    variable: list[str] | None = None,
    pull: bool = False,
    allow_stateful: bool = False,
    events: str = "",
    config: str = "tidegate.yaml",
    json: bool = False,
) -> None:
    """Build what changed and deploy it, blue-green; a bad version is put back by itself.

    Without changes nothing is restarted. Ctrl-C puts everything back in order.
    Example: tidegate deploy production

    Args:
        environment: Its name; may be left out where there is only one.
        release: A commit, as version, tag or branch, or the first digits of the digest of a
            release that waits; without it the files that are here.
        dry_run: Show the plan and stop.
        reason: Why, for the history.
        variable: NAME=VALUE, stronger than all other variables; may be repeated.
        pull: Ask registries again what each tag means now.
        allow_stateful: Let the image of a service that keeps data change.
        events: Append every event to this file, as lines of JSON.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate import app, way
    from tidegate.cli.plan import variables
    from tidegate.cli.progress import Progress

    live = Progress(events=events, quiet=json)
    wish = app.Wish(reason=reason, allow_stateful=allow_stateful)
    try:
        with way.released(release, environment, variables(variable), config, live) as target:
            found = app.survey(target, live, refresh=pull)
            done = carry_out(target, found, wish, live, dry_run=dry_run)
    finally:
        live.close()
    done(json)


def carry_out(
    target: Target, found: Survey, wish: Wish, live: Progress, *, dry_run: bool
) -> Callable[[bool], None]:
    """Deploy what was surveyed, if there is anything to do; what is returned tells how it went.

    It takes whether JSON is wanted, and raises the error of what did not commit.
    """
    from tidegate import app

    live.several = len(target.environment.hosts) > 1
    report = None
    if not dry_run and not found.nothing_to_do:
        report = app.deploy(target, found, wish, live)
    found.fleet.close()

    def done(json: bool) -> None:
        if report is None:
            unchanged(found, live, dry_run=dry_run, json=json)
            return
        plan, serving = found.plan, str(found.fleet.seen.get("deployment") or "")
        conclude(report, plan.version, live, json=json, plan=plan, serving=serving)

    return done


def unchanged(found: Survey, live: Progress, *, dry_run: bool, json: bool) -> None:
    """Nothing was to be done, or nothing was asked but the plan."""
    from tidegate.cli.plan import text

    told = text(found.plan, secrets_changed=found.secrets_changed)
    if json:
        print_json("deployment", _nothing(found, live, dry_run=dry_run))
    else:
        say(told if dry_run else f"{told} ({live.total_s():.1f} s)")


def _nothing(found: Survey, live: Progress, *, dry_run: bool) -> dict[str, Any]:
    return {
        "outcome": "planned" if dry_run else "nothing",
        "deployment": found.fleet.seen.get("deployment") or "",
        "version": found.plan.version,
        "timings": live.timings(),
        "total_s": round(live.total_s(), 3),
        "plan": found.plan.as_dict(),
    }


def conclude(
    report: Report,
    version: str,
    live: Progress,
    *,
    json: bool,
    plan: FleetPlan | None = None,
    serving: str = "",
) -> None:
    """Say how a deployment ended; raises its error where it did not commit.

    ``serving`` is the deployment that served before it.
    """
    from tidegate.pipeline.states import Phase

    if plan is not None and not json:
        _warn(plan, committed=report.end is Phase.COMMITTED)
    for host in () if json else report.idle:
        progress(f"{host} was not there yet at that release, and runs nothing of it")
    if report.error is not None and report.end is not Phase.COMMITTED:
        if not json:
            tell_what_was_put_back(report, live, serving)
        raise report.error
    if json:
        print_json("deployment", _facts(report, version, live, plan))
    else:
        serves = f"{report.deployment} serves {version}".rstrip()
        say(f"{serves} ({live.total_s():.1f} s: {live.summary()})")
        if report.spread_ms:
            say(f"all hosts switched within {report.spread_ms:.0f} ms")
        outage = report.total(Phase.SWITCH, "outage_ms")
        recreated = report.collected(Phase.SWITCH, "recreated")
        if recreated:
            say(f"restarted in place: {', '.join(recreated)} ({outage / 1000:.1f} s)")
    if report.error is not None:
        raise report.error if report.error.code == OWED else _unfinished(report)


def _warn(plan: FleetPlan, *, committed: bool) -> None:
    """Say what was not as it should be, host by host: a deployment shows no plan."""
    for host, each in plan.plans.items():
        at = f"{host}: " if len(plan.plans) > 1 else ""
        for drift in each.mended:
            progress(f"{'mended' if committed else 'drift'}: {at}{drift.subject}: {drift.detail}")
        for stranger in each.strangers:
            progress(f"warning: {at}{stranger.subject}: {stranger.detail}")
    for item in plan.unenforced:
        progress(f"warning: {item.service}: {item.limit} is not enforced: {item.why}")


def _facts(report: Report, version: str, live: Progress, plan: FleetPlan | None) -> dict[str, Any]:
    from tidegate.pipeline.states import Phase

    return {
        "outcome": "committed",
        "deployment": report.deployment,
        "version": version,
        "started": report.collected(Phase.PREPARE, "started"),
        "switched": report.collected(Phase.SWITCH, "switched"),
        "recreated": report.collected(Phase.SWITCH, "recreated"),
        "stopped": report.collected(Phase.FINISH, "stopped"),
        "outage_ms": report.total(Phase.SWITCH, "outage_ms"),
        "spread_ms": report.spread_ms,
        "bytes_sent": report.bytes_sent,
        "timings": live.timings(),
        "total_s": round(live.total_s(), 3),
        "plan": plan.as_dict() if plan else None,
    }


def tell_what_was_put_back(report: Report, live: Progress, serving: str) -> None:
    """How a deployment went back; ``serving`` is what served before it, and does again."""
    from tidegate.pipeline.states import Phase

    if report.end is Phase.REVERTED and report.deployment:
        back = report.collected(Phase.UNDO, "reverted")
        stopped = report.collected(Phase.UNDO, "stopped")
        progress(f"{report.deployment} was put back ({live.total_s():.1f} s: {live.summary()})")
        if stopped:
            progress(f"  stopped: {', '.join(dict.fromkeys(map(str, stopped)))}")
        if back:
            progress(f"  started again: {', '.join(dict.fromkeys(map(str, back)))}")
        if serving:
            progress(f"  {serving} serves")
    elif report.end is Phase.LEFT:
        progress(f"{report.deployment} is out of reach; its host puts it back by itself")


def _unfinished(report: Report) -> TidegateError:
    from tidegate.errors import InfrastructureError

    assert report.error is not None
    return InfrastructureError(
        f"{report.deployment} is decided and serves, but was not tidied up: {report.error.message}",
        code="unfinished",
        hint="the host goes on by itself; tidegate status says how far it is",
    )
