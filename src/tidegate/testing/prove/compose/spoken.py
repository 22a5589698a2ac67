"""What a generated unit really says to podman, in one form for each thing that can be said twice.

``-v`` and ``--mount`` become the same words, so do long and short ports, devices, health checks.
What Quadlet adds to every container, and what CONFIG.md lets us add, is left out.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from tidegate.testing.quadlet.argv import health_command, parts

Options = Counter[tuple[str, str]]
PROCESS = "process"
QUADLETS = frozenset({"--rm", "--replace", "-d", "--cidfile", "--cgroups", "--sdnotify", "--name"})
OURS = (("--label", "tidegate."), ("--env", "TIDEGATE_"))
# Of these only the last one counts.
SINGLE = frozenset(
    {"--memory", "--cpus", "--pids-limit", "--memory-reservation", "--health-cmd", "--user"}
)


def spoken(argv: Sequence[str]) -> Options:
    """The options of a ``podman run``, each in its one form, with its image and process."""
    pairs, words = parts(argv)
    found: Options = Counter()
    entrypoint: str | None = None
    for name, value in pairs:
        if name == "--entrypoint":
            entrypoint = value
        elif name not in QUADLETS and not _ours(name, value):
            found[form(name, value)] += 1
    found["image", words[0]] += 1
    found[PROCESS, process(read_entrypoint(entrypoint), words[1:])] += 1
    found = Counter({option: n for option, n in found.items() if not _below_tidegate(option)})
    return once(found)


def form(name: str, value: str) -> tuple[str, str]:
    """An option in its one form."""
    return FORMS[name](value) if name in FORMS else (name, value)


def once(found: Options) -> Options:
    """Options that count once, counted once."""
    return Counter({option: 1 if option[0] in SINGLE else n for option, n in found.items()})


def container(argv: Sequence[str]) -> str:
    """The name of the container."""
    return dict(parts(argv)[0]).get("--name", "")


def process(entrypoint: list[str] | None, command: Iterable[str] | None) -> str:
    """What runs: the image's entry point or another one, and a command or the image's.

    With an entry point its words and the command's are one argv.
    """
    if entrypoint:
        return json.dumps([*entrypoint, *(command or ())])
    start = "the image's" if entrypoint is None else "none"
    return json.dumps([f"entry point: {start}", *(command or ())])


def read_entrypoint(text: str | None) -> list[str] | None:
    """podman-run(1) ``--entrypoint``: a JSON array, or one word; none at all for nothing."""
    if not text:
        return None if text is None else []
    try:
        words = json.loads(text)
    except ValueError:
        words = None
    return words if isinstance(words, list) else [text]


def _ours(name: str, value: str) -> bool:
    return any(name == option and value.startswith(start) for option, start in OURS)


def _below_tidegate(option: tuple[str, str]) -> bool:
    return option[0] == "mount" and "|/run/tidegate" in option[1]


def mount(kind: str, source: str, target: str, words: Iterable[str]) -> tuple[str, str]:
    """A mount."""
    return "mount", "|".join([kind, source, target, ",".join(sorted(words))])


def _short(value: str) -> tuple[str, str]:
    source, target, *more = value.split(":")
    kind = "bind" if source.startswith("/") else "volume"
    words = more[0].split(",") if more else []
    return mount(kind, source, target, [_WORDS.get(word, word) for word in words])


_WORDS = {
    "bind": "nonrecursive",
    "ro=true": "ro",
    "bind-nonrecursive=true": "nonrecursive",
    "relabel=shared": "z",
    "relabel=private": "Z",
}


def record(text: str) -> list[str]:
    """A CSV record as Go's encoding/csv reads it."""
    (fields,) = csv.reader(io.StringIO(text, newline=""), strict=True)
    return fields


def _long(value: str) -> tuple[str, str]:
    named = {"type": "", "source": "", "target": ""}
    words = []
    for field in record(value):
        name, _, rest = field.partition("=")
        if name in named:
            named[name] = rest
        elif name == "bind-propagation":
            words.append(rest)
        else:
            words.append(_WORDS.get(field, field.removeprefix("tmpfs-")))
    return mount(named["type"], named["source"], named["target"], words)


def publish(value: str) -> tuple[str, str]:
    """A port: address, port of the host, port of the container, protocol."""
    rest, _, protocol = value.partition("/")
    head, _, target = rest.rpartition(":")
    address, _, published = head.rpartition(":")
    return "--publish", "|".join([address.strip("[]"), published, target, protocol or "tcp"])


def device(value: str) -> tuple[str, str]:
    """A device, with the rights that it has when none are named."""
    source, *more = value.split(":")
    if not source.startswith("/"):
        return "--device", value
    rights = more.pop() if more and not more[-1].startswith("/") else "rwm"
    return "--device", ":".join([source, more[0] if more else source, rights])


def network(value: str) -> tuple[str, str]:
    """A network, or the container whose network it is, and what is said of joining it."""
    name, _, rest = value.partition(":")
    if name in ("container", "ns"):
        return "--network", value
    return "--network", "|".join([name, *sorted(filter(None, rest.split(",")))])


def secret(value: str) -> tuple[str, str]:
    """A secret; its target is a path."""
    name, *fields = record(value)
    given = dict(field.split("=", 1) for field in fields)
    target = given.get("target") or name
    given["target"] = target if target.startswith("/") else f"/run/secrets/{target}"
    return "--secret", "|".join([name, *sorted(f"{k}={v}" for k, v in given.items())])


def cut(text: str) -> tuple[str, str]:
    """A security option's name and value."""
    name, *rest = re.split("[:=]", text, maxsplit=1)
    return name, "".join(rest)


def security(value: str) -> tuple[str, str]:
    """A security option; the older ``:`` is ``=``."""
    name, rest = cut(value)
    rest = "" if name == "no-new-privileges" else rest
    return "--security-opt", f"{name}={rest}".rstrip("=")


def checked(option: str) -> Callable[[str], tuple[str, str]]:
    """A health command, as podman reads it."""
    return lambda value: checked_words(option, health_command(value))


def checked_words(option: str, test: list[str]) -> tuple[str, str]:
    """The words of a check; NONE however it is written, a shell's command as one word."""
    if test[0].upper() == "NONE":
        test = ["NONE"]
    if test[0] == "CMD-SHELL":
        test = ["CMD-SHELL", " ".join(test[1:])]
    return option, json.dumps(test)


UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: str) -> str:
    """A duration as Go writes it, in seconds."""
    found = re.findall(r"([0-9.]+)(ns|us|µs|ms|s|m|h)", text)
    return f"{sum(float(number) * UNITS[unit] for number, unit in found):g}"


def lasting(option: str) -> Callable[[str], tuple[str, str]]:
    """A duration in seconds."""
    return lambda value: (option, seconds(value))


FORMS: dict[str, Callable[[str], tuple[str, str]]] = {
    "-v": _short,
    "--mount": _long,
    "--publish": publish,
    "--device": device,
    "--network": network,
    "--secret": secret,
    "--security-opt": security,
    "--cap-add": lambda value: ("--cap-add", value.upper()),
    "--cap-drop": lambda value: ("--cap-drop", value.upper()),
    "--health-cmd": checked("--health-cmd"),
    "--health-startup-cmd": checked("--health-startup-cmd"),
    "--health-interval": lasting("--health-interval"),
    "--health-timeout": lasting("--health-timeout"),
    "--health-start-period": lasting("--health-start-period"),
    "--health-startup-interval": lasting("--health-startup-interval"),
}
