"""tidegate.yaml becomes a ``Config``: found, read, checked, every value with its place.

``read_config`` is pure; ``load_config`` reads the file and looks which compose files exist.
"""

from __future__ import annotations

import re
from pathlib import Path

from tidegate.compose.document import read
from tidegate.compose.files import Allowance, Source
from tidegate.compose.folders import (
    APPLICATIONS,
    COMPOSE_FILES,
    OVERRIDE_FILES,
    SERVICES,
    compose_files,
    layout_of,
)
from tidegate.compose.nodes import Node, fail, where
from tidegate.config import schema
from tidegate.config.fields import required, section
from tidegate.errors import InputError, Where
from tidegate.model import config as model
from tidegate.model.config import Config, Gate
from tidegate.model.layout import Layout

FILE = "tidegate.yaml"
NO_FOLDERS = Layout()
# An OpenSSH public key as in its .pub file, comment or not: sshd(8), AUTHORIZED_KEYS FILE FORMAT.
PUBLIC_KEY = re.compile(r"(?:ssh|ecdsa|sk)-\S+ AAAA\S*(?: .*)?")


def load_config(path: str | Path = FILE) -> Config:
    """Read a tidegate.yaml; ``InputError`` names the place of whatever is wrong in it."""
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(
            f"there is no {file}",
            code="config-missing",
            hint="`tidegate init` writes one from the compose file here",
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {file}: {error}", code="config-unreadable") from None
    root = file.resolve().parent
    found = find_compose_files(root)
    folders = NO_FOLDERS if found else find_layout(root)
    return read_config(text, str(file), root=str(root), compose=found, folders=folders)


def find_compose_files(root: Path) -> tuple[str, ...]:
    """The compose file that docker compose would find in a directory, and its override."""
    looked = (*COMPOSE_FILES, *OVERRIDE_FILES)
    return compose_files([name for name in looked if (root / name).is_file()])


def find_layout(root: Path) -> Layout:
    """The folders of ``applications/`` and ``services/``, without hidden ones."""
    listing = {}
    try:
        for kind in (APPLICATIONS, SERVICES):
            folders = (root / kind).iterdir() if (root / kind).is_dir() else ()
            for folder in folders:
                if folder.is_dir() and not folder.name.startswith("."):
                    names = {entry.name for entry in folder.iterdir() if entry.is_file()}
                    listing[f"{kind}/{folder.name}"] = names
    except OSError as error:
        raise InputError(
            f"cannot read {error.filename}: {error.strerror}", code="compose-unreadable"
        ) from None
    return layout_of(listing)


def read_config(
    text: str,
    file: str,
    *,
    root: str,
    compose: tuple[str, ...] = (),
    folders: Layout = NO_FOLDERS,
) -> Config:
    """The configuration in ``text``; ``compose`` and ``folders`` are what was found beside it.

    They are for a file that names no compose file.
    """
    documents = list(read(Source(file, text), Allowance()))
    if len(documents) > 1:
        fail("one YAML document is wanted here", documents[1].root, code="config-documents")
    if not documents or documents[0].root.value is None:
        raise InputError(
            f"{file} is empty", code="config-empty", where=Where(file, 1), hint="see tidegate init"
        )
    node = documents[0].root
    values = section(node, FILE, schema.TOP)
    required(node, FILE, values, "version", "environments")
    if not values["environments"]:
        environments = node.children()["environments"]
        fail("there must be at least one environment", environments, code="config-environments")
    del values["version"]
    values.setdefault("project", default_project(root))
    values.setdefault("compose", compose)
    if values["compose"]:
        folders = NO_FOLDERS
    config = Config(file=file, root=root, **values, layout=folders, places=places(node))
    check_people(config)
    return config


def default_project(root: str) -> str:
    """The directory's name with what a project's name cannot have taken out, as compose does."""
    return re.sub(r"[^a-z0-9_-]", "", Path(root).name.lower()).lstrip("-_")[:40] or "project"


def places(node: Node) -> dict[model.Path, Where]:
    """The place of every value, by its path."""
    found: dict[model.Path, Where] = {}
    stack: list[tuple[model.Path, Node]] = [((), node)]
    while stack:
        path, current = stack.pop()
        place = where(current.key_at or current.at)
        if place is not None:
            found[path] = place
        stack += [((*path, key), child) for key, child in current.children().items()]
        stack += [((*path, index), child) for index, child in enumerate(current.items())]
    return found


def check_people(config: Config) -> None:
    """An approval can be given by people whom the file declares, a soak is in its environments."""
    for environment in config.environments.values():
        for index, gate in enumerate(environment.gates):
            place = config.where("environments", environment.name, "gates", index, gate.kind)
            if gate.kind == "approval":
                check_approval(config, gate, place)
            soak = gate.settings.get("in")
            if soak is not None and soak not in config.environments:
                raise InputError(
                    f"there is no environment {soak!r}", code="unknown-environment", where=place
                )
            if soak == environment.name:
                raise InputError(
                    f"{soak} cannot wait for itself", code="config-value", where=place,
                    hint="name the environment that comes before it",
                )  # fmt: skip


def check_approval(config: Config, gate: Gate, place: Where) -> None:
    """Its people are declared with a key each, and are as many as must approve."""
    by = set(gate.settings.get("by") or config.people)
    for person in sorted(by):
        if person not in config.people:
            raise InputError(
                f"nobody is called {person!r} under people",
                code="config-unknown-person",
                where=place,
            )
        if not PUBLIC_KEY.fullmatch(config.people[person]):
            raise InputError(
                f"what {person} has under people is no SSH public key",
                code="config-public-key",
                where=config.where("people", person),
                hint="it is the line in their ~/.ssh/id_ed25519.pub, with their mail at its end",
            )
    count = int(gate.settings.get("count", 1))
    keys = {" ".join(config.people[person].split()[:2]) for person in by}
    if len(keys) < count:
        raise InputError(
            f"{count} approvals are wanted, and {len(keys)} people may give one",
            code="config-value",
            where=place,
            hint="name more people in `by`, each with a key of their own, or lower `count`",
        )
