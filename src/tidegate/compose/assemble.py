"""Files become one model: several files, `extends` and `include`, each in its own directory.

Reading goes through a :class:`Reader`; everything else is values in, values out.
Source: https://github.com/compose-spec/compose-go/tree/v2.9.1/loader (loader.go, include.go).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tidegate.compose.canonical import canonical, with_defaults
from tidegate.compose.document import Document, read
from tidegate.compose.dotenv import Entry, parse
from tidegate.compose.extends import MAX_CHAIN, Extender
from tidegate.compose.files import (
    LONG_VALUES,
    SERVICE_VALUES,
    Allowance,
    Reader,
    Scope,
    Source,
    discard,
    from_base,
    local,
    parent,
)
from tidegate.compose.interpolate import Interpolation
from tidegate.compose.merge import merge
from tidegate.compose.nodes import Mark, Node, fail, plain
from tidegate.compose.paths import Paths, join
from tidegate.compose.ports import values
from tidegate.compose.schema import validate
from tidegate.compose.sections import check_sections
from tidegate.compose.shapes import INCLUDE
from tidegate.compose.unique import unique

MISSING = "the path counts from the file that names it; write it, or leave the name out"


@dataclass(slots=True)
class Assembler:
    """Loads groups of files; `unset` collects the variables that had no value."""

    reader: Reader
    home: str
    unset: dict[str, Mark] = field(default_factory=dict)
    allowance: Allowance = field(default_factory=Allowance)
    parsed: dict[str, list[Document]] = field(default_factory=dict)

    def parse(self, source: Source) -> list[Document]:
        """The documents of a compose file, those of `parsed` for once."""
        self.allowance.take_file((source.name, 1, 1))
        return self.parsed.pop(source.name, None) or list(read(source, self.allowance))

    def open(self, path: str, at: Mark | None) -> Source:
        """A file that another one names at `at`."""
        try:
            source = Source(path, self.reader.read(path))
        except FileNotFoundError:
            fail(f"no such file: {path}", at or (path, 0, 0), code="compose-file", hint=MISSING)
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            hint = f"save it as UTF-8; the first wrong byte is in line {line}"
            fail(f"not UTF-8 text: {path}", at or (path, line, 0), code="compose-file", hint=hint)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            hint = f"is it a file, and yours to read? ls -ld {path}"
            fail(
                f"cannot read {path}: {reason}", at or (path, 0, 0), code="compose-file", hint=hint
            )
        self.allowance.take_text(source.text, at or (path, 0, 0))
        return source

    def model(self, files: Sequence[Source], scope: Scope) -> Node:
        """The files as one model in long form, with absolute paths."""
        found = Node({}, (files[0].name, 1, 1))
        for file in files:
            for document in self.parse(file):
                found = self._add(found, document, file.name, scope)
        found = with_defaults(found)
        check_sections(found)
        self.paths(scope.directory).resolve(found)
        _resolve_environment(found, scope.environment)
        return found

    def paths(self, directory: str) -> Paths:
        """How relative paths of a directory's files are resolved."""
        return Paths(directory, self.home, self.reader.follow)

    def interpolate(self, document: Document, scope: Scope) -> Node:
        """A document's own copy, with its variables replaced."""
        if not isinstance(document.root.value, dict):
            hint = "it needs services: with one key for each service below it"
            fail(
                "a compose file must be a mapping", document.root, code="compose-schema", hint=hint
            )
        lookup = self.allowance.lookup(scope.environment.get)
        return Interpolation(lookup, self.unset).apply(document.root)

    def _add(self, found: Node, document: Document, file: str, scope: Scope) -> Node:
        layer = self.interpolate(document, scope)
        Extender(self, scope).apply(layer, file, document.discarded)
        discard(found, document.discarded)
        self._include(layer, replace(scope, included=(*scope.included, file)))
        found = unique(merge(found, layer))
        validate(found)
        self._count(layer)
        found.children().pop("version", None)
        return unique(canonical(found))

    def _count(self, layer: Node) -> None:
        """Count what becomes more than it is: services, ranges of ports, short forms."""
        services = layer.get("services")
        for service in services.children().values() if services else ():
            self.allowance.take_values(SERVICE_VALUES, service)
            for key in ("depends_on", "ports", "volumes"):
                for item in (service.get(key) or service).items():
                    count = values(item.text()) if key == "ports" else LONG_VALUES
                    self.allowance.take_values(count, item)

    def _include(self, layer: Node, scope: Scope) -> None:
        """Put what `include` names into the layer that names it."""
        included = layer.children().pop("include", None)
        if included is None or included.value is None:
            return
        if not isinstance(included.value, list):
            fail("`include` must be a list", included, code="compose-schema")
        for position, item in enumerate(included.value):
            entry = item.become({"path": item}) if isinstance(item.value, str) else item
            form = INCLUDE(entry, ("include", position))
            if form is not None:
                _import(self._included(form, scope), layer)

    def _included(self, form: Node, scope: Scope) -> Node:
        paths = form.get("path")
        if paths is None or not paths.items():
            fail("an include needs a path", form, code="compose-missing")
        names = [local(item, scope.base) for item in paths.items()]
        if len(scope.included) > MAX_CHAIN:
            fail(f"more than {MAX_CHAIN} files include each other", form, code="compose-too-large")
        if names[0] in scope.included:
            fail(
                "include cycle: " + " includes ".join((*scope.included, names[0])),
                paths.items()[0],
                code="compose-cycle",
                hint="take one of them out of include:",
            )
        project = form.get("project_directory")
        if project is None:
            base = directory = parent(names[0])
        else:
            base = directory = from_base(project.text(), scope.base)
            if not self.reader.is_dir(directory):
                directory = parent(directory)
        environment = self._include_environment(form, base, scope)
        files = [self.open(name, paths.at) for name in names]
        return self.model(files, Scope(base, directory, environment, scope.included))

    def _include_environment(self, form: Node, base: str, scope: Scope) -> Mapping[str, str]:
        listed = form.get("env_file")
        if listed is not None and listed.items():
            names = [from_base(item.text(), scope.directory) for item in listed.items()]
        else:
            default = join(base, ".env")
            names = [default] if self.reader.is_file(default) else []
        return self.environment(scope.environment, names, form.at)

    def environment(
        self, strongest: Mapping[str, str], files: Sequence[str], at: Mark | None
    ) -> dict[str, str]:
        """Variables, and below them those of files, of which later ones win."""
        entries: dict[str, Entry] = {}
        for name in files:
            if self.reader.is_dir(name):
                fail(f"{name} is a directory", at or (name, 0, 0), code="env-file")
            text = self.open(name, at).text
            entries |= parse(text, name, entries, strongest.get, self.allowance)
        return {**{key: entry.value for key, entry in entries.items()}, **strongest}


def _import(source: Node, target: Node) -> None:
    for section in ("services", "volumes", "networks", "secrets", "configs", "models"):
        found = source.get(section)
        if found is None or found.value is None:
            continue
        known = target.get(section)
        entries = dict(known.children()) if known else {}
        for name, entry in found.children().items():
            if name in entries and plain(entries[name]) != plain(entry):
                fail(
                    f"{section}.{name} conflicts with the one that is included",
                    entries[name].key_at or entries[name],
                    code="compose-conflict",
                    hint="rename one, or override it in a file of the include's own path list",
                )
            entries[name] = entry
        target.children()[section] = (known or found).become(entries)


def _resolve_environment(root: Node, environment: Mapping[str, str]) -> None:
    """`- NAME` in a service's environment takes its value from outside."""
    services = root.get("services")
    for service in services.children().values() if services else ():
        listed = service.get("environment")
        if listed is not None and isinstance(listed.value, list):
            listed.value = [
                inherited(item, environment) for item in listed.value if isinstance(item.value, str)
            ]


def inherited(item: Node, environment: Mapping[str, str]) -> Node:
    """`NAME` as `NAME=value`, if there is a value."""
    name = item.text()
    value = environment.get(name)
    if value is None or "=" in name:
        return item
    return Node(f"{name}={value}", item.at, item.key_at, item.used | {name})
