"""A plan for people: aligned, old beside new, what happens to each service and why.

The words carry everything, so pipes and ``NO_COLOR`` lose nothing (https://no-color.org).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tidegate.cli.output import BOLD, CYAN, DIM, GREEN, RED, YELLOW, paint
from tidegate.plan import Action, Change, ImageChange, Plan

ACTIONS = {
    "beside": ("new copy beside the old, then traffic moves", GREEN),
    "replace": ("restarted in place at the switch", YELLOW),
    "start": ("started", GREEN),
    "job": ("run once", CYAN),
    "settings": ("settings only, nothing restarts", DIM),
    "remove": ("stopped and removed", RED),
}
# A longer value is cut: the whole of it is in `plan --json`.
WIDTH = 56


def plan_text(plan: Plan, *, colour: bool = False) -> str:
    """The plan as lines, the last one a summary; one line when there is nothing to do."""
    if plan.empty:
        return (
            f"No changes: {plan.environment} already runs {_version(plan.version, plan.release)}."
        )
    blocks = [[_head(plan, colour)]]
    sections = (
        ("Services", _rows(_actions(plan.actions, colour))),
        ("Images", _rows(_images(plan.images))),
        ("Added", [f"{_mark('+', colour)} {kind} {name}" for kind, name in plan.added]),
        ("Changed", _rows(_changes(plan.changes, colour))),
        ("Removed", [_removed(kind, name, colour) for kind, name in plan.removed]),
        ("Files", [f"{_mark('+', colour)} {digest[:19]}" for digest in plan.files]),
        ("Ports", _rows(_ports(plan, colour))),
        ("Drift, mended", _rows((d.subject, d.detail) for d in plan.drift)),
    )
    for title, lines in sections:
        if lines:
            blocks.append([paint(title, BOLD, on=colour), *(f"  {line}" for line in lines)])
    blocks.append([_summary(plan)])
    return "\n\n".join("\n".join(block) for block in blocks)


def _nothing(plan: Plan) -> str:
    new = _version(plan.version, plan.release)
    if plan.running == plan.release:
        return f"No changes: {plan.environment} already runs {new}."
    old = _version(plan.running_version, plan.running)
    return f"No changes: {plan.environment} runs {old}, and {new} differs in nothing that runs."


def _head(plan: Plan, colour: bool) -> str:
    target = paint(f"{plan.instance} in {plan.environment}", BOLD, on=colour)
    if not plan.running:
        return f"{target}: nothing runs yet → {_version(plan.version, plan.release)}"
    old = _version(plan.running_version, plan.running)
    return f"{target}: {old} → {_version(plan.version, plan.release)}"


def _version(version: str, release: str) -> str:
    short = release.removeprefix("sha256:")[:12]
    return f"{version} ({short})" if version and version != short else short


def _mark(sign: str, colour: bool) -> str:
    return paint(sign, {"+": GREEN, "-": RED, "~": YELLOW}[sign], on=colour)


def _actions(actions: Iterable[Action], colour: bool) -> Iterator[Sequence[str]]:
    for action in actions:
        words, code = ACTIONS[action.what]
        # Colour must not count as width, so it goes on the last column only.
        why = f"because: {_joined(action.because)}" if action.because else ""
        if action.what in ("start", "remove"):
            why = ""
        yield action.service, words, paint(why, code, on=colour)


def _joined(reasons: Sequence[str]) -> str:
    shown = ", ".join(reasons[:4])
    more = len(reasons) - 4
    return f"{shown} and {more} more" if more > 0 else shown


def _images(images: Iterable[ImageChange]) -> Iterator[Sequence[str]]:
    for image in images:
        yield image.service, image.tag or "built here", f"{image.old or '(none)'} → {image.new}"


def _changes(changes: Iterable[Change], colour: bool) -> Iterator[Sequence[str]]:
    for change in changes:
        if (change.kind, change.key) == ("service", "Image"):
            continue
        sign = "~" if change.old and change.new else "+" if change.new else "-"
        what = f"{change.kind} {change.name}".strip()
        yield f"{_mark(sign, colour)} {what}", change.key, _values(change)


def _values(change: Change) -> str:
    if change.old and change.new:
        if change.old == change.new:
            return f"{_cut(change.new)}, changed"
        return f"{_cut(change.old)} → {_cut(change.new)}"
    return _cut(change.new or change.old)


def _cut(value: str) -> str:
    text = value if value.isprintable() else repr(value)[1:-1]
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def _removed(kind: str, name: str, colour: bool) -> str:
    kept = " (its data stays on the host)" if kind == "volume" else ""
    return f"{_mark('-', colour)} {kind} {name}{kept}"


def _ports(plan: Plan, colour: bool) -> Iterator[Sequence[str]]:
    for port in plan.ports:
        sign = _mark("+" if port.what == "open" else "-", colour)
        address = f"{port.address}:" if port.address else ""
        yield f"{sign} {address}{port.port}/{port.protocol}", f"to {port.service}"


def _rows(rows: Iterable[Sequence[str]]) -> list[str]:
    """Columns of equal width; all but the last are free of colour beyond one leading mark."""
    cells = list(rows)
    if not cells:
        return []
    last = len(cells[0]) - 1
    widths = [max(len(row[i]) for row in cells) for i in range(last)]
    return [
        "  ".join(
            cell.ljust(widths[i]) if i < last else cell for i, cell in enumerate(row)
        ).rstrip()
        for row in cells
    ]


def _summary(plan: Plan) -> str:
    counts = {what: sum(1 for action in plan.actions if action.what == what) for what in ACTIONS}
    names = {
        "start": "to start",
        "beside": "to switch without an outage",
        "replace": "to restart in place",
        "job": "to run once",
        "settings": "with new settings only",
        "remove": "to remove",
    }
    told = [f"{counts[what]} {words}" for what, words in names.items() if counts[what]]
    if plan.drift:
        told.append(f"{len(plan.drift)} to mend")
    return f"Services: {', '.join(told)}." if told else "No service is touched."
