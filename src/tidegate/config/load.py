"""tidegate.yaml becomes a ``Config``: found, read, checked, every value with its place.

``read_config`` is pure; ``load_config`` reads the file and looks which compose files exist.
"""

from __future__ import annotations

import re

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
from tidegate.config.nearest import nearest
from tidegate.errors import InputError, Where
from tidegate.model import config as model
from tidegate.model.config import Config, Gate
from tidegate.model.layout import Layout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

FILE = "tidegate.yaml"
EXAMPLE = "production: {hosts: {web-1: {ssh: deploy@203.0.113.10}}}"
NO_FOLDERS = Layout()
# An OpenSSH public key as in its .pub file, comment or not: sshd(8), AUTHORIZED_KEYS FILE FORMAT.
PUBLIC_KEY = r"(?:ssh|ecdsa|sk)-\S+ AAAA\S*(?: .*)?"


def load_config(path: str | Path = FILE) -> Config:
    """Read a tidegate.yaml; ``InputError`` names the place of whatever is wrong in it."""
    from pathlib import Path  # 5 ms that reading a text does not need

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
        from tidegate.config.unreadable import unreadable

        raise unreadable(str(path), error, code="config-unreadable") from None
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
        from tidegate.config.unreadable import unreadable

        raise unreadable(str(error.filename), error, code="compose-unreadable") from None
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
    from tidegate.compose.document import read  # 20 ms that `config_of` does not need

    roots = [document.root for document in read(Source(file, text), Allowance())]
    return config_of(roots, file, root=root, compose=compose, folders=folders)


def config_of(
    documents: list[Node],
    file: str,
    *,
    root: str,
    compose: tuple[str, ...] = (),
    folders: Layout = NO_FOLDERS,
) -> Config:
    """The same, of a file whose YAML is read already."""
    if len(documents) > 1:
        hint = "take out the line --- and what follows it"
        fail("one YAML document is wanted here", documents[1], code="config-documents", hint=hint)
    if not documents or documents[0].value is None:
        raise InputError(
            f"{file} is empty",
            code="config-empty",
            where=Where(file, 1),
            hint="remove it, then `tidegate init` writes one",
        )
    node = documents[0]
    values = section(node, FILE, schema.TOP)
    required(node, FILE, values, "version", "environments")
    if not values["environments"]:
        environments = node.children()["environments"]
        fail(
            "there must be at least one environment",
            environments,
            code="config-environments",
            hint=f"as in {EXAMPLE}",
        )
    del values["version"]
    values.setdefault("project", default_project(root))
    values.setdefault("compose", compose)
    if values["compose"]:
        folders = NO_FOLDERS
    config = Config(file=file, root=root, **values, layout=folders, places=places(node))
    check_people(config)
    check_steps(config)
    return config


def default_project(root: str) -> str:
    """The directory's name with what a project's name cannot have taken out, as compose does."""
    return (
        re.sub(r"[^a-z0-9_-]", "", root.rstrip("/").rpartition("/")[2].lower()).lstrip("-_")[:40]
        or "project"
    )


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


def check_steps(config: Config) -> None:
    """Applications name steps that there are."""
    for application in config.applications.values():
        for name in application.steps:
            if name not in config.steps:
                close = nearest(name, config.steps)
                raise InputError(
                    f"there is no step {name!r}",
                    code="unknown-step",
                    where=config.where("applications", application.name, "steps"),
                    hint=f"did you mean {close}?" if close else "steps: declares them",
                )


def check_people(config: Config) -> None:
    """An approval can be given by people whom the file declares, a soak is in its environments."""
    for person, key in config.people.items():
        if not re.fullmatch(PUBLIC_KEY, key):
            raise InputError(
                f"what {person} has under people is no SSH public key",
                code="config-public-key",
                where=config.where("people", person),
                hint="it is the line in their ~/.ssh/id_ed25519.pub, with their mail at its end",
            )
    for environment in config.environments.values():
        for index, gate in enumerate(environment.gates):
            place = config.where("environments", environment.name, "gates", index, gate.kind)
            if gate.kind == "approval":
                check_approval(config, gate, place)
            soak = gate.settings.get("in")
            if soak is not None and soak not in config.environments:
                close = nearest(str(soak), config.environments)
                known = ", ".join(config.environments)
                raise InputError(
                    f"there is no environment {soak!r}", code="unknown-environment", where=place,
                    hint=f"did you mean {close}?" if close else f"there are: {known}",
                )  # fmt: skip
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
            close = nearest(person, config.people)
            known = ", ".join(config.people) or "nobody"
            raise InputError(
                f"nobody is called {person!r} under people",
                code="config-unknown-person",
                where=place,
                hint=f"did you mean {close}?" if close else f"there are: {known}",
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
