"""Which files a release needs: asked here, read by whoever may; and the texts that are no files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidegate.errors import Where
from tidegate.release.files import bytes_digest
from tidegate.targets.quadlet.scope import Project, Scope


@dataclass(frozen=True, slots=True)
class WantedFile:
    """An absolute path; ``required`` when the project is wrong without it."""

    path: str
    required: bool
    where: Where


def wanted_files(project: Project) -> tuple[WantedFile, ...]:
    """Bind sources inside the project, files of configs, seccomp profiles. Not secrets."""
    scope = Scope(project, project.name)
    found: dict[str, WantedFile] = {}
    for name, compose in project.services.items():
        for index, mount in enumerate(compose.get("volumes") or []):
            source = mount.get("source") or ""
            if mount["type"] == "bind" and scope.relative(source) is not None:
                where = project.where(("services", name, "volumes", index))
                found.setdefault(source, WantedFile(source, False, where))
        for use in compose.get("configs") or []:
            path = (project.configs.get(use["source"]) or {}).get("file")
            if path:
                where = project.where(("configs", use["source"]))
                found[path] = WantedFile(path, True, where)
        for text in compose.get("security_opt") or []:
            profile = text[len("seccomp=") :].removeprefix("./")
            if text.startswith(("seccomp=", "seccomp:")) and _is_relative(profile):
                path = f"{project.working_dir.rstrip('/')}/{profile}"
                where = project.where(("services", name, "security_opt"))
                found[path] = WantedFile(path, True, where)
    return tuple(found[path] for path in sorted(found))


def config_texts(project: Project, variables: Mapping[str, str]) -> dict[str, bytes]:
    """Digest → content of the configs whose text is in the project or in a variable."""
    texts = [config_text(config, variables) for config in project.configs.values()]
    return {bytes_digest(text): text for text in texts if text is not None}


def config_text(config: Mapping[str, Any], variables: Mapping[str, str]) -> bytes | None:
    """The content of a config that is no file; None for a file or a variable that is not set."""
    text = config.get("content")
    if text is None and config.get("environment"):
        text = variables.get(config["environment"])
    return None if text is None else str(text).encode()


def config_place(instance: str, name: str) -> str:
    """Where the text of an exported config lies; `.` and `..` are names in compose, not folders."""
    return f"{instance}-configs/{name if name.strip('.') else f'@{name}'}"


def _is_relative(profile: str) -> bool:
    return profile not in ("unconfined", "builtin") and not profile.startswith("/")
