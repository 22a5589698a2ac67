"""A plan for people: what happens to each service, and below it which key changed, old → new.

The words carry everything, so pipes and ``NO_COLOR`` lose nothing (https://no-color.org).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tidegate.cli.output import BOLD, CYAN, DIM, GREEN, RED, YELLOW, paint
from tidegate.plan import GONE, NEW, Action, Change, ImageChange, Plan

# What happens, its mark and colour, and how the summary counts it.
ACTIONS = {
    "start": ("started", "+", GREEN, "to start"),
    "beside": (
        "a new copy beside the old one, then traffic moves",
        "~",
        GREEN,
        "to replace without an outage",
    ),
    "replace": ("restarted in place when traffic switches", "!", YELLOW, "to restart in place"),
    "job": ("run once, to its end", "»", CYAN, "to run once"),
    "migrate": ("its database is migrated, once", "»", CYAN, "to migrate"),
    "timed": ("runs by its schedule from now on", "»", CYAN, "to run by the clock"),
    "settings": ("keeps running, only settings change", "·", DIM, "with new settings only"),
    "lead": ("runs on other hosts, where its name leads", "·", DIM, "on other hosts"),
    "remove": ("stopped and removed", "-", RED, "to remove"),
}
COLOURS = {"+": GREEN, "-": RED, "~": YELLOW}
SECRETS = "secrets are sent again; those whose value differs restart their services"
# A longer value is cut: the whole of it is in `plan --json`.
WIDTH = 60


def plan_text(plan: Plan, *, secrets_changed: bool = False, colour: bool = False) -> str:
    """The plan as lines, a summary last; one line when there is nothing to do."""
    strangers = _rows((item.subject, item.detail) for item in plan.strangers)
    if plan.empty and not secrets_changed:
        return "\n  ".join([_nothing(plan), *strangers])
    blocks = [[_head(plan, colour)]]
    sections = (
        ("Services", list(_services(plan, colour))),
        ("Images", _rows(_images(plan.images))),
        ("Units", list(_units(plan, colour))),
        ("Files", [f"{_mark('+', colour)} {digest[:19]}" for digest in plan.files]),
        ("Ports", _rows(_ports(plan, colour))),
        ("Limits that this host does not enforce", _limits(plan)),
        ("Drift, mended", _rows((item.subject, item.detail) for item in plan.mended)),
        ("Not ours", strangers),
        ("Secrets", [SECRETS] if secrets_changed else []),
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
    old = _version(plan.running_version, plan.running) if plan.running else "nothing runs yet"
    return f"{target}: {old} → {_version(plan.version, plan.release)}"


def _version(version: str, release: str) -> str:
    short = release.removeprefix("sha256:")[:12]
    return f"{version} ({short})" if version and version != short else short


def _mark(sign: str, colour: bool) -> str:
    return paint(sign, COLOURS[sign], on=colour)


def _services(plan: Plan, colour: bool) -> Iterator[str]:
    width = max((len(action.service) for action in plan.actions), default=0)
    for action in plan.actions:
        words, mark, code, _ = ACTIONS[action.what]
        yield f"{paint(mark, code, on=colour)} {action.service:<{width}}  {words}"
        changes = [c for c in plan.changes if (c.kind, c.name) == ("service", action.service)]
        yield from _rows((f"    {c.key}", _values(c)) for c in changes)
        yield from (f"    because {reason}" for reason in _other_reasons(action, changes))


def _other_reasons(action: Action, changes: Sequence[Change]) -> list[str]:
    """What is not said already, by a changed key or by the action itself."""
    if {NEW, GONE} & set(action.because):
        return []
    keys = {change.key for change in changes}
    return [reason for reason in action.because if reason not in keys]


def _images(images: Iterable[ImageChange]) -> Iterator[Sequence[str]]:
    for image in images:
        size = f"{image.size / 1e6:.0f} MB" if image.size else ""
        said = image.tag or "built here"
        yield image.service, said, f"{image.old or '(none)'} → {image.new}", size


def _units(plan: Plan, colour: bool) -> Iterator[str]:
    for kind, name in plan.added:
        yield f"{_mark('+', colour)} {kind} {name}"
    for change in plan.changes:
        if change.kind != "service":
            what = f"{change.kind} {change.name}".strip()
            yield f"{_mark('~', colour)} {what}: {change.key} {_values(change)}"
    for kind, name in plan.removed:
        kept = " (its data stays on the host)" if kind == "volume" else ""
        yield f"{_mark('-', colour)} {kind} {name}{kept}"


def _values(change: Change) -> str:
    if change.old and change.old == change.new:
        return f"{change.new}, changed"
    return f"{_cut(change.old) or '(none)'} → {_cut(change.new) or '(none)'}"


def _cut(value: str) -> str:
    text = value if value.isprintable() else repr(value)[1:-1]
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def _ports(plan: Plan, colour: bool) -> Iterator[Sequence[str]]:
    for port in plan.ports:
        sign = _mark("+" if port.what == "open" else "-", colour)
        address = f"{port.address}:" if port.address else ""
        yield f"{sign} {address}{port.port}/{port.protocol}", f"to {port.service}"


def _limits(plan: Plan) -> list[str]:
    rows = _rows((item.service, item.limit, item.why) for item in plan.unenforced)
    return [*rows, "-> tidegate doctor says what mends it"] if rows else []


def _rows(rows: Iterable[Sequence[str]]) -> list[str]:
    """Columns of equal width. Colour may only be in a first column whose marks all have it."""
    cells = list(rows)
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))] if cells else []
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def _summary(plan: Plan) -> str:
    kinds = [action.what for action in plan.actions]
    told = [f"{kinds.count(what)} {told[3]}" for what, told in ACTIONS.items() if what in kinds]
    if plan.mended:
        told.append(f"{len(plan.mended)} to mend")
    return f"Services: {', '.join(told)}." if told else "No service is touched."
