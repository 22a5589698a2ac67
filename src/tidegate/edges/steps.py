"""Steps before a build: run once for the same inputs, and again where an output is lost.

A step runs as a command of this machine in its own folder. What it reads and what it made are
digested; equal digests of both mean that there is nothing to do.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tidegate.edges import context
from tidegate.edges.private_dir import cache_path, write_json
from tidegate.edges.process import Command, run
from tidegate.errors import DeploymentFailed, InputError
from tidegate.images.selection import Selection
from tidegate.model.config import Step

LAST = 20  # lines of a failed step that are shown


def perform(step: Step, root: str, log: Path) -> bool:
    """Run a step where it must be; whether it ran. ``log`` gets what it said."""
    folder = Path(root, step.directory)
    if not folder.is_dir():
        raise InputError(
            f"there is no folder {step.directory}",
            code="step-folder",
            where=step.where,
            hint="`in:` counts from the directory of tidegate.yaml",
        )
    key = _key(step, root)
    note = cache_path("steps") / hashlib.sha256(f"{root}\0{step.name}".encode()).hexdigest()
    if _known(note) == [key, made(step, root)]:
        return False
    done = run(Command(step.run), timeout_s=step.timeout_s, cwd=str(folder))
    log.write_bytes(done.stdout + done.stderr)
    if done.returncode:
        raise DeploymentFailed(
            f"the step {step.name} ended with {done.returncode}",
            code="step-failed",
            where=step.where,
            hint=f"its whole output is in {log}",
            log=tuple(done.complaint.splitlines()[-LAST:]),
        )
    _require_outputs(step, root)
    write_json(note, [_key(step, root), made(step, root)])
    return True


def made(step: Step, root: str) -> str:
    """The digest of what is there of its outputs."""
    return context.files_digest(root, Selection(step.outputs))


def _key(step: Step, root: str) -> str:
    inputs = step.inputs or (step.directory,)
    read = context.files_digest(root, Selection(inputs, without=step.outputs))
    return hashlib.sha256(json.dumps([step.run, step.directory, read]).encode()).hexdigest()


def _require_outputs(step: Step, root: str) -> None:
    """Each output is there: an image built without it would be another one."""
    for pattern in step.outputs:
        if not any(context.paths(root, Selection([pattern]))):
            raise DeploymentFailed(
                f"the step {step.name} did not make {pattern}",
                code="step-output",
                where=step.where,
                hint="outputs: count from the folder of tidegate.yaml",
            )


def _known(note: Path) -> list[str]:
    try:
        return [str(item) for item in json.loads(note.read_text())]
    except (OSError, ValueError):
        return []
