"""Which files of the project a release needs: asked here, read by whoever may read files."""

from __future__ import annotations

from dataclasses import dataclass

from tidegate.errors import Where
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


def _is_relative(profile: str) -> bool:
    return profile not in ("unconfined", "builtin") and not profile.startswith("/")
