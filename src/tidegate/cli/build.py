"""``tidegate build``: the images of applications, tested, and published where they are wanted."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

from tidegate.cli.misuse import within
from tidegate.cli.output import print_json, say, table

if TYPE_CHECKING:
    from tidegate.pipeline.bench import Result
    from tidegate.pipeline.build import Report

# Who builds a detached commit says so: GitHub Actions, GitLab.
BRANCH_VARIABLES = ("GITHUB_REF_NAME", "CI_COMMIT_REF_NAME")
SHORT = 19  # sha256: and twelve digits


def build(
    *applications: str,
    push: bool = False,
    branch: str = "",
    anew: bool = False,
    skip_tests: bool = False,
    jobs: Annotated[int | None, within(1, 256)] = None,
    config: str = "tidegate.yaml",
    json: bool = False,
) -> None:
    """Build the images of applications side by side, and run their tests in them.

    What did not change is not built again and keeps its digest. An image whose tests fail is
    neither used nor published. Example: tidegate build api web --push

    Args:
        applications: Which ones; all without any.
        push: Publish them in the registry, under the tags of this commit.
        branch: The branch to name images by; the one that is checked out, or the CI's.
        anew: Build and test what is known, too.
        skip_tests: Run no tests; the images stay candidates, which nobody publishes.
        jobs: How many at once; as many as there are processors.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate.cli.progress import Progress
    from tidegate.config import load_config
    from tidegate.errors import InputError
    from tidegate.pipeline import build as building
    from tidegate.pipeline.bench import Orders

    if push and skip_tests:
        raise InputError(
            "what was not tested is not published", code="usage", hint="leave out --skip-tests"
        )
    live = Progress(quiet=json)
    orders = Orders(anew=anew, tests=not skip_tests, push=push, jobs=jobs or 0)
    try:
        report = building.build(
            load_config(config), applications, orders, branch or branch_here(), live
        )
    finally:
        live.close()
    if json:
        print_json("build", data(report))
    else:
        say(text(report))
    _raise_first(report)


def branch_here() -> str:
    """The branch that a CI builds, which checks out a commit and no branch; "" elsewhere."""
    return next((os.environ[name] for name in BRANCH_VARIABLES if os.environ.get(name)), "")


def _raise_first(report: Report) -> None:
    """The error of what failed; of several the first, with how many there are."""
    failed = [result for result in report.results if result.error is not None]
    for result in failed:
        assert result.error is not None
        if len(failed) > 1:
            others = ", ".join(other.application.name for other in failed[1:])
            result.error.message += f" (and {others} failed, too)"
        raise result.error


def text(report: Report) -> str:
    """A table, where logs and reports are, and the time."""
    rows = [
        (
            result.application.name,
            result.action,
            result.reference.digest[:SHORT] if result.reference else "",
            _tests(result),
            "  ".join(f"{phase} {took:.1f} s" for phase, took in _long(result)),
        )
        for result in report.results
    ]
    lines = [table(("application", "image", "digest", "tests", "time"), rows), ""]
    lines += [
        f"logs of {result.application.name}: {result.folder}"
        for result in report.results
        if result.folder is not None and (result.error or result.action == "built")
    ]
    if report.tags:
        lines.append(f"tags: {', '.join(report.tags)}")
    count = len(report.results)
    many = f"{count} application{'' if count == 1 else 's'}"
    lines.append(f"{many} in {report.total_s:.1f} s, {report.jobs} at once")
    return "\n".join(lines)


def _long(result: Result) -> list[tuple[str, float]]:
    """The phases that took any time: to look whether something is known takes none."""
    return [(phase, took) for phase, took in result.seconds.items() if took >= 0.05]


def _tests(result: Result) -> str:
    if result.counts is None:
        return result.tests
    bad = result.counts.failures + result.counts.errors
    return f"{bad} of {result.counts.tests} failed" if bad else f"{result.counts.tests} passed"


def data(report: Report) -> dict[str, Any]:
    """All of it; seconds are of the wall clock."""
    return {
        "commit": report.commit.oid or None,
        "version": report.revision.version,
        "changed": list(report.revision.changed),
        "tags": list(report.tags),
        "applications": [_application(result) for result in report.results],
        "jobs": report.jobs,
        "work_s": round(report.work_s, 3),
        "total_s": round(report.total_s, 3),
    }


def _application(result: Result) -> dict[str, Any]:
    counts = result.counts
    return {
        "name": result.application.name,
        "kind": result.application.kind,
        "action": result.action,
        "key": result.key or None,
        "image": result.reference.pinned if result.reference else None,
        "digest": result.reference.digest if result.reference else None,
        "bytes": result.size,
        "published": result.pushed,
        "tests": {
            "state": result.tests,
            "counts": {key: getattr(counts, key) for key in counts.__match_args__}
            if counts
            else None,
        },
        "seconds": {phase: round(seconds, 3) for phase, seconds in result.seconds.items()},
        "reports": str(result.folder) if result.folder else None,
        "error": result.error.as_dict() if result.error else None,
    }
