"""``tidegate e2e``: do the applications of an environment work together, as it is now?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidegate.cli.output import print_json, progress, say, table

if TYPE_CHECKING:
    from tidegate.app import Target
    from tidegate.cli.progress import Progress
    from tidegate.errors import TidegateError
    from tidegate.pipeline.fleet import Fleet
    from tidegate.pipeline.verifying import Verified


def e2e(
    environment: str = "",
    /,
    *applications: str,
    timeout: str = "30m",
    logs: str = "",
    rollback: bool = False,
    config: str = "tidegate.yaml",
    json: bool = False,
) -> int:
    """See that every service is reached, and run each application's entrypoint_e2e.sh.

    It runs once, in a container of its own, from the image that is deployed, with the service's
    environment, secrets and networks. Nothing is deployed meanwhile. The audit log keeps the
    verdict, and a promotion needs a good one where the environment says `verify: [e2e]`.
    Exit code 1 where tests fail, 4 where they could not be run. Example: tidegate e2e staging

    Args:
        environment: Its name; may be left out where there is only one.
        applications: Only these services.
        timeout: How long each application's tests may take, as in 90s or 30m.
        logs: A folder that gets the output of each application as NAME.log.
        rollback: Go back to the release before, if the tests fail.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate import app
    from tidegate.cli.progress import Progress

    limit_s, logs, live = seconds(timeout), folder_of(logs), Progress(quiet=json)
    live.several = True
    try:
        target = app.choose(environment, file=config)
        name = target.environment.name
        fleet = app.attach(target, live, full=True)
        release = serving(fleet, name)
        with app.phase(live, "verify"):
            found = _verify(name, fleet, release, applications, limit_s)
        back = _back(target, fleet, live, found.reason) if rollback and found.error else ""
        fleet.close()
    finally:
        live.close()
    keep(logs, found.results)
    if json:
        data = {"environment": name, "version": release["version"], "verdict": found.verdict}
        print_json("e2e", {**data, "results": list(found.results), "rolledback_to": back})
        return found.error.exit_code if found.error else 0
    _say(found.results, found.error)
    say(f"{release['version']} in {name}: {passing(found.results)}")
    return 0


def _verify(
    environment: str,
    fleet: Fleet,
    release: Mapping[str, Any],
    applications: Sequence[str],
    limit_s: float,
) -> Verified:
    from tidegate.pipeline import verifying

    hosts = list(fleet.by_host)
    asked = verifying.suite(release, hosts, applications, timeout_s=limit_s)
    return verifying.verify(environment, fleet, asked)


def passing(results: Sequence[Mapping[str, Any]]) -> str:
    """What a good verdict means."""
    told = "the tests pass" if results else "there are no tests"
    return f"every service is reached, and {told}"


def seconds(text: str) -> float:
    """A duration as in tidegate.yaml; an ``InputError`` for anything else."""
    from tidegate.compose.nodes import Node
    from tidegate.config.fields import duration
    from tidegate.errors import InputError

    at = ("--timeout", 0, 0)
    found = duration(Node(text, at, at))
    if not found:
        raise InputError("tests need some time", code="usage", hint="as in --timeout 30m")
    return found


def serving(fleet: Fleet, environment: str) -> Mapping[str, Any]:
    """The release that serves; ``InputError`` where nothing does."""
    from tidegate.errors import InputError

    release: Mapping[str, Any] | None = fleet.seen.get("release")
    if release is None:
        raise InputError(
            f"nothing serves in {environment}",
            code="nothing-here",
            hint=f"tidegate deploy {environment}",
        )
    return release


def _back(target: Target, fleet: Fleet, live: Progress, reason: str) -> str:
    """Deploy the release before again, and say which that is."""
    from tidegate import app

    wish = app.Wish(reason=f"e2e: {reason}", generation=app.previous(fleet.seen))
    report = app.rollback(target, fleet, wish, live)
    if report.error is not None:
        raise report.error
    return f"{target.environment.name}/{wish.generation}"


def folder_of(logs: str) -> str:
    """A folder that is there or can be made; ``InputError`` where a file is in its place."""
    from tidegate.errors import InputError

    path = Path(logs)
    if logs and not all(place.is_dir() or not place.exists() for place in (path, *path.parents)):
        raise InputError(
            f"--logs {logs} is a file", code="usage", hint="name a folder, as in --logs reports"
        )
    return logs


def keep(folder: str, results: Sequence[Mapping[str, Any]]) -> None:
    """The output of each application as a file, where a folder is wanted."""
    for result in results if folder else ():
        Path(folder).mkdir(parents=True, exist_ok=True)
        text = "".join(f"{line}\n" for line in result["log"])
        Path(folder, f"{result['service']}.log").write_text(text, encoding="utf-8")


def _say(results: Sequence[Mapping[str, Any]], error: TidegateError | None) -> None:
    rows = [(r["service"], r["host"], r["verdict"], f"{r['seconds']:.1f} s") for r in results]
    if rows:
        show = progress if error else say
        show(table(("application", "on", "verdict", "took"), rows))
    if error is not None:
        raise error
