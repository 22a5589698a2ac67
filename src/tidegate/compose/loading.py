"""Compose files become a project, exactly as docker compose 2.40.3 loads them.

Pure: files come through a reader, variables as a mapping. Wrong input raises InputError with
file, line, column and a hint. Precedence of variables: `variables`, then the env files (later
ones win), by default `.env` beside the first file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tidegate.compose.assemble import Assembler
from tidegate.compose.checks import Parts, check
from tidegate.compose.document import read
from tidegate.compose.files import Reader, Scope, Source, parent
from tidegate.compose.nodes import Mark, Node, Path, fail
from tidegate.compose.normalize import normalize
from tidegate.compose.paths import join
from tidegate.compose.project import SECTIONS, Project, from_root
from tidegate.compose.resolve import prune, resolve_files
from tidegate.compose.shapes import SECTIONS as SHAPES
from tidegate.compose.variables import Used, VariableError, substitute

_NOT_IN_NAMES = re.compile(r"[^a-z0-9_-]")
_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))


def load(
    files: Sequence[Source | str],
    *,
    reader: Reader,
    variables: Mapping[str, str],
    project: str | None = None,
    profiles: Sequence[str] = (),
    env_files: Sequence[str] | None = None,
) -> Project:
    """The project that the files describe, in the order of their strength, weakest first.

    Without `profiles`, COMPOSE_PROFILES counts; `*` enables all. Without `project`, the name
    comes from COMPOSE_PROJECT_NAME, the files' `name`, or the first file's directory.
    """
    if not files:
        fail("no compose file", None, code="compose-file", hint="give one with -f")
    assembler = Assembler(reader, variables.get("HOME", ""))
    sources = [_source(file, assembler) for file in files]
    directory = parent(sources[0].name)
    environment = _environment(assembler, variables, directory, env_files)
    name = _project_name(project, sources, environment, assembler)
    environment["COMPOSE_PROJECT_NAME"] = name
    root = assembler.model(sources, Scope(directory, directory, environment))
    if not root.children():
        fail("empty compose file", root, code="compose-file", hint="it needs services:")
    normalize(root, name, environment)
    parts = _enabled(_decode(root), _profiles(profiles, environment))
    check(parts)
    resolve_files(parts, assembler, environment)
    parts = prune(parts)
    tree = Node({"name": Node(name, root.at)}, root.at)
    for section in SECTIONS:
        known = root.get(section) or root
        tree.children()[section] = known.become(dict(getattr(parts, section)))
    extensions = {key: child for key, child in root.children().items() if key.startswith("x-")}
    tree.children().update(extensions)
    return from_root(name, directory, tree, environment, assembler.unset, parts.disabled)


def _source(file: Source | str, assembler: Assembler) -> Source:
    if isinstance(file, Source):
        assembler.allowance.take_text(file.text, (file.name, 0, 0))
        return Source(assembler.reader.absolute(file.name), file.text)
    return assembler.open(assembler.reader.absolute(file), None)


def _environment(
    assembler: Assembler,
    variables: Mapping[str, str],
    directory: str,
    env_files: Sequence[str] | None,
) -> dict[str, str]:
    if env_files is not None:
        names = [assembler.reader.absolute(file) for file in env_files]
    elif variables.get("COMPOSE_DISABLE_ENV_FILE") in _TRUE:
        names = []
    else:
        default = join(directory, ".env")
        names = [default] if assembler.reader.is_file(default) else []
    return assembler.environment(variables, names, None)


def _profiles(chosen: Sequence[str], environment: Mapping[str, str]) -> Sequence[str]:
    if chosen:
        return chosen
    return [part.strip() for part in environment.get("COMPOSE_PROFILES", "").split(",")]


def _project_name(
    given: str | None,
    sources: Sequence[Source],
    environment: Mapping[str, str],
    assembler: Assembler,
) -> str:
    name = given or environment.get("COMPOSE_PROJECT_NAME")
    if name:
        if _normalized(name) != name:
            fail(
                f"invalid project name {name!r}",
                None,
                code="compose-project-name",
                hint="lower-case letters, digits, - and _; a letter or digit first",
            )
        return name
    written = _written_name(sources, assembler)
    if written is None:
        name, at = parent(sources[0].name).rpartition("/")[2], (sources[0].name, 1, 1)
    else:
        name, at = written.text(), written.at
        try:
            name = substitute(name, environment.get, Used())
        except VariableError as error:
            fail(f"name: {error}", written, code="compose-variable", hint=error.hint)
    name = _normalized(name)
    if not name:
        fail("the project name is empty", at, code="compose-project-name", hint="give one with -p")
    return name


def _written_name(sources: Sequence[Source], assembler: Assembler) -> Node | None:
    """The last `name:` of the files."""
    found = None
    for source in sources:
        if "name" not in source.text:
            continue
        assembler.parsed[source.name] = list(read(source, assembler.allowance))
        for document in assembler.parsed[source.name]:
            name = document.root.get("name")
            if name is not None and name.text():
                found = name
    return found


def _normalized(name: str) -> str:
    return _NOT_IN_NAMES.sub("", name.lower()).lstrip("_-")


def _decode(root: Node) -> dict[str, dict[str, Node]]:
    """Every section in canonical form."""
    found: dict[str, dict[str, Node]] = {}
    for section, shape in SHAPES.items():
        entries = root.get(section)
        found[section] = {}
        for name, entry in entries.children().items() if entries else ():
            path: Path = (section, name)
            found[section][name] = shape(entry, path) or entry.become({})
    return found


def _enabled(sections: dict[str, dict[str, Node]], profiles: Sequence[str]) -> Parts:
    services = sections.pop("services")
    enabled = {name: node for name, node in services.items() if _has_profile(node, profiles)}
    disabled = {name: node for name, node in services.items() if name not in enabled}
    return Parts(services=enabled, disabled=disabled, **sections)


def _has_profile(service: Node, profiles: Sequence[str]) -> bool:
    own = service.get("profiles")
    if own is None:
        return True
    return "*" in profiles or any(item.value in profiles for item in own.items())


__all__ = ["Mark", "Project", "Source", "load"]
