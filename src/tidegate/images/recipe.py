"""What a compose ``build:`` says, as a value; its key; and the argv that carries it out.

The key is a digest over everything that goes into an image: context, Dockerfile, arguments,
bases. An equal key means an equal image, so it is not built again.
Sources: https://docs.docker.com/reference/compose-file/build/, podman-build(1) 4.3 to 5.4,
https://docs.docker.com/reference/cli/docker/buildx/build/.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tidegate.errors import InputError, Where
from tidegate.images import names

KEY_FORMAT = 1
CARRIED_OUT = frozenset(
    {"context", "dockerfile", "dockerfile_inline", "args", "target", "labels", "network"}
    | {"shm_size", "extra_hosts", "additional_contexts", "platforms", "ulimits", "ssh", "secrets"}
    | {"no_cache", "pull", "tags", "cache_from", "cache_to"}  # how, and not what, is built
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """One build. Paths are absolute; ``dockerfile`` is a path unless ``inline`` has text."""

    context: str
    dockerfile: str
    inline: str = ""
    target: str = ""
    platform: str = ""
    network: str = ""
    shm_size: str = ""
    no_cache: bool = False
    args: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    contexts: tuple[tuple[str, str], ...] = ()
    hosts: tuple[tuple[str, str], ...] = ()
    ulimits: tuple[str, ...] = ()
    ssh: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    where: Where | None = field(default=None, compare=False)

    @property
    def arguments(self) -> dict[str, str]:
        return dict(self.args)


@dataclass(frozen=True, slots=True)
class Builder:
    """A program that builds: ``podman``, ``buildah`` or ``docker``, and its extra options."""

    name: str
    options: tuple[str, ...] = ()


def recipe(
    build: Mapping[str, Any],
    *,
    platform: str,
    secrets: Mapping[str, Mapping[str, Any]],
    where: Callable[[str], Where | None],
) -> Recipe:
    """Read the canonical ``build`` of a service; a key that no builder here knows is named."""
    _check(build, where)
    context = str(build.get("context", ""))
    platforms = build.get("platforms") or ([platform] if platform else [])
    file = str(build.get("dockerfile") or "Dockerfile")
    return Recipe(
        context=context,
        dockerfile=file if file.startswith("/") else f"{context.rstrip('/')}/{file}",
        inline=str(build.get("dockerfile_inline") or ""),
        target=str(build.get("target") or ""),
        platform=str(platforms[0]) if platforms else "",
        network=str(build.get("network") or ""),
        shm_size=str(build.get("shm_size") or ""),
        no_cache=build.get("no_cache") is True,
        args=_pairs(build.get("args")),
        labels=_pairs(build.get("labels")),
        contexts=_pairs(build.get("additional_contexts")),
        hosts=_hosts(build.get("extra_hosts")),
        ulimits=_ulimits(build.get("ulimits")),
        ssh=tuple(str(item) for item in build.get("ssh") or ()),
        secrets=tuple(_secret(item, secrets, where) for item in build.get("secrets") or ()),
        where=where("context"),
    )


def _check(build: Mapping[str, Any], where: Callable[[str], Where | None]) -> None:
    """Raise an ``InputError`` for what no builder here carries out."""
    for key in build:
        if key not in CARRIED_OUT and not key.startswith("x-"):
            raise InputError(
                f"build.{key} is not handled", code="build-key", where=where(key),
                hint="remove it, or build the image elsewhere and name it with image:",
            )  # fmt: skip
    context = str(build.get("context", ""))
    if "://" in context or context.startswith(("git@", "github.com/")):
        raise InputError(
            "a build context must be a folder of this machine", code="build-remote",
            where=where("context"), hint="clone the repository and name the folder",
        )  # fmt: skip
    if len(build.get("platforms") or ()) > 1:
        raise InputError(
            "several platforms in one build are not handled", code="build-platforms",
            where=where("platforms"), hint="name the platform of your servers",
        )  # fmt: skip


def key(
    made: Recipe, dockerfile: str, contexts: Mapping[str, str], bases: Mapping[str, str]
) -> str:
    """64 hexadecimal digits for: this recipe, the Dockerfile's text, the digest of each context
    ("" is the main one) and of each base. Where it lies on this machine makes no difference."""
    parts = {
        "format": KEY_FORMAT,
        "dockerfile": dockerfile,
        "contexts": dict(contexts),
        "bases": dict(bases),
        "target": made.target,
        "platform": made.platform,
        "args": dict(made.args),
        "labels": dict(made.labels),
        "hosts": made.hosts,
    }
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def qualified(made: Recipe, bases: Iterable[str]) -> Recipe:
    """The recipe with a context for each base that has a short name: ``nginx`` is Docker Hub's.

    Podman and buildah know no such rule: containers-registries.conf(5), short names.
    """
    short = []
    for base in bases:
        reference = names.parse(base)
        if not base.startswith(reference.registry):
            whole = reference.pinned if reference.digest else reference.tagged
            short.append((base, f"docker-image://{whole}"))
    return replace(made, contexts=(*made.contexts, *short))


def build_argv(
    builder: Builder, made: Recipe, *, tag: str, dockerfile: str, ignore_file: str, output: str
) -> tuple[str, ...]:
    """The build command; docker writes an OCI layout to ``output``, the others keep ``tag``."""
    words: list[str] = {
        "podman": ["podman", "build"],
        "buildah": ["buildah", "build", "--layers"],
        "docker": ["docker", "buildx", "build"],
    }[builder.name]
    words = [*words, *builder.options, "--file", dockerfile]
    if builder.name == "docker":
        words += ["--output", f"type=oci,dest={output},tar=false,compression=uncompressed,"
                  "force-compression=true", "--provenance=false"]  # fmt: skip
    else:
        words += ["--tag", tag]
        if ignore_file:
            words += ["--ignorefile", ignore_file]
    for name, value in (
        ("--target", made.target),
        ("--platform", made.platform),
        ("--network", made.network),
        ("--shm-size", made.shm_size),
    ):
        words += [name, value] if value else []
    return (*words, *_repeated(made), made.context)


def _repeated(made: Recipe) -> list[str]:
    """Options that may be given many times."""
    words = ["--no-cache"] if made.no_cache else []
    for name, pairs in (
        ("--build-arg", made.args),
        ("--label", made.labels),
        ("--build-context", made.contexts),
    ):
        words += [word for k, v in pairs for word in (name, f"{k}={v}")]
    words += [word for host, ip in made.hosts for word in ("--add-host", f"{host}:{ip}")]
    for name, values in (
        ("--ulimit", made.ulimits),
        ("--ssh", made.ssh),
        ("--secret", made.secrets),
    ):
        words += [word for value in values for word in (name, value)]
    return words


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    """A map, or null values left out: an argument without a value is not passed."""
    found = value.items() if isinstance(value, Mapping) else ()
    return tuple(sorted((str(k), str(v)) for k, v in found if v is not None))


def _hosts(value: Any) -> tuple[tuple[str, str], ...]:
    """``["name=ip"]``, as the canonical form has them."""
    pairs = (str(item).replace("=", ":", 1).split(":", 1) for item in value or ())
    return tuple((pair[0], pair[1]) for pair in pairs if len(pair) == 2)


def _ulimits(value: Any) -> tuple[str, ...]:
    found = value.items() if isinstance(value, Mapping) else ()
    return tuple(
        f"{k}={v['soft']}:{v['hard']}" if isinstance(v, Mapping) else f"{k}={v}" for k, v in found
    )


def _secret(
    item: Any, secrets: Mapping[str, Mapping[str, Any]], where: Callable[[str], Where | None]
) -> str:
    source = str(item["source"] if isinstance(item, Mapping) else item)
    target = str(item.get("target") or source) if isinstance(item, Mapping) else source
    declared = secrets.get(source, {})
    if "file" in declared:
        return f"id={target},src={declared['file']}"
    if "environment" in declared:
        return f"id={target},env={declared['environment']}"
    raise InputError(
        f"the build secret {source} has neither file nor environment",
        code="build-secret",
        where=where("secrets"),
        hint=f"declare it under secrets: {source}: {{file: …}}",
    )
