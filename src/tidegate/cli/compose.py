"""``tidegate compose config``: the project as `docker compose config` prints it.

File discovery and the variables COMPOSE_FILE, COMPOSE_PROFILES, COMPOSE_ENV_FILES and
COMPOSE_PROJECT_NAME work as in docker compose
(https://docs.docker.com/compose/how-tos/environment-variables/envvars/).
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from tidegate.cli.output import progress, say, typed_path
from tidegate.errors import InputError

if TYPE_CHECKING:
    from tidegate.compose import Project, Source
    from tidegate.model.layout import Layout

app = App(
    name="compose",
    help="Compose files, as they are understood. Example: tidegate compose config",
    help_format="plaintext",
)


@app.command
def config(
    *,
    file: Annotated[list[str] | None, Parameter(name=("--file", "-f"))] = None,
    project: Annotated[str | None, Parameter(name=("--project", "-p"))] = None,
    profile: list[str] | None = None,
    env_file: list[str] | None = None,
    format: Literal["yaml", "json"] = "yaml",  # noqa: A002 - the name of the option
) -> None:
    """Print the project with everything resolved, as `docker compose config` does.

    Example: tidegate compose config -f compose.yaml -p shop --format json

    Args:
        file: A compose file; later ones win. Without any, what is found here or above.
        project: The project's name.
        profile: A profile to enable; * enables all.
        env_file: A file of variables, in place of .env; later ones win.
        format: yaml or json.
    """
    from tidegate.compose import as_json

    found = load_files(file, project, profile, env_file)
    for name, where in sorted(found.unset.items()):
        place = typed_path(where.file)
        progress(f"warning: {place}:{where.line}:{where.column}: variable {name} is not set")
    say(rendered(as_json(found), format))


def load_files(
    file: list[str] | None,
    project: str | None,
    profile: list[str] | None,
    env_file: list[str] | None,
) -> Project:
    """The project of the given files, or of those that are found here or above."""
    from tidegate.compose import load
    from tidegate.compose.layout import load_layout
    from tidegate.edges.disk import Disk

    variables = {"PWD": str(Path.cwd()), **os.environ}
    listed = variables.get("COMPOSE_ENV_FILES", "")
    directory, found = ("", file) if file else discovered(variables)
    loads = (
        partial(load, [source(name) for name in found])
        if isinstance(found, list)
        else partial(load_layout, found, directory)
    )
    return loads(
        reader=Disk(str(Path.cwd())),
        variables=variables,
        project=project,
        profiles=profile or (),
        env_files=env_file or (listed.split(",") if listed else None),
    )


def source(name: str) -> str | Source:
    """A file by its name; `-` is standard input."""
    from tidegate.compose import Source

    return Source("-", sys.stdin.read()) if name == "-" else name


def discovered(variables: dict[str, str]) -> tuple[str, list[str] | Layout]:
    """COMPOSE_FILE, or what is nearest at or above this directory.

    That is a compose file with its override, or applications/ and services/; with its directory.
    """
    from tidegate.config.load import find_compose_files, find_layout

    listed = variables.get("COMPOSE_FILE")
    if listed:
        return "", listed.split(variables.get("COMPOSE_PATH_SEPARATOR") or os.pathsep)
    here = Path.cwd()
    for directory in (here, *here.parents):
        present = find_compose_files(directory)
        if present:
            return str(directory), [str(directory / name) for name in present]
        folders = find_layout(directory)
        if folders.files:
            return str(directory), folders
    raise InputError(
        "no compose file here or above", code="compose-file", hint="name one with -f FILE"
    )


def rendered(data: dict[str, Any], form: str) -> str:
    """The project as text; YAML quotes whatever a YAML 1.2 reader could take for something else."""
    if form == "json":
        import json

        return json.dumps(data, indent=2, ensure_ascii=False, sort_keys=True)
    import yaml

    from tidegate.compose.scalars import resolve

    class Dumper(yaml.CSafeDumper):
        def ignore_aliases(self, _data: Any) -> bool:
            return True

    def text(dumper: yaml.CSafeDumper, value: str) -> yaml.Node:
        bare = isinstance(resolve(value, None, plain=True), str)
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, None if bare else '"')

    Dumper.add_representer(str, text)
    services = data["services"]
    absent = ("command", "entrypoint")
    for name, service in services.items():
        services[name] = {k: v for k, v in service.items() if v is not None or k not in absent}
    return yaml.dump(data, Dumper=Dumper, allow_unicode=True, width=10_000).rstrip("\n")
