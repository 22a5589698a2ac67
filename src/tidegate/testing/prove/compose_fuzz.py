"""Damaged compose files and bombs: a result or an error with its place, soon, and nothing else.

Each file is loaded, printed, exported and rendered as a release. Worker processes with a bound on
their memory do it, so a crash or a hang is a violation with its name, not the end of the proof.
"""

from __future__ import annotations

import faulthandler
import json
import multiprocessing
import os
import random
import resource
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from tidegate.compose import Project, Reader, Source, as_json, load
from tidegate.edges.disk import Disk
from tidegate.errors import InputError
from tidegate.model.config import Switch
from tidegate.release.image import ImageRef
from tidegate.targets.quadlet.export import export
from tidegate.targets.quadlet.render import render
from tidegate.testing.files import Memory, parts
from tidegate.testing.prove import bombs
from tidegate.testing.prove.mutations import mutate

LIMIT_S = 2.0  # of processor time
LIMIT_MB = 500
HANG_S = 120.0  # of wall-clock time: the machine may be busy
WORKERS = 2
KEPT = 4000  # characters of a file that broke a rule
PEAK = Path("/proc/self/clear_refs")
DIGEST = "sha256:" + "a" * 64
VARIABLES = {"HOME": "/home/user", "PATH": "/bin", "X": "1"}


class TooSlowError(BaseException):
    """Raised inside whatever takes longer than it may."""


@dataclass(frozen=True, slots=True)
class Material:
    """What can be damaged: a compose file, and the files that it may name."""

    source: Source
    reader: Reader


@dataclass(slots=True)
class Verdict:
    """What became of one file; ``problem`` is empty unless a rule was broken."""

    name: str
    outcome: str = "hung or died"
    problem: str = ""
    seconds: float = 0.0
    peak_mb: int = 0
    text: str = field(default="", repr=False)


def fuzz(seed: int, count: int, files: Sequence[Path]) -> tuple[list[str], dict[str, Any]]:
    """Try ``count`` damaged files and every bomb; the rules that were broken, and figures.

    ``files`` are compose files, or cases with such files in them (tests/compose/cases).
    """
    materials = originals(files)
    names = [*bombs.BOMBS, *(str(number) for number in range(count))]
    began = time.monotonic()
    verdicts = list(_run([names[first::WORKERS] for first in range(WORKERS)], seed, materials))
    return [_told(verdict, seed) for verdict in verdicts if verdict.problem], {
        "files": len(materials),
        "damaged": count,
        "bombs": len(bombs.BOMBS),
        "results": sum(verdict.outcome == "result" for verdict in verdicts),
        "errors": sum(verdict.outcome == "error" for verdict in verdicts),
        "slowest_s": round(max(verdict.seconds for verdict in verdicts), 2),
        "slowest": max(verdicts, key=lambda verdict: verdict.seconds).name,
        "peak_mb": max(verdict.peak_mb for verdict in verdicts),
        "wall_s": round(time.monotonic() - began),
    }


def _told(verdict: Verdict, seed: int) -> str:
    return f"{verdict.name} of seed {seed}: {verdict.problem}\n{verdict.text}"


def originals(files: Sequence[Path]) -> list[Material]:
    """The files to damage; of a case (.txt), all that are YAML."""
    found = []
    for path in files:
        text = path.read_text(encoding="utf-8")
        if path.suffix != ".txt":
            found.append(Material(Source(str(path), text), Disk(str(path.parent))))
            continue
        inside = Memory(parts(text)[1])
        for name, part in inside.files.items():
            if name.endswith((".yaml", ".yml")):
                found.append(Material(Source(inside.absolute(name), part), inside))
    return found


def damaged(seed: int, number: int, materials: Sequence[Material]) -> Material:
    """One of the files with some damages, always the same for the same two numbers."""
    chance = random.Random(f"{seed}/{number}")  # noqa: S311 - to be repeated, not to be secret
    one = chance.choice(materials)
    other = [chance.choice(materials).source.text]
    text = mutate(one.source.text, chance, other)
    return Material(Source(one.source.name, text), one.reader)


def bomb(name: str) -> Material:
    """A bomb, with its files in memory."""
    reader = Memory(bombs.files(name))
    return Material(Source("/case/compose.yaml", reader.files["compose.yaml"]), reader)


def attempt(name: str, material: Material) -> Verdict:
    """Load, print, export and render one file, and judge what came of it."""
    verdict = Verdict(name)
    PEAK.write_text("5")  # begin anew: https://docs.kernel.org/filesystems/proc.html
    signal.signal(signal.SIGPROF, _too_slow)
    begin = time.process_time()
    try:
        signal.setitimer(signal.ITIMER_PROF, 2 * LIMIT_S)
        verdict.outcome = _outcome(material)
    except TooSlowError:
        verdict.problem = f"more than {2 * LIMIT_S} s"
    except MemoryError:
        verdict.problem = f"more than {LIMIT_MB} MB"
    except Exception as error:
        verdict.problem = f"{type(error).__name__}: {error}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    verdict.seconds = time.process_time() - begin
    verdict.peak_mb = _peak_kb() // 1024
    if not verdict.problem and verdict.seconds > LIMIT_S:
        verdict.problem = f"{verdict.seconds:.1f} s"
    if not verdict.problem and verdict.peak_mb > LIMIT_MB:
        verdict.problem = f"{verdict.peak_mb} MB"
    if verdict.problem:
        verdict.text = material.source.text[:KEPT]
    return verdict


def _peak_kb() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def _outcome(material: Material) -> str:
    """``result`` or ``error``; raises whatever else comes."""
    told: list[InputError] = []
    project = _tried(lambda: _load(material), told)
    if project is not None:
        _tried(lambda: _exported(project), told)
        _tried(lambda: _rendered(project), told)
    for error in told:
        if error.where is None or not error.where.file or not error.message:
            raise AssertionError(f"an error without a place: {error}")
    return "result" if project is not None else "error"


def _tried(act: Callable[[], Any], told: list[InputError]) -> Any:
    try:
        return act()
    except InputError as error:
        told.append(error)
        return None


def _load(material: Material) -> Project:
    project = load(
        [material.source],
        reader=material.reader,
        variables=VARIABLES,
        project="p",
        profiles=["*"],
    )
    json.dumps(as_json(project), ensure_ascii=False).encode()
    return project


def _exported(project: Project) -> None:
    made = export(project, variables=project.variables)
    json.dumps(made.report("compose.yaml"), ensure_ascii=False).encode()
    for name, text in made.files.items():
        if ".." in name.split("/") or name.startswith("/"):
            raise AssertionError(f"a file outside of the folder: {name}")
        text.encode()


def _rendered(project: Project) -> None:
    release = render(
        project,
        settings={},
        images={name: ImageRef(f"docker.io/library/x@{DIGEST}") for name in project.services},
        instance="p",
        environment="production",
        variables=project.variables,
        proxy=f"docker.io/library/haproxy@{DIGEST}",
        switch=Switch(),
    )
    json.dumps(release, ensure_ascii=False).encode()


def _run(
    shares: Sequence[Sequence[str]], seed: int, materials: Sequence[Material]
) -> Iterator[Verdict]:
    """Each share in a process of its own; a new one goes on after one that died."""
    waiting = [list(share) for share in shares if share]
    running: dict[Connection, list[str]] = {}
    while waiting or running:
        while waiting:
            share = waiting.pop()
            running[_worker(share, seed, materials)] = share
        for connection in wait(list(running)):
            assert isinstance(connection, Connection)
            share = running[connection]
            try:
                verdict: Verdict = connection.recv()
            except EOFError:
                verdict = Verdict(share[0], problem="hung or died")
                del running[connection]
                waiting += [share[1:]] if share[1:] else []
            else:
                share.pop(0)
                if not share:
                    del running[connection]
            yield verdict


def _worker(names: Sequence[str], seed: int, materials: Sequence[Material]) -> Connection:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(theirs, list(names), seed, materials))
    process.start()
    theirs.close()
    return ours


def _work(
    connection: Connection, names: Sequence[str], seed: int, materials: Sequence[Material]
) -> None:
    # Address space is more than memory; what is really used is measured after each file.
    limit = (LIMIT_MB + 500) * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with Path(os.devnull).open("w") as nowhere:
        for name in names:
            faulthandler.dump_traceback_later(HANG_S, exit=True, file=nowhere)
            connection.send(attempt(name, _material(name, seed, materials)))


def _material(name: str, seed: int, materials: Sequence[Material]) -> Material:
    return bomb(name) if name in bombs.BOMBS else damaged(seed, int(name), materials)


def _too_slow(_signal: int, _frame: object) -> None:
    raise TooSlowError
