"""What ``tidegate changes`` says to people: tables that line up, a summary last.

The words carry everything, so pipes and ``NO_COLOR`` lose nothing (https://no-color.org).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tidegate.changes.model import BUILD, DELIVER, NOTHING, REDEPLOY, REMOVE, Item
from tidegate.cli.output import BOLD, CYAN, DIM, GREEN, RED, YELLOW, paint
from tidegate.repo.diff import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tidegate.changes.decide import Touched
    from tidegate.pipeline.changed import Changed

COLOURS = {BUILD: GREEN, DELIVER: CYAN, REDEPLOY: YELLOW, REMOVE: RED, NOTHING: DIM}
TOLD = 5  # reasons for each; --json has them all
SHORT = 7


def text(found: Changed, *, colour: bool) -> str:
    """The whole answer."""
    decision = found.decision
    width = max((len(n) for n in (*decision.applications, *decision.services)), default=0)
    blocks = [[_head(found, colour)], list(_orders(found, colour))]
    for title, items in (("Application", decision.applications), ("Service", decision.services)):
        if items:
            blocks.append(list(_table(title, list(items.values()), width, colour)))
    nobody = [one for one in decision.files if not one.whose]
    if nobody:
        blocks.append(list(_nobody(found, nobody, colour)))
    blocks.append([_summary(found, len(nobody))])
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _head(found: Changed, colour: bool) -> str:
    files = _count(len(found.decision.files), "file")
    head = found.range.head[:SHORT]
    if not found.range.base:
        return f"{paint(head, BOLD, on=colour)}: {files}; {found.range.reason}"
    span = paint(f"{found.range.base[:SHORT]}..{head}", BOLD, on=colour)
    return f"{span}: {files} in {_count(found.commits, 'commit')}"


def _orders(found: Changed, colour: bool) -> Iterator[str]:
    orders = found.decision.orders
    for one in orders.heeded:
        line = f", line {one.where.line}" if one.where else ""
        yield f"{paint(str(one), BOLD, CYAN, on=colour)} (commit {one.commit[:SHORT]}{line})"
    for one in orders.unheeded:
        yield f"{one} of commit {one.commit[:SHORT]} does not count: a later commit speaks"


def _table(title: str, items: Sequence[Item], width: int, colour: bool) -> Iterator[str]:
    """One line for each item, and one for each further reason below it."""
    name_width = max(width, len("application"))
    yield f"{title.upper():<{name_width}}  {'ACTION':<8}  BECAUSE"
    for item in items:
        lines = list(_reasons(item)) or [""]
        action = paint(f"{item.action:<8}", COLOURS[item.action], on=colour)
        yield f"{item.name:<{name_width}}  {action}  {lines[0]}".rstrip()
        yield from (f"{'':<{name_width}}  {'':<8}  {line}" for line in lines[1:])


def _reasons(item: Item) -> Iterator[str]:
    if item.kept_from:
        yield f"{item.kept_from} keeps it from this; else"
    told = item.because[:TOLD]
    width = max((len(shown(one.file)) for one in told if one.file), default=0)
    for one in told:
        yield f"{shown(one.file):<{width}}  {one.rule}" if one.file else one.rule
    if len(item.because) > TOLD:
        yield f"and {len(item.because) - TOLD} more"


def _nobody(found: Changed, files: Sequence[Touched], colour: bool) -> Iterator[str]:
    yield paint("NOBODY'S", DIM, on=colour)
    width = max(len(shown(one.change.path)) for one in files[:TOLD])
    for one in files[:TOLD]:
        why = found.survey.why_nobody(one.change)
        yield f"{shown(one.change.path):<{width}}  {why}".rstrip()
    if len(files) > TOLD:
        yield f"and {len(files) - TOLD} more"


def _summary(found: Changed, nobody: int) -> str:
    decision = found.decision
    if decision.ends:
        return "The workflow ends here: nothing is built, released or deployed."
    applications = [item.action for item in decision.applications.values()]
    services = [item.action for item in decision.services.values()]
    told = [
        f"{applications.count(BUILD)} of {_count(len(applications), 'application')} to build",
        f"{services.count(REDEPLOY)} of {_count(len(services), 'service')} to redeploy",
    ]
    if DELIVER in applications:
        told.append(f"{applications.count(DELIVER)} to deliver")
    gone = [*applications, *services].count(REMOVE)
    if gone:
        told.append(f"{gone} gone")
    return f"{', '.join(told)}. {nobody} of {_count(len(decision.files), 'file')} nobody's."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
