"""The rung on which what the units say to podman is compared with what the compose file means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tidegate.testing.prove.compose import spoken
from tidegate.testing.prove.compose.meaning import Meant, meaning
from tidegate.testing.prove.compose.meaning_mounts import ANONYMOUS, NAMES, TEXT
from tidegate.testing.prove.compose.meaning_networks import KINDS
from tidegate.testing.prove.compose.spoken import Options
from tidegate.testing.quadlet.argv import parts, podman_argv
from tidegate.testing.quadlet.generator import FOLDER

Project = Mapping[str, Any]


def units_of(project: Project, report: Mapping[str, Any], name: str) -> list[str]:
    """The .container files of a service: its own name, numbered ones, or what the report says."""
    named = {entry["path"]: entry["to"] for entry in report["entries"]}.get(f"services.{name}")
    if named:
        return list(named.split(","))
    start, count = f"{project['name']}-{name}", copies(project["services"][name])
    if count < 2:
        return [f"{start}.container"]
    return [f"{start}-{number}.container" for number in range(1, count + 1)]


def copies(service: Mapping[str, Any]) -> int:
    """How many containers a service has."""
    deploy = service.get("deploy") or {}
    given = service.get("scale", deploy.get("replicas"))
    return 1 if given is None else int(given)


def compare(
    project: Project,
    report: Mapping[str, Any],
    services: Mapping[str, str],
    given: Mapping[str, Any],
) -> Iterator[str]:
    """Every difference, one line each.

    ``services`` are the generated units by name, ``given`` what ``Meant`` needs besides.
    """
    argvs: dict[str, list[list[str]]] = {}
    for name, service in project["services"].items():
        if service.get("provider"):
            continue  # a program of the host in place of a container
        made = [made_of(unit) for unit in units_of(project, report, name)]
        missing = [unit for unit in made if unit not in services]
        if missing:
            yield f"{name}: there is no {', '.join(missing)}"
            return
        argvs[name] = [podman_argv(services[unit]) for unit in made]
    containers = {name: spoken.container(found[0]) for name, found in argvs.items()}
    yield from _names(project, argvs)
    for name, found in argvs.items():
        for index, argv in enumerate(found):
            wanted = meaning(Meant(project, name, containers, **given, copy=index))
            for line in _differences(wanted, known(project, spoken.spoken(argv))):
                yield f"{name}: {line}"


def compare_others(project: Project, argvs: Mapping[str, Sequence[list[str]]]) -> Iterator[str]:
    """Every difference of networks and volumes; ``argvs`` are what their units run, by kind."""
    for kind, found in argvs.items():
        bodies = [
            (str(body.get("name") or key), body)
            for key, body in (project.get(f"{kind}s") or {}).items()
            if not body.get("external")
        ]
        wanted = {
            name: Counter(KINDS[kind](body)) for name, body in bodies if NAMES.fullmatch(name)
        }
        said = {}
        for argv in found:
            pairs, words = parts(argv, (kind, "create"))
            said[words[0]] = Counter(pair for pair in pairs if pair[0] != "--ignore")
        yield from (f"{kind} {name}: there is none" for name in sorted(wanted.keys() - said.keys()))
        for name in wanted.keys() & said.keys():
            for line in _differences(wanted[name], said[name]):
                yield f"{kind} {name}: {line}"


def made_of(unit: str) -> str:
    """The service that Quadlet makes of a unit file."""
    stem, _, kind = unit.rpartition(".")
    return f"{stem}.service" if kind == "container" else f"{stem}-{kind}.service"


def _names(project: Project, argvs: Mapping[str, list[list[str]]]) -> Iterator[str]:
    """A container has the name that the file gives it, and no two have the same."""
    names = Counter(spoken.container(argv) for found in argvs.values() for argv in found)
    yield from (
        f"{count} containers are called {name}" for name, count in names.items() if count > 1
    )
    for name, service in project["services"].items():
        given = service.get("container_name")
        if given and given not in names:
            yield f"{name}: no container is called {given}"


def known(project: Project, said: Options) -> Options:
    """What was said, with one name for all volumes without one and for all texts."""
    bodies = (project.get("volumes") or {}).items()
    volumes = {body.get("name") or key for key, body in bodies}
    found: Options = Counter()
    for (option, value), count in said.items():
        if option == "mount":
            kind, source, target, words = value.split("|")
            if kind == "volume" and source not in volumes:
                source = ANONYMOUS
            elif kind == "bind" and source.startswith(f"{FOLDER}/"):
                source = TEXT
            value = "|".join([kind, source, target, words])
        found[option, value] += count
    return found


def _differences(wanted: Options, said: Options) -> Iterator[str]:
    for (option, value), count in sorted((wanted - said).items()):
        yield f"lost: {option} {value}" + (f" ({count} times)" if count > 1 else "")
    for (option, value), count in sorted((said - wanted).items()):
        yield f"added: {option} {value}" + (f" ({count} times)" if count > 1 else "")
