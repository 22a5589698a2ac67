"""``tidegate doctor``: this machine, the configuration and each host, and what mends each lack."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from tidegate.bootstrap import findings, probe
from tidegate.bootstrap.findings import MISSING, OK, WARNING, Finding
from tidegate.bootstrap.signing_key import public_key, signing_key
from tidegate.cli.output import GREEN, RED, YELLOW, coloured, paint, print_json, say
from tidegate.config import load_config
from tidegate.config.available import missing
from tidegate.config.load import FILE
from tidegate.config.nearest import nearest
from tidegate.edges.ssh import Ssh
from tidegate.errors import InputError, TidegateError
from tidegate.model.config import Config, Host

SIGNS = {OK: ("ok", GREEN), WARNING: ("warn", YELLOW), MISSING: ("lack", RED)}


def doctor(environment: str = "", /, *, json: bool = False) -> int:
    """Say what is missing on this machine, in the configuration and on each host.

    It changes nothing; the exit code is 4 where something needed is missing.
    Example: tidegate doctor production

    Args:
        environment: Only the hosts of this environment.
        json: Answer as JSON.
    """
    found = list(findings.machine(probe.of_this_machine()))
    config, verdicts = configuration()
    found += verdicts
    if config is not None:
        found += hosts(chosen_hosts(config, environment))
    if json:
        print_json("doctor", {"findings": [asdict(finding) for finding in found]})
    else:
        show(found)
    return 4 if any(finding.state == MISSING for finding in found) else 0


def configuration() -> tuple[Config | None, list[Finding]]:
    """The configuration where it can be read, and what is to be said of it."""
    subject = "configuration"
    if not Path(FILE).exists():
        return None, [Finding(subject, FILE, MISSING, "there is none here", "tidegate init")]
    try:
        config = load_config()
    except TidegateError as error:
        place = f" (at {error.where})" if error.where else ""
        return None, [Finding(subject, FILE, MISSING, f"{error.message}{place}", error.hint)]
    verdicts = [Finding(subject, FILE, OK, f"project {config.project}")]
    if not config.compose_files:
        remedy = "name yours under compose: in tidegate.yaml"
        verdicts.append(Finding(subject, "compose", MISSING, "no compose file here", remedy))
    for environment in config.environments.values():
        verdicts += [
            Finding(subject, environment.name, WARNING, f"{what} not available yet, {where}")
            for what, where in missing(config, environment)
        ]
    return config, verdicts


def chosen_hosts(config: Config, environment: str) -> dict[str, Host]:
    """The hosts of one environment, or of all, each once."""
    if environment and environment not in config.environments:
        known = list(config.environments)
        close = nearest(environment, known)
        raise InputError(
            f"there is no environment {environment!r}",
            code="unknown-environment",
            where=config.where("environments"),
            hint=f"did you mean {close}?" if close else f"there are: {', '.join(known)}",
        )
    names = [environment] if environment else list(config.environments)
    return {
        host.destination: host
        for name in names
        for host in config.environments[name].hosts.values()
    }


def hosts(chosen: dict[str, Host]) -> list[Finding]:
    """The findings of each host, asked side by side."""
    signer = public_key(signing_key())
    with ThreadPoolExecutor(max_workers=16) as pool:
        answers = pool.map(lambda host: one_host(host, signer), chosen.values())
        return [finding for answer in answers for finding in answer]


def one_host(host: Host, signer: str) -> list[Finding]:
    """The findings of one host; one that cannot be reached has a single one."""
    try:
        begun = time.time()
        facts = probe.of_host(Ssh(host.destination, name=host.name))
        now = (begun + time.time()) / 2
    except TidegateError as error:
        return [Finding(host.name, "ssh", MISSING, error.message, error.hint)]
    reached = Finding(host.name, "ssh", OK, f"{facts.get('release_name')}, {facts.get('arch')}")
    return [reached, *findings.host(host.name, facts, signer, now)]


def show(found: Iterable[Finding]) -> None:
    """Print findings, subject by subject, and below them what to do."""
    colour = coloured(sys.stdout)
    subject = ""
    lacks = 0
    for finding in found:
        if finding.subject != subject:
            subject = finding.subject
            say(f"{subject}")
        word, code = SIGNS[finding.state]
        sign = paint(f"{word:<4}", code, on=colour)
        say(f"  {sign}  {finding.check:<13} {finding.detail}".rstrip())
        if finding.remedy:
            say(f"                      -> {finding.remedy}")
        lacks += finding.state == MISSING
    say()
    say(f"{lacks} lacking" if lacks else "nothing is missing")
