"""``tidegate deploy``: this folder's release to an environment, and back by itself if it is bad."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidegate.cli.output import print_json, progress, say

if TYPE_CHECKING:
    from tidegate.app import Survey
    from tidegate.cli.progress import Progress
    from tidegate.errors import TidegateError
    from tidegate.pipeline.runner import Report
    from tidegate.plan import FleetPlan


def deploy(
    environment: str = "",
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
        dry_run: Show the plan and stop.
        reason: Why, for the history.
        variable: NAME=VALUE, stronger than all other variables; may be repeated.
        pull: Ask registries again what each tag means now.
        allow_stateful: Let the image of a service that keeps data change.
        events: Append every event to this file, as lines of JSON.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate import app
    from tidegate.cli.plan import variables
    from tidegate.cli.progress import Progress

    live = Progress(events=events, quiet=json)
    wish = app.Wish(reason=reason, allow_stateful=allow_stateful)
    report = None
    try:
        target = app.choose(environment, variables(variable), config)
        live.several = len(target.environment.hosts) > 1
        found = app.survey(target, live, refresh=pull)
        if not dry_run and not found.nothing_to_do:
            report = app.deploy(target, found, wish, live)
        found.fleet.close()
    finally:
        live.close()
    if report is not None:
        plan, serving = found.plan, str(found.fleet.seen.get("deployment") or "")
        conclude(report, plan.version, live, json=json, plan=plan, serving=serving)
    else:
        unchanged(found, live, dry_run=dry_run, json=json)


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
            _tell_what_was_put_back(report, live, serving)
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
        raise _unfinished(report)


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


def _tell_what_was_put_back(report: Report, live: Progress, serving: str) -> None:
    from tidegate.pipeline.states import Phase

    if report.end is Phase.REVERTED and report.deployment:
        back = report.collected(Phase.UNDO, "reverted")
        stopped = report.collected(Phase.UNDO, "stopped")
        progress(f"{report.deployment} was put back ({live.total_s():.1f} s: {live.summary()})")
        if stopped:
            progress(f"  stopped: {', '.join(map(str, stopped))}")
        if back:
            progress(f"  started again: {', '.join(map(str, back))}")
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
