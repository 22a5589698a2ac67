"""``applications/`` and ``services/`` as one project: found, switched off, loaded, put in order.

Each folder's compose file stands for itself, as if one file beside the two folders included all
of them (https://docs.docker.com/reference/compose-file/include/): its paths begin in its own
folder, and services of other folders are known by their names. Pure: listings and texts come in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from tidegate.compose.document import read
from tidegate.compose.files import Allowance, Reader, Source
from tidegate.compose.load import load
from tidegate.compose.mentions import named
from tidegate.compose.order import numbered
from tidegate.compose.paths import join
from tidegate.compose.project import Project
from tidegate.errors import InputError
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
SKIPPED = "skipped-"
VARIABLES = (".env", f"{SERVICES}/version.env")
_NUMBERED = re.compile(r"([0-9]{1,9})[_-].+")


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
    found = _NUMBERED.fullmatch(name) if kind == SERVICES else None
    number = int(found[1]) if found else None
    files = tuple(f"{path}/{file}" for file in compose_files(names))
    off = next((file for file in _switches(names) if file in names), "")
    if not off:
        return Folder(path, files, number)
    unread = files or tuple(f"{path}/{SKIPPED}{file}" for file in _skipped(names))
    return Folder(path, (), number, f"{path}/{off}", unread)


def _switches(names: Collection[str]) -> Iterator[str]:
    """What switches a folder off here: a file that was renamed, and is not there as well."""
    if not compose_files(names):
        yield from (f"{SKIPPED}{file}" for file in _skipped(names)[:1])
    if "Dockerfile" not in names:
        yield f"{SKIPPED}Dockerfile"


def _skipped(names: Collection[str]) -> tuple[str, ...]:
    skipped = {name.removeprefix(SKIPPED) for name in names if name.startswith(SKIPPED)}
    return compose_files(skipped)


def load_layout(
    found: Layout,
    root: str,
    *,
    reader: Reader,
    variables: Mapping[str, str],
    project: str | None = None,
    profiles: Sequence[str] = (),
    env_files: Sequence[str] | None = None,
) -> Project:
    """The project of all folders below ``root``; names and numbers order what nothing else does.

    Without ``env_files`` those of ``VARIABLES`` that are there count, later ones win.
    """
    if env_files is None:
        env_files = [file for name in VARIABLES if reader.is_file(file := join(root, name))]
    switched_off = dict(_switched_off(found, root, reader))
    try:
        loaded = load(
            [_including(found, root)],
            reader=reader,
            variables=variables,
            project=project,
            profiles=profiles,
            env_files=env_files,
        )
    except InputError as error:
        if error.subject in switched_off:
            file = switched_off[error.subject]
            error.hint = f"{file} switches {error.subject} off: rename it, or remove the reference"
        raise
    numbers = {
        join(root, file): folder.number
        for folder in found.folders
        if folder.number is not None
        for file in folder.files
    }
    files = {name: loaded.where(("services", name)).file for name in loaded.services}
    of_services = {name: numbers[file] for name, file in files.items() if file in numbers}
    services = numbered(named(loaded.services, files), of_services)
    return replace(loaded, services=services, switched_off=switched_off)


def _including(found: Layout, root: str) -> Source:
    """One file that includes every folder's; JSON is YAML, and ``$`` in a path is no variable."""
    entries = [{"path": list(folder.files)} for folder in found.folders if folder.files]
    text = json.dumps({"include": entries}, ensure_ascii=False).replace("$", "$$")
    return Source(join(root, f"{APPLICATIONS} and {SERVICES}"), text)


def _switched_off(found: Layout, root: str, reader: Reader) -> Iterator[tuple[str, str]]:
    """The services of files that are not loaded, each with the file that says so."""
    for folder in found.folders:
        for file in folder.unread:
            for name in _names(file, root, reader):
                yield name, folder.off


def _names(file: str, root: str, reader: Reader) -> list[str]:
    """The services in a file; none where it cannot be read, as nobody needs it to be right."""
    try:
        text = reader.read(join(root, file))
        documents = list(read(Source(file, text), Allowance()))
    except (InputError, OSError, UnicodeDecodeError):
        return []
    sections = [document.root.get(SERVICES) for document in documents]
    return [name for section in sections if section for name in section.children()]
