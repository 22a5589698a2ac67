"""The compose table: one row per service key says how it is carried out.

A key without a row, or a part of one that its row says nothing of, is an error that names it.
Sources: the compose specification as docker compose 2.40.3 prints it
(https://github.com/compose-spec/compose-spec/blob/main/05-services.md), podman-systemd.unit(5) and
podman-run(1) of Podman 5.4.
"""

from __future__ import annotations

import math
from typing import Any

from tidegate.targets.quadlet import (
    command,
    deploy,
    health,
    hooks,
    mounts,
    networks,
    ports,
    resources,
    restart,
    secrets,
    security,
)
from tidegate.targets.quadlet.durations import seconds
from tidegate.targets.quadlet.rows import (
    Row,
    Service,
    below,
    deployed,
    each,
    flag,
    ignored,
    key,
    option,
    pairs,
    refused,
    switch,
    text,
)
from tidegate.targets.quadlet.sheet import Path

LOG_DRIVERS = frozenset({"journald", "k8s-file", "json-file", "none", "passthrough"})
LOG_OPTIONS = frozenset({"max-size", "path", "tag", "label"})
BOUNDS = frozenset({"max-size", "max-file", "compress"})
WINDOWS = "only containers of Windows have it"
OWN_ENGINE = "a feature of Docker's engine that podman does not have"
# A container that failed is gone with its log files; the journal still has its last words.
JOURNAL = "in the host's journal, which bounds its own size and is what `tidegate logs` reads"
STOP_S = 10.0
# podman v5.4.2 reads the value of --env line by line (pkg/env/env.go).
NO_CRLF = "podman takes the carriage return out of a line end"


def stop_s(compose: Any) -> float:
    """How long a container may take to stop, whole seconds, 10 by default as in Docker."""
    given = compose.get("stop_grace_period")
    return float(math.ceil(seconds(given))) if given else STOP_S


def _stop(service: Service, at: str, _value: Any) -> None:
    whole = int(stop_s(service.compose))
    service.sheet.key((at,), "StopTimeout", str(whole))


def _environment(service: Service, at: str, value: Any) -> None:
    given = {name: item for name, item in sorted(value.items()) if item is not None}
    cut = [name for name, item in given.items() if "\r\n" in str(item)]
    if cut and service.sheet.strict:
        service.sheet.refuse((at, cut[0]), NO_CRLF, "write the line end as a line feed alone")
    if given:
        reason = f"{', '.join(cut)}: {NO_CRLF}" if cut else ""
        lines = (f"{k}={v}" for k, v in given.items())
        service.sheet.key((at,), "Environment", *lines, reason=reason)
    else:
        service.sheet.default((at,), "a variable without a value is not set")


def _hosts(service: Service, at: str, value: Any) -> None:
    lines = [item.partition("=")[::2] for item in value]
    hosts = (f"{name}:{address.strip('[]')}" for name, address in lines)
    service.sheet.key((at,), "AddHost", *hosts)


def _resolver(name: str) -> Row:
    """Name servers and the like: podman refuses them where there is no network, Docker does not."""
    write = each(name)

    def row(service: Service, at: str, value: Any) -> None:
        if service.compose.get("network_mode") == "none":
            service.sheet.default((at,), "there is no network to ask on")
        else:
            write(service, at, value)

    return row


def _shm_size(service: Service, at: str, value: Any) -> None:
    ipc = str(service.compose.get("ipc") or "")
    if ipc == "host" or ipc.startswith(("service:", "container:")):
        service.sheet.default((at,), "the memory that is shared has a size already")
    else:
        service.sheet.key((at,), "ShmSize", text(value))


def _hostname(service: Service, at: str, value: Any) -> None:
    domain = service.compose.get("domainname")
    service.sheet.key((at,), "HostName", f"{value}.{domain}" if domain else value)


def _domainname(service: Service, at: str, _value: Any) -> None:
    if service.compose.get("hostname"):
        service.sheet.also((at,), "native", "HostName", "part of the host name")
    else:
        hint = "give `hostname:`, too"
        service.sheet.unsupported((at,), "podman sets a domain only with a host name", hint)


def _read_only(service: Service, at: str, value: Any) -> None:
    if not value:
        service.sheet.default((at,))
        return
    service.sheet.key((at,), "ReadOnly", "true")
    # Podman would add writable /tmp, /run and more, which Docker does not.
    service.sheet.raw("Container", "ReadOnlyTmpfs", "false")


def _cgroup_parent(service: Service, at: str, value: Any) -> None:
    if not value.endswith(".slice"):
        hint = "give the name of a slice: my.slice"
        service.sheet.unsupported((at,), "podman starts containers below a slice of systemd", hint)
        return
    service.sheet.raw("Container", "CgroupsMode", "enabled")
    service.sheet.option((at,), "--cgroup-parent", value)


def _shared(name: str) -> Row:
    """pid and ipc: another service's container, by its name."""

    def write(service: Service, at: str, value: Any) -> None:
        kind, _, other = str(value).partition(":")
        if kind == "service":
            unit = service.scope.unit(other)
            value = f"container:{service.scope.container(other)}"
            service.sheet.raw("Unit", "Requires", f"{unit}.service")
            service.sheet.raw("Unit", "After", f"{unit}.service")
        service.sheet.option((at,), name, str(value))

    return write


def _logging(service: Service, at: str, value: Any) -> None:
    driver, options = value.get("driver"), value.get("options") or {}
    if driver in (None, "json-file") and not service.scope.exporting and set(options) <= BOUNDS:
        for leaf in below(value, (at,)):
            service.sheet.deployed(leaf, JOURNAL)
        return
    if driver and driver not in LOG_DRIVERS:
        hint = "use journald, json-file or none"
        for leaf in below({"driver": driver, **value}, (at,)):
            service.sheet.unsupported(leaf, f"podman has no log driver {driver!r}", hint)
        return
    if driver:
        service.sheet.key((at, "driver"), "LogDriver", driver)
    if options:
        _log_options(service, (at, "options"), options, driver)
    elif "options" in value:
        service.sheet.default((at, "options"), "empty")


def _log_options(service: Service, at: Path, options: Any, driver: str | None) -> None:
    known = LOG_OPTIONS | BOUNDS if service.scope.exporting else LOG_OPTIONS
    lines = [f"{name}={item}" for name, item in sorted(options.items()) if name in known]
    unknown = sorted(set(options) - LOG_OPTIONS - BOUNDS)
    if lines and not driver:
        service.sheet.raw("Container", "LogDriver", "k8s-file")
    if unknown:
        service.sheet.unsupported(at, f"podman has no log option {unknown[0]!r}")
        entries = list(service.sheet.entries)
        service.sheet.key(at, "LogOpt", *lines)
        service.sheet.entries[:] = entries
    elif lines:
        one_file = set(options) & (BOUNDS - LOG_OPTIONS)
        reason = "podman keeps one file of bounded size" if one_file else ""
        service.sheet.key(at, "LogOpt", *lines, reason=reason)
    else:
        service.sheet.harmless(at, "podman keeps one file of bounded size")


def _device_rules(service: Service, at: str, value: Any) -> None:
    if service.scope.rootful:
        service.sheet.option((at,), "--device-cgroup-rule", *value)
    else:
        service.sheet.unsupported((at,), "podman takes them only from root", "name the devices")


def _cgroup(service: Service, at: str, value: Any) -> None:
    service.sheet.option((at,), "--cgroupns", value)


ROWS: dict[str, Row] = {
    "image": deployed("pinned by digest in the release"),
    "build": deployed("built by the controller, pinned by digest in the release"),
    "platform": deployed("chosen when the image is pinned"),
    "pull_policy": deployed("images are pulled by digest before anything is stopped"),
    "entrypoint": command.entrypoint,
    "command": command.command,
    "environment": _environment,
    "env_file": deployed("read when the project is loaded"),
    "label_file": deployed("read when the project is loaded"),
    "working_dir": key("WorkingDir"),
    "user": key("User"),
    "group_add": each("GroupAdd"),
    "hostname": _hostname,
    "domainname": _domainname,
    "container_name": deployed("a name on the service's networks"),
    "labels": pairs("Label"),
    "annotations": pairs("Annotation"),
    "init": switch("RunInit"),
    "tty": flag("--tty"),
    "stdin_open": flag("--interactive"),
    "read_only": _read_only,
    "privileged": flag("--privileged"),
    "cap_add": each("AddCapability"),
    "cap_drop": each("DropCapability"),
    "security_opt": security.security_opt,
    "userns_mode": key("UserNS"),
    "pid": _shared("--pid"),
    "ipc": _shared("--ipc"),
    "uts": option("--uts"),
    "cgroup": _cgroup,
    "cgroup_parent": _cgroup_parent,
    "sysctls": pairs("Sysctl"),
    "ulimits": resources.ulimits,
    "shm_size": _shm_size,
    "tmpfs": each("Tmpfs"),
    "devices": security.devices,
    "device_cgroup_rules": _device_rules,
    "gpus": security.gpus,
    "cpus": option("--cpus"),
    "cpu_shares": option("--cpu-shares"),
    "cpu_quota": option("--cpu-quota"),
    "cpu_period": option("--cpu-period"),
    "cpu_rt_runtime": option("--cpu-rt-runtime"),
    "cpu_rt_period": option("--cpu-rt-period"),
    "cpuset": option("--cpuset-cpus"),
    "mem_limit": option("--memory"),
    "mem_reservation": option("--memory-reservation"),
    "memswap_limit": option("--memory-swap"),
    "mem_swappiness": option("--memory-swappiness"),
    "oom_kill_disable": flag("--oom-kill-disable"),
    "oom_score_adj": option("--oom-score-adj"),
    "pids_limit": resources.pids_limit,
    "blkio_config": resources.blkio,
    "runtime": lambda s, at, value: s.sheet.key((at,), "GlobalArgs", f"--runtime={value}"),
    "storage_opt": lambda s, at, value: s.sheet.key(
        (at,), "GlobalArgs", *(f"--storage-opt={k}={v}" for k, v in sorted(value.items()))
    ),
    "logging": _logging,
    "extra_hosts": _hosts,
    "dns": _resolver("DNS"),
    "dns_opt": _resolver("DNSOption"),
    "dns_search": _resolver("DNSSearch"),
    "expose": each("ExposeHostPort"),
    "ports": ports.row,
    "networks": lambda _service, _at, _value: None,  # written by networks.joined
    "network_mode": networks.network_mode,
    "mac_address": deployed("written by the host with the copy's address"),
    "links": networks.links,
    "external_links": refused("names of containers outside the project", "use a network of both"),
    "volumes": mounts.volumes,
    "volumes_from": mounts.volumes_from,
    "configs": mounts.configs,
    "secrets": secrets.row,
    "healthcheck": health.write,
    "depends_on": deploy.depends_on,
    "restart": restart.restart,
    "stop_grace_period": _stop,
    "stop_signal": key("StopSignal"),
    "post_start": hooks.row,
    "pre_stop": hooks.row,
    "scale": deployed("this many copies in a slot"),
    "deploy": deploy.row,
    "profiles": deployed("chosen when the project is loaded"),
    "attach": ignored("for `docker compose up` in a terminal"),
    "develop": ignored("for work on one's own machine"),
    "pre_start": refused("podman cannot run a container before another of the same unit"),
    "provider": refused(OWN_ENGINE),
    "models": refused(OWN_ENGINE),
    "use_api_socket": refused(OWN_ENGINE),
    "pull_refresh_after": refused(OWN_ENGINE),
    "cpu_count": refused(WINDOWS),
    "cpu_percent": refused(WINDOWS),
    "isolation": refused(WINDOWS),
    "credential_spec": refused(WINDOWS),
}
