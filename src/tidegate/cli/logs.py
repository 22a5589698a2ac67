"""``tidegate logs``: the output of services, from the journals of all hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from tidegate.cli.misuse import within
from tidegate.errors import InfrastructureError, InputError, TidegateError

if TYPE_CHECKING:
    from tidegate.upkeep.hosts import Reach
    from tidegate.upkeep.logs import Wish


def logs(
    *services: str,
    follow: Annotated[bool, Parameter(alias="-f")] = False,
    lines: Annotated[int, Parameter(alias="-n"), within(0)] = 100,
    since: str = "",
    host: str = "",
    environment: str = "",
    config: str = "tidegate.yaml",
    json: bool = False,
) -> None:
    """Show what the serving copies of services wrote, on all hosts, in the order of time.

    Example: tidegate logs web worker -f

    Args:
        services: Their names in the compose file; all without one.
        follow: Go on until Ctrl-C.
        lines: How many of the last lines of each host.
        since: How far back, such as `10m` or `2h`.
        host: Of this host only.
        environment: Its name; may be left out where there is only one.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate import app
    from tidegate.cli.progress import Progress
    from tidegate.upkeep.hosts import reach
    from tidegate.upkeep.logs import Wish

    if json and follow:
        raise InputError("--json needs an end", code="usage", hint="leave --follow out")
    wish = Wish(services, lines, _ago_s(since), follow)
    found = reach(app.choose(environment, file=config), Progress(quiet=True), host)
    lost = _show(found, wish, json=json)
    if lost:
        raise InfrastructureError(
            f"not all was seen: {', '.join(lost)} did not answer",
            code="hosts-lost",
            hint="tidegate doctor says what is wrong with a host",
        )


def _show(found: Reach, wish: Wish, *, json: bool) -> list[str]:
    """Print entries; the names of the hosts that did not answer to the end."""
    from tidegate.cli.output import print_json, progress, say
    from tidegate.upkeep import logs as journal

    lost: list[str] = []

    def broken(name: str, problem: TidegateError) -> None:
        lost.append(name)
        progress(f"{name}: {problem.message}")

    for name, problem in found.lost.items():
        broken(name, problem)
    told = journal.entries(found, wish, broken)
    if json:
        entries = [entry.as_dict() for entry in told]
        place = found.target.environment.name
        print_json("logs", {"environment": place, "entries": entries, "lost": sorted(lost)})
        return lost
    columns = journal.widths(found)
    for entry in told:
        say(journal.shown(entry, columns))
    return lost


def _ago_s(text: str) -> float:
    from tidegate.config.fields import seconds

    found = seconds(text) if text else 0.0
    if found is None:
        raise InputError(f"--since {text} is no duration", code="usage", hint="30s, 10m, 2h or 1d")
    return found
