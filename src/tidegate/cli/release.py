"""``tidegate release``: from a commit to an immutable release; what releases are, and differ in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App

from tidegate.cli.misuse import within
from tidegate.cli.output import print_json, say, table
from tidegate.config import load_config
from tidegate.pipeline import releasing

if TYPE_CHECKING:
    from tidegate.pipeline.releasing import Compared, Released
    from tidegate.repo.releases import Entry

app = App(help="Make, show and compare releases. Example: tidegate release")
CONFIG = "tidegate.yaml"
SHORT = 19  # sha256: and twelve digits


@app.default
def release(
    *,
    remote: str = "",
    branch: str = "",
    jobs: Annotated[int | None, within(1, 256)] = None,
    older: bool = False,
    config: str = CONFIG,
    json: bool = False,
) -> None:
    """Make a release of the commit that is checked out, and put it on the branch releases.

    Builds and tests what is missing. The same commit gives the same release.
    Example: tidegate release

    Args:
        remote: Where the branch is; origin, or this repository alone where there is none.
        branch: The branch to name images by; the one that is checked out, or the CI's.
        jobs: How many builds at once; as many as there are processors.
        older: Release a commit that comes before the newest release's.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate.cli.build import branch_here
    from tidegate.cli.progress import Progress

    live = Progress(quiet=json)
    wish = releasing.Wish(remote, branch or branch_here(), jobs or 0, older)
    try:
        made = releasing.make(load_config(config), wish, live)
    finally:
        live.close()
    if json:
        print_json("release", {**_facts(made), "fresh": made.fresh})
        return
    what = "is released" if made.fresh else "was released before"
    say(f"{made.entry.commit[:7]} {what} as {made.entry.tag} ({made.entry.digest[:SHORT]})")


@app.command
def show(name: str = "", /, *, remote: str = "", config: str = CONFIG, json: bool = False) -> None:
    """Show a release: its commit, its images, who signed it.

    Example: tidegate release show 20261121-235959

    Args:
        name: A tag, or the beginning of a digest or commit; the newest without, ~1 the one before.
        remote: Where the branch is; origin, or this repository alone where there is none.
        config: The configuration file.
        json: Answer as JSON.
    """
    found = releasing.show(load_config(config), name, remote)
    if json:
        print_json("release", {**_facts(found), "fresh": False})
    else:
        say(text(found))


@app.command
def diff(
    before: str = "~1",
    after: str = "",
    /,
    *,
    remote: str = "",
    config: str = CONFIG,
    json: bool = False,
) -> None:
    """Say what a release has that another has not: images, and what commits changed.

    Example: tidegate release diff 20261120-180000 20261121-235959

    Args:
        before: A release, named as for show; the one before the newest.
        after: Another one; the newest.
        remote: Where the branch is; origin, or this repository alone where there is none.
        config: The configuration file.
        json: Answer as JSON.
    """
    found = releasing.compare(load_config(config), before, after, remote)
    if json:
        print_json("release-diff", _compared(found))
    else:
        say(compared_text(found))


@app.command(name="list")
def listed(*, remote: str = "", config: str = CONFIG, json: bool = False) -> None:
    """List all releases, the newest first.

    Example: tidegate release list

    Args:
        remote: Where the branch is; origin, or this repository alone where there is none.
        config: The configuration file.
        json: Answer as JSON.
    """
    found = releasing.history(load_config(config), remote)
    if json:
        print_json("releases", {"releases": [_entry(entry) for entry in found]})
    else:
        rows = [(entry.tag, entry.commit[:7], entry.digest[:SHORT]) for entry in found]
        say(table(("release", "commit", "digest"), rows))


def text(found: Released) -> str:
    """A release for people."""
    entry, made = found.entry, found.contents
    services = [
        (name, one["application"] or one["tag"], one["ref"].rpartition("@")[2][:SHORT])
        for name, one in made["services"].items()
    ]
    idle = {one["application"] for one in made["services"].values()}
    services += [
        ("", name, one["ref"].rpartition("@")[2][:SHORT])
        for name, one in made["applications"].items()
        if name not in idle
    ]
    return "\n".join(
        [
            f"release {entry.tag} of {made['project']}",
            f"digest  {entry.digest}",
            f"commit  {entry.commit}",
            f"signed  by {found.signer}",
            "",
            table(("service", "image", "digest"), services),
        ]
    )


def compared_text(found: Compared) -> str:
    """The difference of two releases for people."""
    before, after = found.before.entry, found.after.entry
    head = f"{before.tag} .. {after.tag}: {found.commits} commits"
    if not found.changes:
        return f"{head}, the same images"
    rows = [
        (
            change.name,
            change.what,
            change.before.rpartition("@")[2][:SHORT],
            change.after.rpartition("@")[2][:SHORT],
        )
        for change in found.changes
    ]
    hint = f"tidegate changes {before.commit[:7]}..{after.commit[:7]} says why, file by file"
    return f"{head}\n\n{table(('image', 'is', 'before', 'after'), rows)}\n\n{hint}"


def _entry(entry: Entry) -> dict[str, Any]:
    return {"tag": entry.tag, "digest": entry.digest, "commit": entry.commit}


def _facts(found: Released) -> dict[str, Any]:
    made = found.contents
    return {
        **_entry(found.entry),
        "project": made["project"],
        "tree": made["tree"],
        "applications": made["applications"],
        "services": made["services"],
        "signer": found.signer or None,
    }


def _compared(found: Compared) -> dict[str, Any]:
    return {
        "before": _entry(found.before.entry),
        "after": _entry(found.after.entry),
        "commits": found.commits,
        "images": [
            {
                "kind": change.kind,
                "name": change.name,
                "change": change.what,
                "before": change.before or None,
                "after": change.after or None,
            }
            for change in found.changes
        ],
    }
