"""``tidegate host bootstrap``: a bare server with root or sudo SSH becomes ready."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App

from tidegate.bootstrap.findings import MISSING, Finding
from tidegate.bootstrap.server import Step, login_key, prepare_server, read_key
from tidegate.bootstrap.signing_key import public_key, signing_key
from tidegate.cli.doctor import one_host, show
from tidegate.cli.misuse import within
from tidegate.cli.output import print_json, progress, say
from tidegate.config import load_config
from tidegate.config.fields import is_destination
from tidegate.config.nearest import nearest
from tidegate.edges.ssh import Ssh
from tidegate.errors import InputError
from tidegate.model.config import Config, Environment, Host

app = App(help="Make servers ready, or empty them. Example: tidegate host bootstrap production")


@app.command
def bootstrap(
    target: str,
    /,
    *,
    root_ssh: str = "",
    key: Path | None = None,
    first_port: Annotated[int, within(0, 65535)] = 80,
    json: bool = False,
) -> int:
    """Make the hosts of an environment, or one host, ready for deployments.

    Installs Podman and its parts, makes the deploy user, and lets its units outlive a login.
    It can be repeated: what is right already is kept.
    Example: tidegate host bootstrap production --root-ssh root@203.0.113.10

    Args:
        target: An environment or a host of tidegate.yaml.
        root_ssh: A login that is root or has sudo without a password; else root@ its address.
        key: The public key that may log in; without it the one that ssh would use.
        first_port: The lowest port that containers may listen on.
        json: Answer as JSON.
    """
    chosen = chosen_hosts(load_config(), target)
    if root_ssh and not is_destination(root_ssh):
        raise InputError(
            f"--root-ssh {root_ssh!r} is no SSH destination",
            code="usage",
            hint="write root@address, as for ssh",
        )
    if key is not None:
        read_key(key)  # before anything is made
    if root_ssh and len(chosen) > 1:
        raise InputError(
            f"{target} has {len(chosen)} hosts and --root-ssh is one login",
            code="usage",
            hint=f"name one host: {', '.join(host.name for host in chosen)}",
        )
    signer = public_key(signing_key())
    answers = []
    for host in chosen:
        steps = one(host, root_ssh, key, signer, first_port, quiet=json)
        answers.append((host.name, steps, one_host(host, signer)))
    if json:
        print_json("bootstrap", {"hosts": [as_dict(*answer) for answer in answers]})
    else:
        show(finding for _, _, found in answers for finding in found)
    return 4 if any(f.state == MISSING for _, _, found in answers for f in found) else 0


@app.command
def drain(
    host: str,
    /,
    *,
    environment: str = "",
    back: bool = False,
    reason: str = "",
    config: str = "tidegate.yaml",
    json: bool = False,
) -> None:
    """Take everything off a host, by a deployment like any other; the other hosts serve on.

    Later deployments leave the host empty until it is given back.
    Example: tidegate host drain web-2

    Args:
        host: Its name in tidegate.yaml.
        environment: Its environment; may be left out where there is only one.
        back: The other way: the host gets its services again.
        reason: Why, for the history.
        config: The configuration file.
        json: Answer as JSON.
    """
    from tidegate import app as wiring
    from tidegate.cli.deploy import conclude
    from tidegate.cli.progress import Progress

    live = Progress(quiet=json)
    try:
        target = wiring.choose(environment, file=config)
        not_the_witness(target.config, target.environment, host)
        live.several = True
        found = wiring.survey(target, live, drain={host: not back})
        wish = wiring.Wish(reason=reason or f"drain {host}{' back' if back else ''}")
        report = wiring.deploy(target, found, wish, live)
        found.fleet.close()
    finally:
        live.close()
    serving = str(found.fleet.seen.get("deployment") or "")
    conclude(report, found.plan.version, live, json=json, plan=found.plan, serving=serving)


@app.command
def remove(
    host: str,
    /,
    *,
    environment: str = "",
    volumes: bool = False,
    config: str = "tidegate.yaml",
) -> None:
    """Drain a host and take the project off it; history and data stay there.

    Example: tidegate host remove web-2

    Args:
        host: Its name in tidegate.yaml.
        environment: Its environment; may be left out where there is only one.
        volumes: The data too. There is no way back.
        config: The configuration file.
    """
    from tidegate import app as wiring
    from tidegate.cli.progress import Progress

    drain(host, environment=environment, config=config)
    target = wiring.choose(environment, file=config)
    live = Progress()
    try:
        fleet = wiring.attach(target, live)
        wiring.destroy(target, fleet, live, volumes=volumes, host=host)
        fleet.close()
    finally:
        live.close()
    say(f"{host} is empty: take it out of {config}, then `tidegate deploy`")


def not_the_witness(config: Config, environment: Environment, host: str) -> None:
    """Raise an ``InputError`` for a host that is not there, or that keeps the record."""
    where = config.where("environments", environment.name, "hosts")
    if host not in environment.hosts:
        raise InputError(
            f"{environment.name} has no host {host!r}",
            code="unknown-host",
            where=where,
            hint=f"there are: {', '.join(environment.hosts)}",
        )
    if host == environment.witness.name:
        raise InputError(
            f"{host} is the witness of {environment.name}: lock and history are there",
            code="witness-needed",
            where=where,
            hint="make another host the witness first: `witness: true`, then deploy",
        )


def as_dict(name: str, steps: list[Step], found: list[Finding]) -> dict[str, Any]:
    """One host's answer as JSON."""
    return {
        "name": name,
        "steps": [asdict(step) for step in steps],
        "findings": [asdict(finding) for finding in found],
    }


def one(
    host: Host, root_ssh: str, key: Path | None, signer: str, first_port: int, *, quiet: bool
) -> list[Step]:
    """Bring one host up to what is needed, and say what changed."""
    user, _, address = host.ssh.rpartition("@")
    login = root_ssh or f"root@{address}"
    if host.port:
        login = f"ssh://{login}:{host.port}"
    config = os.environ.get("TIDEGATE_SSH_CONFIG", "")
    authorized = read_key(key) if key else login_key(host.destination, config)
    if not quiet:
        progress(f"{host.name}: making it ready as {login} (packages can take a minute)")
    ssh = Ssh(login, name=host.name)
    try:
        steps = prepare_server(ssh, user or "deploy", authorized, signer, first_port=first_port)
    finally:
        ssh.disconnect()  # a root connection is not kept open
    if not quiet:
        changes = [step.text for step in steps if step.changed]
        for text in changes or ["nothing: it was ready"]:
            say(f"  changed  {text}" if changes else f"  {text}")
        say()
    return steps


def chosen_hosts(config: Config, target: str) -> list[Host]:
    """The hosts of an environment, or the host of that name."""
    if target in config.environments:
        return list(config.environments[target].hosts.values())
    known = {
        name: host
        for environment in config.environments.values()
        for name, host in environment.hosts.items()
    }
    if target in known:
        return [known[target]]
    names = [*config.environments, *known]
    close = nearest(target, names)
    raise InputError(
        f"there is no environment and no host {target!r}",
        code="unknown-host",
        where=config.where("environments"),
        hint=f"did you mean {close}?" if close else f"there are: {', '.join(names)}",
    )
