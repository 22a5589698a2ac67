"""Which applications are built and which services redeployed, and why.

First what the files say, then what follows from it (an image built on another, a service that
runs one), and last what the commit's message orders.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby, repeat

from tidegate.changes import directives
from tidegate.changes.directives import Directive, Orders
from tidegate.changes.model import (
    APPLICATION,
    BUILD,
    DELIVER,
    NOTHING,
    REDEPLOY,
    REMOVE,
    SERVICE,
    Because,
    Item,
    Target,
)
from tidegate.changes.survey import Survey
from tidegate.errors import InputError
from tidegate.repo.diff import FileChange, shown
from tidegate.shapes import Row, field, record


class Touched(Row):
    """A file that differs, whose it is and by which rules; many files share one ``whose``."""

    change: FileChange
    whose: Mapping[Target, str]


@record(slots=True)
class Decision:
    """The answer: every application, service and file. ``ends``: the workflow ends here."""

    applications: dict[str, Item] = field(default_factory=dict)
    services: dict[str, Item] = field(default_factory=dict)
    files: list[Touched] = field(default_factory=list)
    orders: Orders = field(default_factory=Orders)
    ends: bool = False

    def item(self, target: Target) -> Item | None:
        """The application or service of that name."""
        return (self.services if target.kind == SERVICE else self.applications).get(target.name)


def decide(changes: Sequence[FileChange], survey: Survey, orders: Orders) -> Decision:
    """The whole answer."""
    found = Decision(orders=orders)
    for name, image in survey.images.items():
        found.applications[name] = Item(name, image.kind)
    for name in survey.services:
        found.services[name] = Item(name, SERVICE)
    found.files = _files(changes, survey)
    if survey.definitions or survey.removed:
        places = {one.change.old: at for at, one in enumerate(found.files) if one.change.old}
        places |= {one.change.path: at for at, one in enumerate(found.files)}
        _removed(found, survey, places)
        _add(found, survey.definitions, places)
    _because(found)
    _ordered(found, survey)
    _finish(found, survey)
    return found


def _files(changes: Sequence[FileChange], survey: Survey) -> list[Touched]:
    """Each file with whose it is; git tells a folder's files one after the other."""
    folders = [change[1].rpartition("/")[0] for change in changes]
    found: list[Touched] = []
    for folder, run in groupby(folders):
        some = changes[len(found) : len(found) + len(list(run))]
        whose = survey.rules.meet_all(folder, [change[1] for change in some])
        found += map(Touched._make, zip(some, whose, strict=True))
    for index, (change, _) in enumerate(found):
        if change[2] or change[3]:
            found[index] = Touched(change, _moved(change, survey))
    return found


def _moved(change: FileChange, survey: Survey) -> Mapping[Target, str]:
    """Of a submodule or a renamed file, which left a place, too, and whom the rules give it to."""
    whose = survey.rules.meet(change.path, submodule=change.submodule)
    if not change.old:
        return whose
    left = survey.rules.meet(change.old, submodule=change.submodule)
    moved = f"moved from {shown(change.old)}"
    return {**whose, **{t: f"{rule}, {moved}" for t, rule in left.items() if t not in whose}}


def _because(found: Decision) -> None:
    """Tell every application and service that lives of the files that are its."""
    live = {Target(SERVICE, name): item for name, item in found.services.items()}
    live |= {Target(APPLICATION, name): item for name, item in found.applications.items()}
    live = {target: item for target, item in live.items() if item.action != REMOVE}
    made, shared = Because._make, [id(whose) for _, whose in found.files]
    begin = 0
    for _, run in groupby(shared):  # many files share one ``whose``
        end = begin + len(list(run))
        paths = [change[1] for change, _ in found.files[begin:end]]
        for target, rule in found.files[begin].whose.items():
            if target in live:
                live[target].because += map(made, zip(paths, repeat(rule), strict=False))
        begin = end


def _add(
    found: Decision, reasons: Iterable[tuple[Target, Because]], places: Mapping[str, int]
) -> None:
    """Reasons from definitions: at their file where it is one that differs, else on their own."""
    for target, because in reasons:
        at = places.get(because.file)
        if at is not None:
            said = found.files[at].whose.get(target, "")
            if because.rule not in said:
                _tell(found, at, target, f"{said}; {because.rule}" if said else because.rule)
        elif (item := found.item(target)) is not None:
            item.because.append(because)


def _removed(found: Decision, survey: Survey, places: Mapping[str, int]) -> None:
    for target, because in survey.removed:
        items = found.services if target.kind == SERVICE else found.applications
        at = places.get(because.file)
        file = found.files[at].change.path if at is not None else ""
        items[target.name] = Item(target.name, target.kind, REMOVE, [Because(file, because.rule)])
        if at is not None:
            _tell(found, at, target, because.rule)


def _tell(found: Decision, at: int, target: Target, rule: str) -> None:
    """Make a file somebody's."""
    change, whose = found.files[at]
    found.files[at] = Touched(change, {**whose, target: rule})


def _ordered(found: Decision, survey: Survey) -> None:
    """What follows from the images, and what the message orders."""
    orders = found.orders
    force = orders.get(directives.FORCE)
    if force is not None:
        for item in _live(found.applications):
            item.because.insert(0, Because("", f"{force} in {force.commit[:7]}"))
    _built_on(found, survey)
    release = orders.get(directives.RELEASE)
    if release is not None:
        _keep(_live(found.applications), release)
    _running(found, survey)
    _following(found, survey)
    deploy = orders.get(directives.DEPLOY)
    if deploy is not None:
        names = chosen(deploy, survey)
        _keep((item for name, item in found.services.items() if name not in names), deploy)
        for name in names:
            found.services[name].because.insert(0, Because("", f"{deploy}"))
    skip = orders.get(directives.SKIP)
    if skip is not None:
        found.ends = True
        _keep([*found.applications.values(), *found.services.values()], skip)


def _live(items: Mapping[str, Item]) -> list[Item]:
    return [item for item in items.values() if item.action != REMOVE]


def _keep(items: Iterable[Item], order: Directive) -> None:
    """An order keeps these from what would have become of them."""
    for item in items:
        if item.because or item.action == REMOVE:
            item.kept_from = str(order)


def _built_on(found: Decision, survey: Survey) -> None:
    """An image whose base is built anew is built anew, too."""
    _spread(survey.built_on, found.applications, "is built on {}")


def _running(found: Decision, survey: Survey) -> None:
    for name, image in survey.runs.items():
        item = found.applications.get(image)
        if item is not None and item.because and not item.kept_from:
            found.services[name].because.append(Because("", f"runs the image of {image}"))
    for name, built in survey.images.items():
        item = found.applications[name]
        if built.into in found.services and item.because and not item.kept_from:
            found.services[built.into].because.append(Because("", f"{name} is delivered into it"))


def _following(found: Decision, survey: Survey) -> None:
    links = [(name, other) for name, follows in survey.services.items() for other in follows]
    _spread(links, found.services, "restarts with {}")


def _spread(links: list[tuple[str, str]], items: Mapping[str, Item], rule: str) -> None:
    """Give a reason to whatever depends on an item that has one, over any number of steps."""
    changed = True
    while changed:
        changed = False
        for name, other in links:
            because = Because("", rule.format(other))
            source = items.get(other)
            if source is None or source.action == REMOVE or not source.because:
                continue
            if because not in items[name].because:
                items[name].because.append(because)
                changed = True


def chosen(order: Directive, survey: Survey) -> list[str]:
    """The services that ``[deploy-services: …]`` names, by their names or their folder's."""
    found: dict[str, None] = {}
    folders = {
        alias: names
        for folder, names in survey.folders.items()
        for alias in _aliases(folder.rpartition("/")[2])
    }
    for word in order.services:
        if word in survey.services:
            found[word] = None
        elif word in folders:
            found |= dict.fromkeys(folders[word])
        else:
            from tidegate.config.nearest import nearest  # for this only

            known = list(survey.services)
            close = nearest(word, known)
            raise InputError(
                f"{order} names {word!r}, and there is no such service "
                f"({order.where.file if order.where else ''}, "
                f"line {order.where.line if order.where else 0})",
                code="unknown-service", where=order.where,
                hint=f"did you mean {close}?" if close else f"there are: {', '.join(known)}",
            )  # fmt: skip
    return list(found)


def _aliases(folder: str) -> list[str]:
    """``02_nginx`` and ``nginx``."""
    number, _, name = folder.partition("_")
    return [folder, name] if number.isdigit() and name else [folder]


def _finish(found: Decision, survey: Survey) -> None:
    """Actions from reasons."""
    for name, item in found.applications.items():
        if item.kept_from:
            item.action = NOTHING
        elif item.because and item.action != REMOVE:
            item.action = DELIVER if survey.images[name].into else BUILD
    for item in found.services.values():
        if item.kept_from:
            item.action = NOTHING
        elif item.because and item.action != REMOVE:
            item.action = REDEPLOY
