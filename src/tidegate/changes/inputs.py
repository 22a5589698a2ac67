"""The rules of a project: what each image is built from, and which files each service needs.

An image needs what its Dockerfile takes from its contexts (less what .dockerignore leaves out),
the Dockerfile and the ignore files themselves, and what tidegate.yaml says it watches. A service
needs the files that its compose file names; a file in its own folder of services/ that nothing
else wants counts for the folder's services.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from tidegate.changes.compose_files import Composition
from tidegate.changes.model import APPLICATION, SERVICE, Image, Target
from tidegate.changes.rules import (
    COMPANION,
    IGNORED,
    SAYS,
    TAKEN,
    UNWATCHED,
    Check,
    Rule,
    Rules,
)
from tidegate.images import selection, sources
from tidegate.images.sources import MAIN, Taken
from tidegate.repo.layout import SERVICES, Layout
from tidegate.repo.tree import Tree, joined

IGNORE_FILES = (".containerignore", ".dockerignore")


def of_image(rules: Rules, image: Image, tree: Tree) -> None:
    """The rules of one image."""
    target, build = Target(APPLICATION, image.name), image.build
    if build.dockerfile:
        rules.add(build.dockerfile, Rule(target, "its Dockerfile"))
    for place, rule in _watched(target, image.watch):
        rules.add(place, rule)
    if build.context is None:
        return
    for name, folder in ((MAIN, build.context), *build.contexts):
        candidates = list(_ignore_files(folder, build.dockerfile if name == MAIN else ""))
        for file in candidates:
            rules.add(file, Rule(target, "what it leaves out of the context"))
        file = next((f for f in candidates if _is_there(f, tree)), "")
        ignored = Check(IGNORED, tree.text(file) or "", folder) if file else None
        for one in _taken(image):
            if one.context == name:
                place, test = _place(folder, one.path)
                text = f"{one.why} ({build.dockerfile}:{one.line})" if one.line else one.why
                rules.add(place, Rule(target, text, test, ignored, file))
    told = f"{build.dockerfile} does not take it" if build.dockerfile else ""
    rules.explain(image.folder, told)


def of_services(rules: Rules, found: Composition, layout: Layout, root: str) -> None:
    """The rules of all services."""
    for service in found.services.values():
        for reference in service.references:
            rules.add(reference.path, Rule(Target(SERVICE, service.name), reference.rule))
    top = joined(root, SERVICES)
    for folder, names in found.folders.items():
        for name in names if posixpath.dirname(folder) == top else ():
            text = f"in the folder of {name}"
            target = Target(SERVICE, name)
            ignored = Check(COMPANION)
            rules.add(folder, Rule(target, text, Check(SAYS), ignored, "its name", weak=True))
    for folder, why in layout.off.items():
        rules.explain(folder, why)


def _taken(image: Image) -> tuple[Taken, ...]:
    if image.text is None:
        into = f"delivered into {image.into}" if image.into else "is all that is known of it"
        return (Taken(MAIN, "", 0, into),)
    contexts = [name for name, _ in image.build.contexts]
    return sources.taken(image.text, dict(image.build.arguments), contexts)


def _ignore_files(context: str, dockerfile: str) -> Iterator[str]:
    """Where an ignore file may be; the Dockerfile's own one wins."""
    if dockerfile:
        yield from (f"{dockerfile}{name}" for name in IGNORE_FILES)
    yield from (joined(context, name) for name in IGNORE_FILES)


def _is_there(path: str, tree: Tree) -> bool:
    folder, _, name = path.rpartition("/")
    return name in tree.names(folder)


def _place(folder: str, pattern: str) -> tuple[str, Check | None]:
    """Where a path or a pattern of a context begins, and the check of what is below."""
    special = selection.is_pattern(pattern)
    start = selection.begin(pattern) if special else pattern
    check = Check(TAKEN, pattern, folder) if special else None
    return joined(folder, start) if start else folder, check


def _watched(target: Target, patterns: tuple[str, ...]) -> Iterator[tuple[str, Rule]]:
    """``watch``: patterns as in .dockerignore; ``!`` takes back what an earlier one watches."""
    exceptions = any(pattern.startswith("!") for pattern in patterns)
    unwanted = Check(UNWATCHED, "\n".join(patterns)) if exceptions else None
    for pattern in patterns:
        if not pattern.startswith("!"):
            place, test = _place("", pattern)
            yield place, Rule(target, f"watch {pattern}", test, unwanted, f"watch of {target.name}")
