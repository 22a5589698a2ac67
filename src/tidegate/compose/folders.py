"""The folders of ``applications/`` and ``services/``: which files count, which are switched off.

Pure: names in, a layout out; :mod:`tidegate.compose.layout` loads it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from tidegate.model.layout import Folder, Layout

# The order in which docker compose looks for its file and for one override beside it:
# https://docs.docker.com/compose/intro/compose-application-model/#the-compose-file
COMPOSE_FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDE_FILES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
APPLICATIONS, SERVICES = "applications", "services"
DOCKERFILES = ("Dockerfile", "Containerfile")
SKIPPED = "skipped-"
DIGITS = "0123456789"
VARIABLES = (".env", f"{SERVICES}/version.env")


def compose_files(names: Collection[str]) -> tuple[str, ...]:
    """Of the names in a directory, the compose file that docker compose takes, and its override."""
    for name in COMPOSE_FILES:
        if name in names:
            return (name, *[other for other in OVERRIDE_FILES if other in names][:1])
    return ()


def layout_of(listing: Mapping[str, Collection[str]]) -> Layout:
    """The layout of a repository; ``listing``: the names of the files in each folder."""
    folders = [_folder(path, names) for path, names in listing.items()]
    return Layout(tuple(sorted(folders, key=_rank)))


def _rank(folder: Folder) -> tuple[bool, bool, int, str]:
    kind = folder.path.partition("/")[0]
    return kind != SERVICES, folder.number is None, folder.number or 0, folder.path


def _folder(path: str, names: Collection[str]) -> Folder:
    kind, _, name = path.partition("/")
    number = _number(name) if kind == SERVICES else None
    files = tuple(f"{path}/{file}" for file in compose_files(names))
    off = next((file for file in _switches(names) if file in names), "")
    if not off:
        return Folder(path, files, number)
    unread = files or tuple(f"{path}/{SKIPPED}{file}" for file in _skipped(names))
    return Folder(path, (), number, f"{path}/{off}", unread)


def _number(name: str) -> int | None:
    """7 of ``07_web`` and ``7-web``; not of a number that nobody counts to."""
    rest = name.lstrip(DIGITS)
    digits = name[: len(name) - len(rest)]
    return int(digits) if 0 < len(digits) < 10 and len(rest) > 1 and rest[0] in "_-" else None


def _switches(names: Collection[str]) -> Iterator[str]:
    """What switches a folder off here: a file that was renamed, and is not there as well."""
    if not compose_files(names):
        yield from (f"{SKIPPED}{file}" for file in _skipped(names)[:1])
    if "Dockerfile" not in names:
        yield f"{SKIPPED}Dockerfile"


def _skipped(names: Collection[str]) -> tuple[str, ...]:
    skipped = {name.removeprefix(SKIPPED) for name in names if name.startswith(SKIPPED)}
    return compose_files(skipped)
