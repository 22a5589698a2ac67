"""Throw away what no kept generation needs: images, files, secrets, records."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Set

from tidegate.host import ahead, blobs, deployment, fronts, generations, parcel, podman, tasks
from tidegate.host.context import Context
from tidegate.host.files import remove, sweep
from tidegate.host.paths import Paths


def prune(ctx: Context) -> None:
    """Keep the serving generation and the last `keep` that served; forget the others.

    Only what a forgotten generation of ours had is removed, never anybody else's.
    """
    current = deployment.current_number(ctx.paths)
    kept, gone = split(ctx.paths, current)
    if gone:
        with ctx.step("prune", f"{len(gone)} generations"):
            _images(ctx.paths, kept, gone)
            for n in sorted(gone):
                generations.drop(ctx.paths, n)
    _journals(ctx.paths, kept | {ctx.number})
    tasks.prune(ctx.paths, kept | {ctx.number})
    _files(ctx.paths, kept)
    secrets(ctx.paths)
    _fronts(ctx.paths, current)
    parcel.clear(ctx.paths)
    for folder in (ctx.paths.units, *_folders(ctx.paths)):
        sweep(folder)


def _folders(paths: Paths) -> "list[Path]":
    """The instance's own folder and those in it that are written to; users' files are not."""
    mine = [entry for entry in paths.root.rglob("*") if entry.is_dir()]
    return [paths.root, *(entry for entry in mine if paths.files not in (entry, *entry.parents))]


def split(paths: Paths, current: int) -> "tuple[Set[int], Set[int]]":
    """(kept, gone): the numbers of generations to keep and to forget."""
    serving = generations.load(paths, current)
    keep = int(serving.release["switch"]["keep"]) if serving else 5
    served = generations.committed(paths)
    kept = set(served[-keep:]) | ({current} if current else set())
    return kept, set(generations.numbers(paths)) - kept


def _journals(paths: Paths, kept: Set[int]) -> None:
    folder = paths.root / "journals"
    for entry in folder.iterdir() if folder.is_dir() else ():
        if entry.stem.isdigit() and int(entry.stem) not in kept:
            remove(entry)


def _refs(paths: Paths, numbers: Set[int]) -> Set[str]:
    found: Set[str] = set()
    for n in numbers:
        generation = generations.load(paths, n)
        if generation is not None:
            found |= blobs.needed(generation.release)
            fronts_here = (generation.layout or {}).get("fronts", {})
            found |= {str(entry["image"]) for entry in fronts_here.values()}
    return found


def _images(paths: Paths, kept: Set[int], gone: Set[int]) -> None:
    for ref in sorted(_refs(paths, gone) - _refs(paths, kept) - ahead.refs(paths)):
        podman.remove_image(ref)


def _files(paths: Paths, kept: Set[int]) -> None:
    if not paths.files.is_dir():
        return
    wanted = set()
    for n in kept:
        generation = generations.load(paths, n)
        if generation is not None:
            wanted |= {digest.split(":", 1)[1] for digest in generation.release["files"]}
    for entry in paths.files.iterdir():
        if entry.name not in wanted:
            if entry.is_dir():
                shutil.rmtree(str(entry), ignore_errors=True)
            else:
                entry.unlink()


def secrets(paths: Paths) -> None:
    """Remove secrets of ours that no kept generation has."""
    kept, _ = split(paths, deployment.current_number(paths))
    wanted = set()
    for n in kept:
        generation = generations.load(paths, n)
        if generation is not None and generation.layout is not None:
            wanted |= set(generation.layout.get("secrets", {}).values())
    for name in podman.own_secrets(paths.instance):
        if name not in wanted:
            podman.remove_secret(name)


def _fronts(paths: Paths, current: int) -> None:
    """The folders of fronts that no longer are."""
    serving = generations.load(paths, current)
    if not paths.fronts.is_dir():
        return
    behind: Set[str] = set()
    if serving is not None and serving.layout is not None:
        behind = set(fronts.fronted(serving.release, serving.layout))
    for entry in paths.fronts.iterdir():
        if entry.name not in behind:
            shutil.rmtree(str(entry), ignore_errors=True)
