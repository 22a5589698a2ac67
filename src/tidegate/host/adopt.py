"""Containers that run here already and become services of ours, with their data.

They are stopped at the last moment, when everything of the release is here; their data is used
as it is or copied; and they are removed when the release is decided to serve, or started again
when it is not. Where they had their data stays untouched, so going back is always possible.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Dict, List, Mapping

from tidegate.host import deployment, podman, systemd
from tidegate.host.context import Context
from tidegate.host.errors import HostError
from tidegate.host.files import make_dir
from tidegate.host.paths import Paths
from tidegate.host.run import run

Facts = Dict[str, Any]
ENGINES = ("podman", "docker")
# docker compose and podman-compose label what they make: compose-spec, docker/compose pkg/api.
PROJECT, SERVICE = "com.docker.compose.project", "com.docker.compose.service"
BY_PODMAN = {PROJECT: "io.podman.compose.project", SERVICE: "io.podman.compose.service"}
ONE_OFF = "com.docker.compose.oneoff"
UNIT = "PODMAN_SYSTEMD_UNIT"
ASIDE = "-before-tidegate"
# In the user's own namespace, where the owners in containers are as they see them.
TAR = ("podman", "unshare", "tar", "--numeric-owner")
STOP_S, COPY_S = 600.0, 24 * 3600.0


def adoptable(_paths: Paths, args: Mapping[str, Any]) -> Facts:
    """The containers of compose project `project`, and those named in `containers` by service.

    `unseen` tells which engines are here and do not let this user ask.
    """
    project, named = str(args["project"]), dict(args.get("containers") or {})
    found: Dict[str, Facts] = {}
    unseen = []
    for engine in ENGINES:
        try:
            listed = _inspected(engine)
        except HostError as problem:
            if problem.code != "program-missing":
                unseen.append(f"{engine}: {(problem.log or [problem.message])[-1]}")
            continue
        for one in listed:
            service = _service(one, project, named)
            if service and not found.get(one["Id"]):
                found[one["Id"]] = _facts(engine, one, service)
    return {"found": list(found.values()), "unseen": unseen}


def _inspected(engine: str) -> List[Facts]:
    ids = run([engine, "ps", "--all", "--quiet", "--no-trunc"]).stdout.split()
    if not ids:
        return []
    shown = run([engine, "inspect", "--type", "container", *ids], check=False).stdout
    listed: List[Facts] = json.loads(shown or "[]")
    return listed


def _labels(one: Facts) -> Mapping[str, str]:
    return one["Config"].get("Labels") or {}


def _service(one: Facts, project: str, named: Mapping[str, str]) -> str:
    """The service that a container is of; nothing for one that is not asked for, or is ours."""
    labels = _labels(one)
    if podman.LABEL in labels or podman.ONCE in labels or labels.get(ONE_OFF) == "True":
        return ""
    for service, name in named.items():
        if name in (one["Name"].lstrip("/"), one["Id"]):
            return service
    for key in (PROJECT, BY_PODMAN[PROJECT]):
        if labels.get(key) == project:
            return str(labels.get(SERVICE) or labels.get(BY_PODMAN[SERVICE]) or "")
    return ""


def _facts(engine: str, one: Facts, service: str) -> Facts:
    return {
        "engine": engine,
        "id": one["Id"],
        "name": one["Name"].lstrip("/"),
        "service": service,
        "image": one.get("ImageName") or one["Config"].get("Image") or "",
        "unit": _labels(one).get(UNIT, ""),
        "running": bool(one["State"].get("Running")),
        "ports": sorted(_ports(one)),
        "mounts": [_mount(mount) for mount in one.get("Mounts") or () if _keeps(mount)],
    }


def _keeps(mount: Facts) -> bool:
    return mount.get("Type") in ("volume", "bind") and bool(mount.get("RW", True))


def _mount(mount: Facts) -> Facts:
    return {
        "kind": mount["Type"],
        "name": mount.get("Name") or "",
        "source": mount.get("Source") or "",
        "target": mount["Destination"],
    }


def _ports(one: Facts) -> "set[int]":
    """The host's TCP ports that lead to it."""
    bindings = (one.get("HostConfig") or {}).get("PortBindings") or {}
    return {
        int(place["HostPort"])
        for inside, places in bindings.items()
        if inside.endswith("/tcp")
        for place in places or ()
        if str(place.get("HostPort") or "").isdigit()
    }


def freed(args: Mapping[str, Any]) -> "set[int]":
    """The ports that `args` of *prepare* will free."""
    containers = (args.get("adopt") or {}).get("containers") or ()
    return {int(port) for one in containers for port in one["ports"]}


def named(args: Mapping[str, Any]) -> "set[str]":
    """The names of containers that step aside."""
    return {str(one["name"]) for one in (args.get("adopt") or {}).get("containers") or ()}


def take(ctx: Context, args: Mapping[str, Any]) -> None:
    """Stop what is adopted and bring its data over; noted first, so that any end can undo it."""
    told = args.get("adopt")
    if not told:
        return
    adopted = ctx.record.setdefault("adopted", {"containers": told["containers"], "made": []})
    _untaken(ctx, told["copies"])
    deployment.save(ctx.paths, ctx.record)
    with ctx.step("adopt", ", ".join(one["name"] for one in told["containers"])):
        for one in adopted["containers"]:
            _stop(one)
        for copy in told["copies"]:
            ctx.check()
            _copy(ctx, copy)


def _untaken(ctx: Context, copies: List[Facts]) -> None:
    """HostError where data would be copied over what somebody keeps there."""
    made = ctx.record["adopted"]["made"]
    for copy in copies:
        [(kind, name)] = copy["to"].items()
        if [kind, name] in made:
            continue
        path = _folder(ctx.paths, name)
        if (
            podman.volume_exists(name)
            if kind == "volume"
            else path.exists() and any(path.iterdir())
        ):
            raise HostError(
                "refused",
                "place-taken",
                f"{name} is here already, and {copy['target']} would be copied over it",
                subject=name,
                hint="if nobody needs it: podman volume rm, or rm -r; then adopt again",
            )


def _folder(paths: Paths, name: str) -> Path:
    return paths.root / "data" / name


def _stop(one: Facts) -> None:
    """Out of the way: its name, too, which may be one that we need."""
    if one["unit"]:
        systemd.systemctl("stop", one["unit"], timeout_s=STOP_S)
        return
    run([one["engine"], "stop", one["id"]], timeout_s=STOP_S)
    run([one["engine"], "rename", one["id"], one["name"] + ASIDE], check=False)


def _copy(ctx: Context, copy: Facts) -> None:
    """Afresh: what an attempt before left there goes first."""
    [(kind, name)] = copy["to"].items()
    made = ctx.record["adopted"]["made"]
    _unmake(ctx.paths, kind, name)
    if [kind, name] not in made:
        made.append([kind, name])
        deployment.save(ctx.paths, ctx.record)
    with ctx.step("copy", f"{copy['volume'] or copy['source']} to {name}"):
        if kind == "volume":
            label = f"{podman.LABEL}={ctx.paths.instance}"
            run(["podman", "volume", "create", "--label", label, name])
            shown = ["podman", "volume", "inspect", "--format", "{{.Mountpoint}}", name]
            place = run(shown).stdout.strip()
        else:
            make_dir(_folder(ctx.paths, name))
            place = str(_folder(ctx.paths, name))
        _pipe(_reader(copy), [*TAR, "-xpf", "-", "-C", place])


def _reader(copy: Facts) -> List[str]:
    """What writes a place of data to its output, as a tar archive with its owners.

    Not `podman volume export`, which leaves out whose the folder itself is, nor `podman cp`, which
    makes all of it root's.
    """
    if copy["engine"] == "docker":
        return ["docker", "cp", f"{copy['id']}:{copy['target']}/.", "-"]
    return [*TAR, "-C", copy["source"], "-cf", "-", "."]


def _pipe(reader: List[str], writer: List[str]) -> None:
    quiet = subprocess.DEVNULL
    with (
        subprocess.Popen(
            reader, stdin=quiet, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as first,
        subprocess.Popen(
            writer, stdin=first.stdout, stdout=quiet, stderr=subprocess.PIPE
        ) as second,
    ):
        assert first.stdout is not None
        first.stdout.close()
        _, said = second.communicate(timeout=COPY_S)
        assert first.stderr is not None
        complained = first.stderr.read()
    # Who writes to a reader that broke is ended by it: the reader's own words come first.
    for argv, process, words in ((writer, second, said), (reader, first, complained)):
        if process.returncode != 0:
            raise HostError(
                "error",
                "copy-failed",
                f"`{' '.join(argv[:3])}` ended with {process.returncode}",
                subject=argv[-1],
                log=words.decode("utf-8", "replace").strip().splitlines()[-5:],
            )


def _unmake(paths: Paths, kind: str, name: str) -> None:
    if kind == "volume":
        run(["podman", "volume", "rm", "--force", name], check=False)
    elif _folder(paths, name).exists():
        run(["podman", "unshare", "rm", "-rf", str(_folder(paths, name))], check=False)


def end(ctx: Context, outcome: str) -> List[str]:
    """After *finish*: the adopted go for good, or run again; names of what was started again."""
    adopted = ctx.record.get("adopted")
    if not adopted:
        return []
    if outcome == "commit":
        with ctx.step("adopted", "what was adopted is removed, its volumes stay"):
            _remove(adopted["containers"])
        return []
    names = [one["name"] for one in adopted["containers"] if one["running"]]
    with ctx.step("put back", ", ".join(names)):
        for kind, name in adopted["made"]:
            _unmake(ctx.paths, kind, name)
        for one in adopted["containers"]:
            _put_back(ctx, one)
    return names


def _remove(containers: List[Facts]) -> None:
    """Without their volumes. A unit of somebody else's is masked, so that no boot starts it."""
    for one in containers:
        if one["unit"]:
            systemd.systemctl("mask", "--now", one["unit"], check=False)
    left = list(containers)
    for _ in containers:  # Podman removes none before those that were made to need it
        left = [o for o in left if run([o["engine"], "rm", o["id"]], check=False).returncode]


def _put_back(ctx: Context, one: Facts) -> None:
    """As it was: what does not start again is told, and the others still are."""
    if one["unit"]:
        argv = ["systemctl", "--user", "start", one["unit"]]
    else:
        run([one["engine"], "rename", one["id"], one["name"]], check=False)
        argv = [one["engine"], "start", one["id"]]
    if one["running"]:
        done = run(argv, check=False, timeout_s=STOP_S)
        if done.returncode:
            ctx.info("put back", f"{one['name']} does not start: {done.stderr.strip()}")
