"""Runs an application's test script in the very image that was built, before anyone uses it.

The script is the repository's own, laid into the image by the builder: its user, environment and
working directory are the image's, its entrypoint is not run, and it has no network (but where
builds cannot be confined), so that equal images and scripts have equal results. What passed is not
run again. The builder runs it as it runs ``RUN``, so wherever images can be built they can be
tested, and nothing of it is kept in them. What the builder makes of it goes with the leftovers.

``/run/tidegate/reports`` takes reports: pytest writes its JUnit report there by itself
(PYTEST_ADDOPTS), others find the place in ``TIDEGATE_REPORTS``.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tidegate.edges import leftovers
from tidegate.edges.builders import Built, detect
from tidegate.edges.private_dir import cache_dir, write_json
from tidegate.edges.process import Command, Completed, run
from tidegate.errors import DeploymentFailed, InfrastructureError
from tidegate.images import junit
from tidegate.images.junit import Counts

REPORTS, SCRIPT = "/run/tidegate/reports", "/run/tidegate/entrypoint_test.sh"
ENVIRONMENT = f"TIDEGATE_REPORTS={REPORTS} PYTEST_ADDOPTS=--junitxml={REPORTS}/pytest.xml"
TIMEOUT_S = 1800.0
LAST = 20
ENGINE_FAILED = 125  # podman-build(1), "Exit Status"; other numbers are the script's


@dataclass(frozen=True, slots=True)
class Tested:
    """``state`` is passed, or known where the same passed before."""

    state: str
    counts: Counts | None = None


def require(
    built: Built,
    script: str,
    folder: Path,
    bring: Callable[[Built], object],
    *,
    name: str,
    anew: bool = False,
) -> Tested:
    """Run the script of application ``name``; ``DeploymentFailed`` where it does not end with 0.

    ``folder`` gets ``test.log`` and the reports; ``bring`` puts the image into the builder's reach.
    """
    content = Path(script).read_bytes()
    text = hashlib.sha256(built.image.digest.encode() + b"\0" + content).hexdigest()
    note = cache_dir("tests") / text
    if note.exists() and not anew:
        return Tested("known", _noted(note))
    bring(built)
    reports = folder / "reports"
    reports.mkdir(exist_ok=True)
    reports.chmod(0o777)  # the image's user writes here, whoever that is
    done = _run(built, script, reports)
    (folder / "test.log").write_bytes(done.stdout + done.stderr)
    found = junit.counts(path.read_text(errors="replace") for path in reports.glob("*.xml"))
    if done.returncode:
        raise _failed(name, done, found, folder)
    counts = {key: getattr(found, key) for key in Counts.__match_args__} if found else None
    write_json(note, counts)
    return Tested("passed", found)


def _run(built: Built, script: str, reports: Path) -> Completed:
    words = [SCRIPT] if os.access(script, os.X_OK) else ["/bin/sh", SCRIPT]
    with tempfile.TemporaryDirectory(prefix="tidegate-test-") as folder:
        file, tag = Path(folder, "Dockerfile"), f"{leftovers.TESTED}:{Path(folder).name}"
        file.write_text(f"FROM {built.tag}\nENV {ENVIRONMENT}\nRUN {json.dumps(words)}\n")
        builder = detect()
        argv = (
            builder.name, "build", *builder.options, "--layers=false", "--pull-never",
            *(() if builder.options else ("--network=none",)), "--security-opt=label=disable",
            "--volume", f"{script}:{SCRIPT}:ro", "--volume", f"{reports}:{REPORTS}",
            "--tag", tag, "--file", str(file), folder,
        )  # fmt: skip
        done = run(Command(argv), timeout_s=TIMEOUT_S)
    if done.returncode == ENGINE_FAILED:
        words = done.complaint.splitlines()[-LAST:]
        raise InfrastructureError(
            f"{builder.name} does not run the image: {words[-1] if words else 'no words'}",
            code="image-run",
            log=tuple(words),
        )
    return done


def _failed(name: str, done: Completed, found: Counts | None, folder: Path) -> DeploymentFailed:
    words = (done.stdout + done.stderr).decode(errors="replace").splitlines()
    many = f"{found.failures + found.errors} of {found.tests} tests" if found else "the tests"
    return DeploymentFailed(
        f"{many} of {name} failed in its image (exit status {done.returncode})",
        code="tests-failed",
        hint=f"all of it is in {folder}",
        log=tuple(words[-LAST:]),
        subject=name,
    )


def _noted(note: Path) -> Counts | None:
    found = json.loads(note.read_text())
    return Counts(**found) if found else None
