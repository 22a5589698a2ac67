"""Traps of single compose keys in a sentence each, for the table of docs/compose.md."""

# Keys that only the loader sees, by their place in the section.
LOADED = {
    "version": "obsolete, and without effect in docker compose too",
    "name": "the project's name, unless -p or COMPOSE_PROJECT_NAME gives one",
    "include[].path": "a path from the including file; several are merged; cycles are errors",
    "include[].env_file": "variables for what is included, below the including file's own",
    "include[].project_directory": "where the included file's relative paths begin",
    "env_file[].path": "its variables are in `environment`, which wins over them",
    "env_file[].format": "`raw` keeps quotes and `$` as they are",
    "env_file[].required": "`false`: a missing file is no error",
    "label_file": "its lines are in `labels`, which win over them",
    "extends.service": "merged at load; `depends_on`, `links` and `volumes_from` come along",
    "extends.file": "relative paths in it begin at that file",
    "pull_refresh_after": "docker compose 2.40.3 reads it and drops it",
    "ipam.options": "docker compose 2.40.3 reads it and drops it",
    "external.name": "deprecated: becomes `external: true` and `name`",
}
NOTES = {
    "command": "text is split into words, with no shell: write `sh -c` for one; null keeps the"
    " image's, [] empties it",
    "entrypoint": "an empty list removes the image's own",
    "environment": "a name without a value takes it from outside, or is not set",
    "labels": "each is quoted, so blanks in it stay in it",
    "container_name": "only one container can have it, so its service is restarted in place",
    "network_mode": "`bridge` is podman's default network, where services have no names",
    "deploy.resources.limits.cpus": "enforced where the `cpu` controller is delegated, which"
    " `tidegate doctor` says",
    "deploy.resources.limits.memory": "enforced where the `memory` controller is delegated, which"
    " `tidegate doctor` says",
    "mem_limit": "Podman 5.4 knows no `Memory=` key",
    "memswap_limit": "memory and swap together, as in docker",
    "mem_swappiness": "without effect on cgroup v2",
    "oom_kill_disable": "without effect on cgroup v2",
    "cpu_rt_runtime": "only with cgroup v1",
    "cpu_rt_period": "only with cgroup v1",
    "cgroup_parent": "needs `CgroupsMode=enabled`, which is written with it",
    "read_only": "with `ReadOnlyTmpfs=false`: podman would add writable folders that docker does"
    " not",
    "devices[].source": "names of CDI devices work, too",
    "gpus[].count": "needs a CDI description of the GPUs on the host",
    "security_opt": "`seccomp`, `label` and `systempaths` have keys of their own; `apparmor` goes"
    " to `--security-opt`",
    "sysctls": "only those that belong to the container's own namespaces",
    "ulimits": "a user's podman cannot raise them above the user's own hard limit",
    "privileged": "with a user's podman: no more than that user may",
    "userns_mode": "`host` says the same as no key with a user's podman",
    "pid": "`service:x` becomes x's container, started before it",
    "ipc": "`service:x` becomes x's container, started before it",
    "ports[].published": "of a range for one port, the first; below 1024 a user's podman needs"
    " `net.ipv4.ip_unprivileged_port_start`",
    "expose": "without effect between containers; it says where a front listens",
    "dns_search": "an empty entry says nothing",
    "volumes[].bind.create_host_path": "podman makes no missing folders: a command before the"
    " start does",
    "volumes[].source": "a volume without a name gets one from its place, or each stop would"
    " empty it",
    "volumes_from": "the other container must be there first",
    "tmpfs": "options come after a colon: `/tmp:size=1m`",
    "depends_on.*.condition": "`service_completed_successfully` makes the other service a job"
    " that runs once",
    "healthcheck.test": "a list without a shell stays without one; `CMD` itself is dropped, which"
    " Podman 5.4 would take for a word",
    "healthcheck.disable": "also removes the image's own check",
    "restart": "`unless-stopped` is `always`; `deploy.restart_policy` wins",
    "stop_grace_period": "whole seconds, 10 without it; systemd waits 10 s longer",
    "deploy.mode": "`global` is one copy; the two job modes run once",
    "scale": "the same as `deploy.replicas`; both must agree",
    "runtime": "a runtime that podman knows on that host",
    "tty": "logs then have carriage returns",
    "stdin_open": "under systemd there is nobody to type",
    "ipam.config[].subnet": "of several subnets all have a gateway and a range, or none",
    "driver_opts": "of a network, `com.docker.*` only where podman has the like; of a volume,"
    " `type` and `o` need `device`",
    "driver": "of a network: bridge, macvlan or ipvlan; of a volume: local, or what podman knows",
    "internal": "no way out, and no published port works there",
}
