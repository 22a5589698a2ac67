"""The answers of ``tidegate changes`` for machines: ``--json`` and ``--matrix``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tidegate.changes.model import BUILD, DELIVER, Item
from tidegate.cli.output import envelope
from tidegate.repo.diff import WORDS, shown

NO_RULE = "no rule wants it"
FILES = '"files": []'

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tidegate.changes.directives import Directive
    from tidegate.changes.model import Target
    from tidegate.pipeline.changed import Changed


def answer(found: Changed) -> str:
    """The whole answer on one line."""
    from json import dumps

    head, files, tail = dumps(envelope("changes", data(found)), ensure_ascii=False).partition(FILES)
    return f"{head}{files[:-1]}{', '.join(_files(found))}]{tail}"


def data(found: Changed) -> dict[str, Any]:
    """All but the files of the difference, each of which stands in ``files`` once."""
    decision = found.decision
    return {
        "base": found.range.base or None,
        "head": found.range.head,
        "everything": found.range.reason or None,
        "commits": found.commits,
        "ends": decision.ends,
        "directives": [_directive(one) for one in decision.orders.heeded],
        "unheeded": [_directive(one) for one in decision.orders.unheeded],
        "applications": [
            {**_item(item), **_image(found, item)} for item in decision.applications.values()
        ],
        "services": [
            {**_item(item), "application": found.survey.runs.get(item.name)}
            for item in decision.services.values()
        ],
        "files": [],
        "notes": list(found.notes),
    }


def matrix_of(found: Changed) -> dict[str, Any]:
    """``{"include": [...]}``: an entry for each image to build; empty where there is none."""
    return {"include": list(_entries(found))}


def _entries(found: Changed) -> Iterable[dict[str, str]]:
    for name, item in found.decision.applications.items():
        image = found.survey.images.get(name)
        if image is None or item.action not in (BUILD, DELIVER) or image.text is None:
            continue  # gone, untouched, or without a Dockerfile: nothing to build
        yield {"application": name, "kind": image.kind, **_image(found, item)}


def _image(found: Changed, item: Item) -> dict[str, Any]:
    image = found.survey.images.get(item.name)
    build = image.build if image else None
    return {
        "context": shown(build.context or ".") if build and build.context is not None else "",
        "dockerfile": shown(build.dockerfile) if build else "",
        "target": build.target if build else "",
        "platforms": ",".join(image.platforms) if image else "",
    }


def _item(item: Item) -> dict[str, Any]:
    return {
        "name": item.name,
        "kind": item.kind,
        "action": item.action,
        "because": [{"file": shown(b.file) or None, "rule": b.rule} for b in item.because],
        "kept_from": item.kept_from or None,
    }


def _files(found: Changed) -> Iterator[str]:
    """Each file as an object, written by hand: there may be thousands, of few kinds."""
    from json import dumps
    from json.encoder import encode_basestring as quoted

    known: dict[tuple[tuple[Target, str], ...], str] = {}
    for change, whose in found.decision.files:
        rules = tuple(whose.items())
        told = known.get(rules)
        if told is None:
            listed = [{"kind": t.kind, "name": t.name, "rule": rule} for t, rule in rules]
            told = known[rules] = dumps(listed, ensure_ascii=False)
        old = quoted(shown(change.old)) if change.old else "null"
        why = "null" if whose else quoted(found.survey.why_nobody(change) or NO_RULE)
        yield (
            f'{{"path": {quoted(shown(change.path))}, "status": "{WORDS[change.status]}", '
            f'"from": {old}, "submodule": {"true" if change.submodule else "false"}, '
            f'"whose": {told}, "why_nobody": {why}}}'
        )


def _directive(one: Directive) -> dict[str, Any]:
    line = one.where.line if one.where else 0
    return {"name": one.name, "services": list(one.services), "commit": one.commit, "line": line}
