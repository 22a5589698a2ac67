"""The keys of tidegate.yaml: one table for each section, and what each may hold.

Pure. The tables are also the source of the reference page (``tidegate.config.reference``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tidegate.compose.nodes import Node, fail, where
from tidegate.config import fields, tasks
from tidegate.config.fields import Key, Table, required, section
from tidegate.config.gates import GATES, gates
from tidegate.model.config import (
    Application,
    Environment,
    Host,
    Notification,
    Policy,
    ServiceSettings,
    Step,
    Switch,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAME_RULE = "lower case letters, digits and '-', beginning with a letter or digit"
PROJECT_RULE = "lower case letters, digits, '-' and '_', beginning with a letter or digit"
SERVICE_RULE = "letters, digits, '.', '-' and '_', as in a compose file"
# Host, port and path: github.com/opencontainers/distribution-spec v1.1.0, "name".
REGISTRY = r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*"
REGISTRY_RULE = "a registry's address, without https://, as in ghcr.io/acme or localhost:5000"
_NAME = r"[a-z0-9][a-z0-9-]{0,39}"
_PROJECT = r"[a-z0-9][a-z0-9_-]{0,39}"
_SERVICE = r"[a-zA-Z0-9][a-zA-Z0-9._-]*"

DELIVER: Table = {
    "into": Key(fields.text, "service", "the service that the files go into"),
    "at": Key(fields.matching(r"/.+", "a full path"), "path", "where they are in its container"),
}
SWITCH: Table = {
    "batch": Key(
        lambda node: 0 if node.value == "all" else fields.whole(1, 1000)(node),
        "number or `all`",
        "hosts that switch at once; `all`",
    ),
    "watch": Key(fields.duration, "duration", "how long the new copies are watched; `1s`"),
    "max_error_rate": Key(fields.share, "percentage", "failed requests that undo it; `5%`"),
    "min_requests": Key(
        fields.whole(1, 1_000_000), "number", "fewer requests than this prove nothing; `20`"
    ),
    "drain": Key(fields.duration, "duration", "what open connections get to end; `30s`"),
    "lease": Key(
        fields.duration, "duration", "a host that hears nothing for so long acts alone; `15s`"
    ),
    "keep": Key(fields.whole(1, 100), "number", "releases kept on a host for going back; `5`"),
}
IMAGES: Table = {
    "own": Key(fields.choice("signed", "any"), "`signed` or `any`", "images built here"),
    "third_party": Key(
        fields.choice("pinned", "mirrored", "any"),
        "`pinned`, `mirrored` or `any`",
        "all other images; `pinned`",
    ),
}
EVENTS = ("deployed", "failed", "rolledback", "waiting")


def events(node: Node) -> tuple[str, ...]:
    """``on:``, a list of what may happen."""
    return tuple(map(fields.choice(*EVENTS), fields.items(node)))


NOTIFICATION: Table = {
    "to": Key(
        fields.text,
        "address",
        "an https webhook (Slack's, Teams' or any) or an apprise URL such as `mailtos://…`; "
        "`${NAME}` is a variable, a secret, or of the process's environment",
    ),
    "on": Key(events, "list of `deployed`, `failed`, `rolledback`, `waiting`", "of what; all"),
}


def named(
    node: Node, what: str, pattern: str, rule: str, read: Callable[[str, Node], Any]
) -> Mapping[str, Any]:
    """A mapping whose keys the user chose: each key is checked, each value read with its name."""
    found = {}
    for key, value in fields.mapping(node, what).items():
        fields.check_name(key, pattern, rule, value)
        found[key] = read(key, value)
    return found


def schedule(node: Node) -> str:
    """``schedule:``, in the words that were written."""
    from tidegate.config import crontab  # most projects have none

    value = fields.text(node)
    try:
        crontab.calendars(value)
    except crontab.ScheduleError as problem:
        hint = 'five fields as in crontab(5): "30 2 * * mon-fri"'
        fail(f"{value!r}: {problem}", node, code=fields.CODE_VALUE, hint=hint)
    return value


SERVICE: Table = {
    "route": Key(fields.text, "host name, with a path or not", "requests for it reach the service"),
    "port": Key(fields.port, "port", "the container's port that the route leads to"),
    "health": Key(
        fields.matching(r"/\S*", "a path, such as /health"),
        "path",
        "must answer with 2xx or 3xx before a new copy gets traffic",
    ),
    "strategy": Key(
        fields.choice("blue-green", "recreate", "job"),
        "`blue-green`, `recreate` or `job`",
        "two copies side by side, one restarted in place, or run once; found by itself",
    ),
    "on": Key(fields.text_or_texts, "role or list of roles", "the hosts that run it"),
    "stateful": Key(fields.truth, "true or false", "never doubled, never replaced lightly"),
    "migrate": Key(
        tasks.migrate, "mapping, or a list of one of each kind", "how its database follows its code"
    ),
    "seed": Key(tasks.seed, "mapping", "what `tidegate seed` runs; no deployment does"),
    "schedule": Key(
        schedule,
        '`"0 3 * * *"`, `"0 3 * * * Europe/Berlin"` or `"@daily"`',
        "when it is run, to its end, on one host; crontab(5) in UTC or in the zone that follows",
    ),
}


def service(name: str, node: Node) -> ServiceSettings:
    """The settings of one service, from tidegate.yaml or from its ``x-tidegate``."""
    values = section(node, f"service {name}", SERVICE)
    return ServiceSettings(name, **values, where=where(node.key_at or node.at))


def deliver(node: Node) -> dict[str, Any]:
    """``deliver:`` of an application; both keys are needed."""
    values = section(node, "deliver", DELIVER)
    required(node, "deliver", values, "into", "at")
    return values


APPLICATION: Table = {
    "context": Key(fields.text, "directory", "what is built"),
    "dockerfile": Key(fields.text, "file", "how; `Dockerfile`"),
    "watch": Key(fields.texts, "list of patterns", "other files that make it build anew"),
    "platforms": Key(fields.texts, "list of platforms", "for which machines"),
    "deliver": Key(deliver, "mapping", "its files go into another service"),
    "steps": Key(fields.text_or_texts, "step or list of steps", "what is run before it is built"),
}
STEP: Table = {
    "run": Key(fields.texts, "list of words", "runs on the machine that builds; always there"),
    "in": Key(fields.text, "directory", "where; that of tidegate.yaml"),
    "inputs": Key(fields.texts, "list of patterns", "what it reads; all of its directory"),
    "outputs": Key(fields.texts, "list of patterns", "what it makes; always there"),
    "timeout": Key(fields.duration, "duration", "how long it may take; `30m`"),
}


def application(name: str, node: Node) -> Application:
    """One entry of ``applications``."""
    values = section(node, f"application {name}", APPLICATION)
    deliver = values.pop("deliver", {})
    return Application(name, **values, **deliver, where=where(node.key_at or node.at))


def step(name: str, node: Node) -> Step:
    """One entry of ``steps``."""
    values = section(node, f"step {name}", STEP)
    required(node, f"step {name}", values, "run", "outputs")
    if "timeout" in values:
        values["timeout_s"] = values.pop("timeout")
    values["directory"] = values.pop("in", "")
    return Step(name, **values, where=where(node.key_at or node.at))


HOST: Table = {
    "ssh": Key(fields.ssh_destination, "user@address", "how the controller reaches it"),
    "address": Key(
        fields.matching(r"[0-9A-Za-z:.-]+", "an IP address or a host name"),
        "address",
        "how the other hosts reach it",
    ),
    "roles": Key(fields.texts, "list of words", "which services it takes (`on`)"),
    "witness": Key(fields.truth, "true or false", "keeps lock, decisions and history; the first"),
    "port": Key(fields.port, "port", "sshd's port; that of the ssh configuration, or 22"),
}


def host(name: str, node: Node) -> Host:
    """One entry of ``hosts``."""
    values = section(node, f"host {name}", HOST)
    required(node, f"host {name}", values, "ssh")
    return Host(name, **values, where=where(node.key_at or node.at))


def hosts(node: Node) -> Mapping[str, Host]:
    """``hosts:``; at least one, and at most one witness."""
    found = named(node, "hosts", _NAME, NAME_RULE, host)
    if not found:
        hint = "as in web-1: {ssh: deploy@203.0.113.10}"
        fail("an environment needs at least one host", node, code="config-no-hosts", hint=hint)
    witnesses = [name for name, entry in found.items() if entry.witness]
    if len(witnesses) > 1:
        fail(
            f"an environment has one witness, and here are {', '.join(witnesses)}",
            node.children()[witnesses[1]],
            code="config-witnesses",
            hint="leave `witness: true` at one host",
        )
    places: dict[str, str] = {}
    for name, entry in found.items():
        other = places.setdefault(entry.destination, name)
        if other != name:
            fail(
                f"{name} and {other} are the same server, {entry.destination}",
                node.children()[name],
                code="config-same-host",
                hint="a server is in an environment once; give it several roles",
            )
    return found


def switch(node: Node) -> Switch:
    """``switch:``; durations become seconds."""
    values = section(node, "switch", SWITCH)
    for key in ("watch", "drain", "lease"):
        if key in values:
            values[f"{key}_s"] = values.pop(key)
    return Switch(**values)


def variables(node: Node) -> Mapping[str, str]:
    """``variables:``; numbers and truth values are taken as their text."""
    entries = fields.mapping(node, "variables")
    for key, value in entries.items():
        fields.check_name(key, _VARIABLE, "letters, digits and '_', not a digit first", value)
    return {key: fields.scalar_text(value) for key, value in entries.items()}


_VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"

ENVIRONMENT: Table = {
    "hosts": Key(hosts, "mapping of hosts", "the servers it runs on"),
    "variables": Key(
        variables,
        "mapping",
        "values for `${NAME}` in compose files and routes, and for compose (`COMPOSE_PROFILES`)",
    ),
    "env_file": Key(fields.text, "file", "more of them; `variables` win"),
    "secrets": Key(fields.text, "file", "secrets, encrypted with age"),
    "instance": Key(
        fields.matching(_PROJECT, PROJECT_RULE),
        "name",
        "what it is called on its hosts; the project, with the environment's name behind it where "
        "several environments share a host",
    ),
    "deploy": Key(
        fields.choice("automatic", "manual"), "`automatic` or `manual`", "who begins; `manual`"
    ),
    "verify": Key(fields.texts, "list of suites", "what must pass after a deployment"),
    "gates": Key(gates, "list of gates", "what must hold before a deployment"),
    "switch": Key(switch, "mapping", "how traffic moves, and what makes it go back"),
}


def environment(name: str, node: Node) -> Environment:
    """One entry of ``environments``."""
    values = section(node, f"environment {name}", ENVIRONMENT)
    required(node, f"environment {name}", values, "hosts")
    return Environment(name, **values, where=where(node.key_at or node.at))


POLICY: Table = {
    "images": Key(lambda node: section(node, "images", IMAGES), "mapping", "which images may run"),
    "block": Key(
        fields.choice("critical", "high", "medium", "low", "none"),
        "`critical`, `high`, `medium`, `low` or `none`",
        "the severity of a finding that stops a release",
    ),
}


def policy(node: Node) -> Policy:
    """``policy:``."""
    values = section(node, "policy", POLICY)
    images = values.get("images", {})
    return Policy(
        own_images=images.get("own", ""),
        third_party_images=images.get("third_party", "pinned"),
        block=values.get("block", ""),
    )


def notification(node: Node) -> Notification:
    """One entry of ``notify``."""
    values = section(node, "a notification", NOTIFICATION)
    required(node, "a notification", values, "to")
    return Notification(**values)


def version(node: Node) -> int:
    """``version:``, which is 1."""
    if node.value != 1 or isinstance(node.value, bool):
        fail(
            f"version must be 1, not {fields.kind(node)}",
            node,
            code="config-version",
            hint="write version: 1; a newer Tidegate may read others",
        )
    return 1


TOP: Table = {
    "version": Key(version, "`1`", "the format of this file; always there"),
    "project": Key(
        fields.matching(_PROJECT, PROJECT_RULE), "name", "what it is called; the directory's name"
    ),
    "registry": Key(
        fields.matching(REGISTRY, REGISTRY_RULE),
        "registry",
        "where images go; without one they travel over SSH",
    ),
    "compose": Key(
        fields.text_or_texts,
        "file or list of files",
        "as docker compose finds them, else `applications/` and `services/`",
    ),
    "applications": Key(
        lambda n: named(n, "applications", _SERVICE, SERVICE_RULE, application),
        "mapping of applications",
        "what is built",
    ),
    "steps": Key(
        lambda n: named(n, "steps", _NAME, NAME_RULE, step),
        "mapping of steps",
        "what is run before images are built, once for all that need it",
    ),
    "services": Key(
        lambda n: named(n, "services", _SERVICE, SERVICE_RULE, service),
        "mapping of services",
        "what compose cannot say; `x-tidegate` in the compose file is the same",
    ),
    "people": Key(
        lambda n: named(n, "people", _NAME, NAME_RULE, lambda _, value: fields.text(value)),
        "mapping of SSH public keys",
        "who may approve",
    ),
    "environments": Key(
        lambda n: named(n, "environments", _NAME, NAME_RULE, environment),
        "mapping of environments",
        "where it runs, in the order of promotion; always there",
    ),
    "policy": Key(policy, "mapping", "what must be true of images"),
    "notify": Key(
        lambda n: tuple(notification(item) for item in fields.items(n)),
        "list of notifications",
        "who is told of what",
    ),
}

# Every table under the path that leads to it, for the reference page.
SECTIONS: Mapping[str, Table] = {
    "": TOP,
    "environments.NAME": ENVIRONMENT,
    "environments.NAME.hosts.NAME": HOST,
    "environments.NAME.switch": SWITCH,
    **{f"environments.NAME.gates[].{kind}": table for kind, table in GATES.items()},
    "services.NAME": SERVICE,
    "services.NAME.migrate": tasks.MIGRATE,
    "services.NAME.seed": tasks.SEED,
    "applications.NAME": APPLICATION,
    "applications.NAME.deliver": DELIVER,
    "steps.NAME": STEP,
    "policy": POLICY,
    "policy.images": IMAGES,
    "notify[]": NOTIFICATION,
}
