"""Restart policies: what a process's end brings about, and what a boot of the server does."""

from __future__ import annotations

import pytest

from tests.semantics.site import Site, until

pytestmark = pytest.mark.lab

# Each waits for a file that tells it how to end; a container that is made again has none.
WAIT = 'echo started; while [ ! -e /end ]; do sleep 0.1; done; exit "$$(cat /end)"'
CASES = {
    # name: (policy, exit code, is it started again?)
    "unsaid-0": ("", 0, False),
    "unsaid-1": ("", 1, False),
    "no-0": ("no", 0, False),
    "no-1": ("no", 1, False),
    "always-0": ("always", 0, True),
    "always-1": ("always", 1, True),
    "failure-0": ("on-failure", 0, False),
    "failure-1": ("on-failure", 1, True),
    "unless-0": ("unless-stopped", 0, True),
    "unless-1": ("unless-stopped", 1, True),
}
# Of those that end by themselves, at a boot.
ONCE_MORE = {"limited": 1, "task": 1, "seed": 0}
RUNNING = {"always-0", "always-1", "failure-1", "unless-0", "unless-1"}


def service(policy: str, command: str, **more: object) -> dict[str, object]:
    """One service."""
    said = {"restart": policy} if policy else {}
    return {"image": "busybox:1", "init": True, "command": ["sh", "-c", command], **said, **more}


def project() -> dict[str, object]:
    """A service for each case; ``limited`` fails whenever ``/flags/fail`` is there."""
    fails = "echo started; while [ ! -e /flags/fail ]; do sleep 0.1; done; exit 1"
    services = {name: service(policy, WAIT) for name, (policy, _, _) in CASES.items()}
    services["limited"] = service("on-failure:2", fails, volumes=["flags:/flags"])
    services["task"] = service("", "echo started")
    services["seed"] = service("no", "echo started")
    services["after"] = service(
        "always", "sleep 1d", depends_on={"seed": {"condition": "service_completed_successfully"}}
    )
    return {"services": services, "volumes": {"flags": None}}


def starts(site: Site) -> dict[str, int]:
    """How often each service has been started so far."""
    units = {name: f"{site.name}-{name}-a" for name in (*CASES, "task")}
    units |= {name: f"{site.name}-{name}" for name in ("limited", "seed")}
    logs = site.logs(*units.values())
    return {name: logs[unit].count("started") for name, unit in units.items()}


def running(site: Site) -> set[str]:
    """The services that run now."""
    found = [one for one in site.containers() if one["State"]["Running"]]
    return {one["Config"]["Labels"].get("tidegate.service", "") for one in found}


def test_policies(site: Site) -> None:
    """Each policy, with an end of 0 and of 1, as Docker has it; then the server is booted.

    A service that serves nobody may end with 0 at once, and a deployment without changes does
    not run it again. A boot starts what has a policy or says nothing, and no job.
    """
    site.write(project())
    site.deploy()
    assert set(starts(site).values()) == {1}
    assert "No changes" in site.deploy().stdout
    assert site.log(f"{site.name}-task-a") == ["started"]

    end = "podman exec {}-{}-a sh -c 'echo {} > /tmp/end && mv /tmp/end /end'"
    ends = [end.format(site.name, name, status) for name, (_, status, _) in CASES.items()]
    ends.append(f"podman exec {site.name}-limited touch /flags/fail")
    site.on_server("sh", "-c", "\n".join(ends))
    again = {name: 2 if told else 1 for name, (_, _, told) in CASES.items()}
    wanted = {**again, "limited": 3, "task": 1, "seed": 1}
    until(lambda: starts(site), lambda found: found == wanted)
    until(lambda: running(site), lambda found: found == RUNNING | {"after"})
    assert site.unit(f"{site.name}-limited", "Result")["Result"] == "exit-code"

    site.on_server("podman", "volume", "rm", "--force", f"{site.name}_flags")
    site.server.stop()
    site.server.start()
    up = RUNNING | {"unsaid-0", "unsaid-1", "failure-0", "limited", "after"}
    until(lambda: running(site), lambda found: found == up)
    since = {name: count - wanted[name] for name, count in starts(site).items()}
    assert since == {**{name: int(name in up) for name in CASES}, **ONCE_MORE}
