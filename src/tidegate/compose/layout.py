"""``applications/`` and ``services/`` as one project: loaded and put in order.

Each folder's compose file stands for itself, as if one file beside the two folders included all
of them (https://docs.docker.com/reference/compose-file/include/): its paths begin in its own
folder, and services of other folders are known by their names. Pure: listings and texts come in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from tidegate.compose.document import read
from tidegate.compose.files import Allowance, Reader, Source
from tidegate.compose.folders import APPLICATIONS, SERVICES, VARIABLES
from tidegate.compose.load import load
from tidegate.compose.mentions import named
from tidegate.compose.order import numbered
from tidegate.compose.paths import join
from tidegate.compose.project import Project
from tidegate.errors import InputError
from tidegate.model.layout import Layout


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
