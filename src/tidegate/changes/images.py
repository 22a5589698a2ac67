"""What is built: applications and tools by convention, those of tidegate.yaml, and what only a
compose file builds."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from tidegate.changes.compose_files import Composition
from tidegate.changes.model import APPLICATION, Build, Image, Service
from tidegate.compose.folders import APPLICATIONS, DOCKERFILES
from tidegate.errors import InputError
from tidegate.images import dockerfile
from tidegate.model.config import Application, Config, Step
from tidegate.repo.layout import ImageFolder, Layout
from tidegate.repo.tree import Tree, is_submodule, joined

_VARIABLE = r"\$\{[^}]*\}|\$\w+"


def images(
    layout: Layout, config: Config | None, root: str, found: Composition, tree: Tree
) -> dict[str, Image]:
    """Every image by its name, with the text of its Dockerfile."""
    result: dict[str, Image] = {}
    for folder in layout.images:
        if folder.name in result:
            raise InputError(
                f"{result[folder.name].folder} and {folder.path} would both be {folder.name!r}",
                code="image-twice",
                hint="rename one of the two folders",
            )
        result[folder.name] = _conventional(folder)
    for name, own in (config.applications if config else {}).items():
        home = joined(root, f"{APPLICATIONS}/{name}")
        if home not in layout.off or any(file in tree.names(home) for file in DOCKERFILES):
            steps = [config.steps[step] for step in own.steps] if config else []
            result[name] = _declared(name, own, root, result.get(name), tree, steps)
    for service in found.services.values():
        if service.build is not None:
            _composed(service, service.build, result)
    return {name: _read(image, tree) for name, image in result.items()}


def image_of(service: Service, known: Mapping[str, Image], project: str) -> str:
    """The name of the image that a service runs, or "" where it is not built here."""
    for name, image in known.items():
        if service.name in image.names:
            return name
    return by_reference(service.image, known, project)


def by_reference(reference: str, known: Collection[str], project: str) -> str:
    """The image of ours that a reference names, by its last part; variables do not count."""
    plain = re.sub(_VARIABLE, "", reference) if "$" in reference else reference
    last = plain.partition("@")[0].rpartition("/")[2].partition(":")[0]
    for name in (last, last.removeprefix(f"{project}-")):
        if name and name in known:
            return name
    return ""


def _conventional(found: ImageFolder) -> Image:
    return Image(found.name, found.kind, found.path, Build(found.path, found.dockerfile))


def _declared(
    name: str, own: Application, root: str, usual: Image | None, tree: Tree, steps: list[Step]
) -> Image:
    home = joined(root, f"{APPLICATIONS}/{name}")
    if usual is None:
        usual = Image(name, APPLICATION, home if tree.names(home) else "", Build(home))
    context = joined(root, own.context) if own.context else usual.folder or home
    file = own.dockerfile or next((one for one in DOCKERFILES if one in tree.names(context)), "")
    if not file and not usual.build.dockerfile and not own.into:
        file = DOCKERFILES[0]
    return usual._replace(
        folder=usual.folder or context,
        build=Build(context, joined(context, file) if file else usual.build.dockerfile),
        into=own.into,
        at=own.at,
        watch=tuple(_from(root, p) for p in (*own.watch, *_read_by(steps))),
        platforms=own.platforms,
        where=own.where,
    )


def _read_by(steps: list[Step]) -> Iterator[str]:
    """What steps make an application of; their outputs are made, and in no commit."""
    for step in steps:
        yield from step.inputs or (f"{step.directory}/**" if step.directory else "**",)


def _from(root: str, pattern: str) -> str:
    """A pattern of tidegate.yaml, seen from the top of the repository."""
    if pattern.startswith("!"):
        return f"!{joined(root, pattern[1:].lstrip('/'))}"
    return joined(root, pattern.lstrip("/"))


def _composed(service: Service, build: Build, known: dict[str, Image]) -> None:
    """Tell whose build a service's is; one that nobody has yet is an application of its own."""
    if build.context is not None:
        file = build.dockerfile or DOCKERFILES[0]
        build = build._replace(dockerfile="" if build.inline else joined(build.context, file))
        for name, image in known.items():
            same = _place(image.build) == _place(build) and not image.into
            if same and (not image.names or image.build == build):
                known[name] = image._replace(build=build, names=(*image.names, service.name))
                return
    name = service.name if service.name not in known else f"{service.name}-build"
    folder = build.context if build.context is not None else service.folder
    known[name] = Image(
        name, APPLICATION, folder, build, names=(service.name,), where=service.where
    )


def _place(build: Build) -> tuple[str | None, str, str]:
    return build.context, build.dockerfile, build.inline


def _read(image: Image, tree: Tree) -> Image:
    """With the text of its Dockerfile, and the names of the images that it is built from."""
    build = image.build
    text = build.inline or (tree.text(build.dockerfile) if build.dockerfile else None)
    if text is None:
        if build.context is None or image.into or _in_submodule(image, tree):
            return image
        raise InputError(
            f"there is no {build.dockerfile}, for {image.kind} {image.name}",
            code="dockerfile-missing",
            where=image.where,
            hint="is it there, and committed? the path counts from the context",
        )
    given = {name: value for name, value in build.arguments if value is not None}
    return image._replace(text=text, bases=dockerfile.bases(text, given))


def _in_submodule(image: Image, tree: Tree) -> bool:
    place = image.build.dockerfile or image.folder
    while place:
        place, _, name = place.rpartition("/")
        if is_submodule(tree.names(place).get(name, "")):
            return True
    return False
