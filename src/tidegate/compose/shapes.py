"""The canonical form of each part of a project, as tables: what is printed, and by which type.

A key in no table is dropped, as docker compose drops it; x- keys of a service are kept for us.
Source: https://github.com/compose-spec/compose-go/blob/v2.9.1/types/types.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tidegate.compose import decode as d
from tidegate.compose.gotext import sprint, sprint_node
from tidegate.compose.hosts import extra_hosts
from tidegate.compose.nodes import Node, Path


@dataclass(frozen=True, slots=True)
class Shape:
    """A mapping with foreseen keys; `always` are printed even when nothing was given."""

    keys: Mapping[str, d.Decoder]
    always: tuple[str, ...] = ()
    extensions: bool = False
    names: Mapping[str, str] = field(default_factory=dict)  # printed under another name

    def __call__(self, node: Node, path: Path) -> Node | None:
        """The canonical mapping; None where nothing was given."""
        if node.value is None:
            return None
        if not isinstance(node.value, dict):
            return d.wrong(node, path, "a mapping")
        found: dict[str, Node] = {}
        for key, child in node.value.items():
            decoder = self.keys.get(key)
            if decoder is not None:
                value = decoder(child, (*path, key))
                if value is not None:
                    found[self.names.get(key, key)] = value
            elif self.extensions and key.startswith("x-"):
                found[key] = child
        for key in self.always:
            printed = self.names.get(key, key)
            if printed not in found:
                found[printed] = self._absent(key, node, path)
        return node.become(found)

    def _absent(self, key: str, node: Node, path: Path) -> Node:
        decoder = self.keys[key]
        empty: Node = Node({} if isinstance(decoder, Shape) else None, node.at)
        return decoder(empty, (*path, key)) or empty


def _many(names: str, decoder: d.Decoder) -> dict[str, d.Decoder]:
    return dict.fromkeys(names.split(), decoder)


def ulimit(node: Node, path: Path) -> Node | None:
    """One number for both limits, or soft and hard."""
    if not isinstance(node.value, dict):
        single = d.integer(node, path)
        return single or node.become({})
    return Shape({"soft": d.integer, "hard": d.integer})(node, path)


def ssh_keys(node: Node, _path: Path) -> Node | None:
    """SSH agents and keys for a build: `id`, or `id=path`."""
    found = []
    for name, child in sorted(d.user_mapping(node).items()):
        key = name if child.value in (None, "") else f"{name}={sprint(child.value)}"
        found.append(Node(key, child.at, child.key_at, child.used))
    return node.become(found) if found else None


def device_count(node: Node, path: Path) -> Node | None:
    """How many devices; `all` is -1."""
    if isinstance(node.value, str) and node.value.lower() == "all":
        return node.become(-1)
    if isinstance(node.value, float | bool):
        return d.wrong(node, path, "`all` or a whole number")
    return d.integer(node, path)


def provider_options(node: Node, _path: Path) -> Node | None:
    """Options that may be given several times: every value is a list."""
    found: dict[str, Node] = {}
    for key, child in d.user_mapping(node).items():
        values = child.value if isinstance(child.value, list) else [child]
        if values:
            found[key] = child.become([sprint_node(value) for value in values])
    return node.become(found) if found else None


ULIMITS = d.MapOf(ulimit)
FILE_MOUNT = Shape({**_many("source target uid gid", d.text), "mode": d.file_mode})
HOOK = Shape(
    {
        "command": d.command,
        **_many("user working_dir", d.text),
        "privileged": d.boolean,
        "environment": d.environment,
    },
    always=("command",),
)
DEVICE_REQUEST = Shape(
    {
        **_many("capabilities device_ids", d.texts),
        "driver": d.text,
        "count": device_count,
        "options": d.mapping,
    }
)
RESOURCE = Shape(
    {
        "cpus": d.number,
        "memory": d.size,
        "pids": d.integer,
        "devices": d.ListOf(DEVICE_REQUEST),
        "generic_resources": d.ListOf(
            Shape(
                {
                    "discrete_resource_spec": Shape(
                        {"kind": d.text_always, "value": d.integer_always},
                        always=("kind", "value"),
                    )
                }
            )
        ),
    }
)
UPDATE = Shape(
    {
        "parallelism": d.optional_unsigned,
        **_many("delay monitor", d.duration),
        **_many("failure_action order", d.text),
        "max_failure_ratio": d.number,
    }
)
DEPLOY = Shape(
    {
        **_many("mode endpoint_mode", d.text),
        "replicas": d.optional_integer,
        "labels": d.mapping,
        **_many("update_config rollback_config", UPDATE),
        "resources": Shape({"limits": RESOURCE, "reservations": RESOURCE}),
        "restart_policy": Shape(
            {
                "condition": d.text,
                **_many("delay window", d.optional_duration),
                "max_attempts": d.optional_unsigned,
            }
        ),
        "placement": Shape(
            {
                "constraints": d.texts,
                "preferences": d.ListOf(Shape({"spread": d.text})),
                "max_replicas_per_node": d.unsigned(64),
            }
        ),
    },
    always=("resources", "placement"),
)
BUILD = Shape(
    {
        **_many(
            "context dockerfile dockerfile_inline provenance sbom isolation network target",
            d.text,
        ),
        "entitlements": d.texts,
        "args": d.environment,
        "ssh": ssh_keys,
        "labels": d.mapping,
        **_many("cache_from cache_to tags platforms", d.text_or_texts),
        **_many("no_cache pull privileged", d.boolean),
        "additional_contexts": d.mapping,
        "extra_hosts": extra_hosts,
        "secrets": d.ListOf(FILE_MOUNT),
        "shm_size": d.size,
        "ulimits": ULIMITS,
    }
)
_THROTTLE = d.ListOf(
    Shape(
        {"path": d.text_always, "rate": d.size_always},
        always=("path", "rate"),
        names={"path": "Path", "rate": "Rate"},
    )
)
BLKIO = Shape(
    {
        "weight": d.unsigned(16),
        "weight_device": d.ListOf(
            Shape(
                {"path": d.text_always, "weight": d.unsigned_always(16)},
                always=("path", "weight"),
                names={"path": "Path", "weight": "Weight"},
            )
        ),
        **_many("device_read_bps device_read_iops device_write_bps device_write_iops", _THROTTLE),
    }
)
HEALTH = Shape(
    {
        "test": d.health_test,
        **_many("timeout interval start_period start_interval", d.optional_duration),
        "retries": d.optional_unsigned,
        "disable": d.boolean,
    }
)
PORT = Shape(
    {
        **_many("name mode host_ip published protocol app_protocol", d.text),
        "target": d.unsigned(32),
    }
)
VOLUME_MOUNT = Shape(
    {
        **_many("type source target consistency", d.text),
        "read_only": d.boolean,
        "bind": Shape(
            {**_many("selinux propagation recursive", d.text), "create_host_path": d.boolean}
        ),
        "volume": Shape({"labels": d.mapping, "nocopy": d.boolean, "subpath": d.text}),
        "tmpfs": Shape({"size": d.size, "mode": d.unsigned(32)}),
        "image": Shape({"subpath": d.text}),
    }
)
SERVICE_NETWORK = Shape(
    {
        **_many("aliases link_local_ips", d.texts),
        "driver_opts": d.options,
        **_many("gw_priority priority", d.integer),
        **_many("interface_name ipv4_address ipv6_address mac_address", d.text),
    }
)
_HOOKS = d.ListOf(HOOK)
SERVICE = Shape(
    {
        **_many("profiles cap_add cap_drop device_cgroup_rules dns_opt external_links", d.texts),
        **_many("group_add links label_file security_opt volumes_from", d.texts),
        **_many("annotations labels sysctls", d.mapping),
        **_many("attach init", d.optional_boolean),
        "build": BUILD,
        "develop": Shape(
            {
                "watch": d.ListOf(
                    Shape(
                        {
                            **_many("path action", d.text_always),
                            "target": d.text,
                            "exec": HOOK,
                            **_many("include ignore", d.texts),
                            "initial_sync": d.boolean,
                        },
                        always=("path", "action", "exec"),
                    )
                )
            }
        ),
        "blkio_config": BLKIO,
        **_many(
            "cgroup_parent cgroup cpuset container_name dockerfile domainname hostname image ipc"
            " isolation log_driver mac_address net network_mode pid platform pull_policy restart"
            " runtime stop_signal user userns_mode uts volume_driver working_dir",
            d.text,
        ),
        **_many(
            "cpu_count cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares oom_score_adj"
            " pids_limit",
            d.integer,
        ),
        **_many("cpu_percent cpus", d.number),
        **_many("command entrypoint", d.command),
        **_many("configs secrets", d.ListOf(FILE_MOUNT)),
        "credential_spec": Shape(_many("config file registry", d.text)),
        "depends_on": d.MapOf(
            Shape(
                {"condition": d.text, "restart": d.boolean, "required": d.optional_boolean},
                always=("required",),
            )
        ),
        "deploy": DEPLOY,
        "devices": d.ListOf(Shape(_many("source target permissions", d.text))),
        **_many("dns dns_search tmpfs", d.text_or_texts),
        "provider": Shape({"type": d.text, "options": provider_options}),
        "environment": d.environment,
        "env_file": d.ListOf(
            Shape({**_many("path format", d.text), "required": d.optional_boolean})
        ),
        "expose": d.texts_or_numbers,
        "extends": Shape(_many("file service", d.text)),
        "extra_hosts": extra_hosts,
        "gpus": d.ListOf(DEVICE_REQUEST),
        "healthcheck": HEALTH,
        "logging": Shape({"driver": d.text, "options": d.options}),
        **_many("log_opt storage_opt", d.plain_options),
        **_many("mem_limit mem_reservation memswap_limit mem_swappiness shm_size", d.size),
        "models": d.MapOf(Shape(_many("endpoint_var model_var", d.text))),
        "networks": d.MapOf(SERVICE_NETWORK),
        **_many("oom_kill_disable privileged read_only stdin_open tty use_api_socket", d.boolean),
        "ports": d.ListOf(PORT),
        "scale": d.optional_integer,
        "stop_grace_period": d.optional_duration,
        "ulimits": ULIMITS,
        "volumes": d.ListOf(VOLUME_MOUNT),
        **_many("post_start pre_stop", _HOOKS),
    },
    always=("command", "entrypoint"),
    extensions=True,
)
NETWORK = Shape(
    {
        **_many("name driver", d.text),
        "driver_opts": d.options,
        "ipam": Shape(
            {
                "driver": d.text,
                "config": d.ListOf(
                    Shape({**_many("subnet gateway ip_range", d.text), "aux_addresses": d.mapping})
                ),
            }
        ),
        **_many("external internal attachable", d.boolean),
        "labels": d.mapping,
        **_many("enable_ipv4 enable_ipv6", d.optional_boolean),
    },
    always=("ipam",),
    extensions=True,
)
VOLUME = Shape(
    {
        **_many("name driver", d.text),
        "driver_opts": d.options,
        "external": d.boolean,
        "labels": d.mapping,
    },
    extensions=True,
)
FILE_OBJECT = Shape(
    {
        **_many("name file environment content driver template_driver", d.text),
        "external": d.boolean,
        "labels": d.mapping,
        "driver_opts": d.plain_options,
    },
    extensions=True,
)
MODEL = Shape(
    {**_many("name model", d.text), "context_size": d.integer, "runtime_flags": d.texts},
    extensions=True,
)
INCLUDE = Shape({**_many("path env_file", d.text_or_texts), "project_directory": d.text})
SECTIONS: Mapping[str, Shape] = {
    "services": SERVICE,
    "networks": NETWORK,
    "volumes": VOLUME,
    "secrets": FILE_OBJECT,
    "configs": FILE_OBJECT,
    "models": MODEL,
}
