"""What an environment is called on its hosts, where several projects and environments live."""

from __future__ import annotations

from tidegate.errors import InputError
from tidegate.model.config import Config, Environment
from tidegate.pipeline.fleet import Fleet


def instance(config: Config, environment: Environment) -> str:
    """The project's name, with the environment's where another one shares a host with it.

    ``InputError`` where that other one has the same name by its own wish.
    """
    mine = {host.destination for host in environment.hosts.values()}
    sharing = [
        other
        for other in config.environments.values()
        if other.name != environment.name
        and any(host.destination in mine for host in other.hosts.values())
    ]
    usual = f"{config.project}-{environment.name}" if sharing else config.project
    name = environment.instance or usual
    for other in sharing:
        if name == (other.instance or f"{config.project}-{other.name}"):
            raise InputError(
                f"{environment.name} and {other.name} would both be {name} on the host they share",
                code="instance-taken",
                where=config.where("environments", environment.name, "instance"),
                hint="give one of them another `instance:`",
            )
    return name


def same_instance(config: Config, environment: Environment, mine: str, found: Fleet) -> None:
    """An environment that came to share a host, or no longer does, keeps its name there.

    Under another one it would be another thing: without its data, and in its own way.
    """
    name = environment.name
    for host, seen in found.by_host.items():
        for other in seen.get("others") or ():
            if (other["project"], other["environment"]) == (config.project, name):
                raise InputError(
                    f"{name} runs on {host} as {other['instance']}, and would be {mine}",
                    code="instance-renamed",
                    where=config.where("environments", name),
                    hint=f"write `instance: {other['instance']}` there, and it goes on as it is",
                )
