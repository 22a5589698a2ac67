"""The rung on which a real Podman 5.4.2 takes the units' argv: ``podman create`` on a lab server.

Rootless first. What only root may, or what this lab has nothing of, is tried as root and counted
apart under its name; all else that podman refuses is a violation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tidegate.lab import Server
from tidegate.testing.prove.compose import spoken
from tidegate.testing.prove.compose.climb import Climber
from tidegate.testing.prove.compose.rungs import Rung
from tidegate.testing.prove.progress import Progress
from tidegate.testing.quadlet.argv import BARE, commands, parts
from tidegate.testing.quadlet.generator import FOLDER, Generated

ON_SERVER = Path(__file__).with_name("on_server.py")
BATCH = 40
# What podman says where this lab lacks something that other servers have.
LACKS = {
    "a file system with quotas (--storage-opt size needs XFS)": "backingFS XFS",
    "a file system with quotas (a volume's size)": "Project Quota",
    "AppArmor": "Apparmor is not enabled",
}
THROTTLES = re.compile(r"--(device-(read|write)-(bps|iops)|blkio-weight-device)")


@dataclass(slots=True)
class Created:
    """What came of it, besides the rung: how many containers, and what was counted apart."""

    rung: Rung = field(default_factory=lambda: Rung("podman create takes the argv"))
    containers: int = 0
    root_only: dict[str, str] = field(default_factory=dict)
    lacking: dict[str, list[str]] = field(default_factory=dict)

    @property
    def figures(self) -> dict[str, Any]:
        """For the evidence."""
        return {
            "containers": self.containers,
            "only_as_root": self.root_only,
            "not_in_this_lab": self.lacking,
        }


def create(
    server: Server, climbers: Sequence[Climber], made: Mapping[str, Generated], progress: Progress
) -> Created:
    """Create every container of every project; none is started."""
    climbers = [one for one in climbers if not one.subject.refused]
    jobs = {one.place: project(one, made[one.place]) for one in climbers}
    names = {one.place: one.subject.name for one in climbers}
    created = Created(containers=sum(len(job["containers"]) for job in jobs.values()))
    for fault in _ask(server, "root", standins(climbers, made)):
        created.rung.judge("folders", [fault])
    failed = _all(server, "deploy", jobs, progress)
    again = {place: jobs[place] for place, faults in failed.items() if faults}
    as_root = _all(server, "root", again, progress) if again else {}
    for place, faults in failed.items():
        _judge(created, names[place], faults, dict(as_root.get(place, [])))
    return created


def _judge(
    created: Created, name: str, faults: Sequence[tuple[str, str]], as_root: Mapping[str, str]
) -> None:
    lines = []
    for container, fault in faults:
        lack = next((what for what, word in LACKS.items() if word in fault), "")
        if lack:
            created.lacking.setdefault(lack, []).append(f"{name}: {container}")
        elif container not in as_root:
            created.root_only[f"{name}: {container}"] = fault
        else:
            lines.append(f"{container}: {fault}; as root: {as_root[container]}")
    created.rung.judge(name, lines)


def _all(
    server: Server, user: str, jobs: Mapping[str, Any], progress: Progress
) -> dict[str, list[tuple[str, str]]]:
    """The faults of each project, by batches."""
    projects = list(jobs.values())
    found: dict[str, list[tuple[str, str]]] = {}
    for start in range(0, len(projects), BATCH):
        found |= _ask(server, user, {"what": "create", "projects": projects[start : start + BATCH]})
        done = min(start + BATCH, len(projects))
        progress.step(done, len(projects), f"podman create as {user}")
    return found


def _ask(server: Server, user: str, job: Mapping[str, Any]) -> Any:
    command = ["python3", "-c", ON_SERVER.read_text()]
    done = server.run(command, input=json.dumps(job), user=user, check=False, timeout_s=900)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def project(one: Climber, made: Generated) -> dict[str, Any]:
    """A project as ``on_server`` takes it."""
    argvs = one.argvs(made, "container")
    prepare = [a[1:] for kind in ("network", "volume") for a in one.argvs(made, kind)]
    for kind in ("network", "volume"):
        bodies = (one.meant.get(f"{kind}s") or {}).values()
        named = [body["name"] for body in bodies if body.get("external")]
        prepare += [[kind, "create", "--ignore", name] for name in named]
    return {
        "name": one.place,
        "prepare": prepare,
        "private": [words[-1] for words in prepare if words[0] == "network" and len(words) > 4],
        "secrets": sorted({s["name"] for s in (one.meant.get("secrets") or {}).values()}),
        "images": sorted({image(argv) for argv in argvs}),
        "containers": [*_foreign(argvs), *((spoken.container(a), created(a)) for a in argvs)],
    }


def image(argv: Sequence[str]) -> str:
    """The image's name without its digest: no registry is asked."""
    return parts(argv)[1][0].partition("@")[0]


def created(argv: Sequence[str]) -> list[str]:
    """``podman run`` as ``podman create``, without what needs a registry or a running systemd."""
    pairs, words = parts(argv)
    before = [pair for pair in pairs if pair[0] in ("--runtime", "--storage-opt")]
    found = [f"{name}={value}" for name, value in before] + ["create", "--pull=never"]
    for name, value in pairs:
        if name not in ("-d", "--pull", "--cidfile", "--runtime", "--storage-opt"):
            found.append(name if name in BARE else f"{name}={value}")
    return [*found, f"--ladder={image(argv)}", image(argv), *words[1:]]


def _foreign(argvs: Sequence[Sequence[str]]) -> Iterator[tuple[str, list[str]]]:
    """Containers of somebody else that these refer to."""
    own = {spoken.container(argv) for argv in argvs}
    for argv in argvs:
        for name, value in parts(argv)[0]:
            kind, _, other = value.partition(":")
            if name == "--volumes-from":
                kind, other = "container", kind
            if kind == "container" and other and other not in own:
                own.add(other)
                yield (
                    other,
                    [
                        *("create", "--pull=never", f"--name={other}"),
                        *(f"--ladder={image(argv)}", image(argv)),
                    ],
                )


def standins(climbers: Sequence[Climber], made: Mapping[str, Generated]) -> dict[str, Any]:
    """The job of ``prepare``: what the argvs look for on a server."""
    devices, profiles, runtimes = {}, set(), set()
    texts = [text for one in climbers for text in made[one.place].services.values()]
    folders = [(argv[-1], argv) for text in texts for argv in commands(text, "ExecStartPre")]
    pairs = [
        pair
        for one in climbers
        for argv in one.argvs(made[one.place], "container")
        for pair in parts(argv)[0]
    ]
    for name, value in pairs:
        path = value.partition(":")[0]
        if name == "--device" and path.startswith("/"):
            devices[path] = ["c", "1", "3"]
        elif THROTTLES.fullmatch(name):
            devices[path] = ["b", "8", "0"]
        elif name == "--security-opt" and value.startswith("seccomp=/"):
            profiles.add(value.removeprefix("seccomp="))
        elif name == "--runtime":
            runtimes.add(value)
    return {
        "what": "prepare",
        "devices": sorted(devices.items()),
        "profiles": sorted(profiles),
        "runtimes": sorted(runtimes),
        "folders": folders,
        "files": [file for one in climbers for file in _files(one)],
        "theirs": sorted({place for one in climbers for place in _theirs(one)}),
    }


def _files(one: Climber) -> Iterator[tuple[str, str]]:
    """The files that must be there: those beside the units, and those that configs name."""
    for name, text in one.exported.files.items():
        if "/" in name:
            yield f"{FOLDER}/{one.place}/{name}", text
    for config in (one.meant.get("configs") or {}).values():
        if config.get("file"):
            yield config["file"], ""


def _theirs(one: Climber) -> Iterator[str]:
    """Folders that must be there already: the units may not make them."""
    for service in one.meant["services"].values():
        for mount in service.get("volumes") or []:
            if mount["type"] == "bind" and not (mount.get("bind") or {}).get("create_host_path"):
                yield mount["source"]
