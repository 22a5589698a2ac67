"""``tidegate export quadlet``: a compose project as unit files, with a report of every key."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from tidegate.cli.output import progress, say
from tidegate.errors import InputError

if TYPE_CHECKING:
    from tidegate.targets.quadlet.export import Exported

app = App(
    name="export",
    help="The project in the words of other tools. Example: tidegate export quadlet --out units",
    help_format="plaintext",
)
# So many keys are named in an error; the report has them all.
NAMED = 5


@app.command
def quadlet(
    *,
    out: str,
    file: Annotated[list[str] | None, Parameter(name=("--file", "-f"))] = None,
    project: Annotated[str | None, Parameter(name=("--project", "-p"))] = None,
    profile: list[str] | None = None,
    env_file: list[str] | None = None,
    rootful: bool = False,
    strict: bool = False,
    report: str = "",
) -> None:
    """Write the project as Quadlet unit files for Podman 5.4 and newer.

    Example: tidegate export quadlet -f compose.yaml -p shop --out units

    Args:
        out: The folder to write; it may exist when it is empty.
        file: A compose file; later ones win. Without any, what is found here or above.
        project: The project's name.
        profile: A profile to enable; * enables all.
        env_file: A file of variables, in place of .env; later ones win.
        rootful: For root's Podman in place of a user's.
        strict: Write nothing when any key is not carried out.
        report: A file for the report of every key, as JSON.
    """
    from tidegate.cli.compose import load_files
    from tidegate.targets.quadlet.export import export

    loaded = load_files(file, project, profile, env_file)
    made = export(loaded, variables=loaded.variables, rootful=rootful)
    if strict:
        require_all(made)
    if report and not Path(report).parent.is_dir():
        raise InputError(
            f"there is no folder {Path(report).parent}",
            code="usage",
            hint="name a file in a folder that exists, as in --report report.json",
        )
    folder = empty(Path(out))
    write(folder, made)
    source = loaded.where(("services",)).file
    if report:
        write_report(Path(report), made, source)
    for entry in made.unsupported:
        progress(f"warning: {told(entry)}")
    say(f"{len(made.files)} files in {out}")


def told(entry: object) -> str:
    """An entry in one line."""
    from tidegate.targets.quadlet.sheet import Entry, shown

    assert isinstance(entry, Entry)
    return f"{shown(entry.path)}: {entry.reason}"


def require_all(made: Exported) -> None:
    """``InputError`` naming the first keys that are not carried out."""
    missing = made.unsupported
    if missing:
        listed = "; ".join(told(entry) for entry in missing[:NAMED])
        more = f"; and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
        raise InputError(
            f"not carried out: {listed}{more}",
            code="export-unsupported",
            hint="without --strict they are left out, and the report names them",
        )


def empty(folder: Path) -> Path:
    """The folder, made; ``InputError`` where it holds something."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        occupied = any(folder.iterdir())
    except OSError as problem:
        raise InputError(
            f"cannot write to {folder}: {problem.strerror}",
            code="export-folder",
            hint="name a folder that you may write to",
        ) from None
    if occupied:
        raise InputError(
            f"{folder} is not empty",
            code="export-folder",
            hint="name a new folder, so that nothing old stays among the units",
        )
    return folder


def write(folder: Path, made: Exported) -> None:
    """All files, below ``folder``."""
    for name, text in made.files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


def write_report(path: Path, made: Exported, source: str) -> None:
    """The report, one JSON object."""
    import json

    text = json.dumps(made.report(source), indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
