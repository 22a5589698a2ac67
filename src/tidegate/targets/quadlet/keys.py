"""The keys of Quadlet units on Podman 5.4: how each is read, and the podman option behind it.

A key that is not here is not known to Podman 5.4 and would make the whole unit vanish.
Source: podman v5.4.2 pkg/systemd/quadlet/quadlet.go, ConvertContainer.
"""

from __future__ import annotations

from tidegate.targets.quadlet.escape import KEYVAL, RAW, SCALAR, STRV, WORDS

# [Container] key: (kind, podman option; empty where a quoted form can always carry the value).
CONTAINER: dict[str, tuple[str, str]] = {
    "AddCapability": (STRV, "--cap-add"),
    "AddDevice": (STRV, "--device"),
    "AddHost": (RAW, "--add-host"),
    "Annotation": (KEYVAL, ""),
    "CgroupsMode": (SCALAR, "--cgroups"),
    "ContainerName": (SCALAR, "--name"),
    "DNS": (RAW, "--dns"),
    "DNSOption": (RAW, "--dns-option"),
    "DNSSearch": (RAW, "--dns-search"),
    "DropCapability": (STRV, "--cap-drop"),
    "Entrypoint": (SCALAR, "--entrypoint"),
    "Environment": (KEYVAL, ""),
    "Exec": (WORDS, ""),
    "ExposeHostPort": (RAW, "--expose"),
    "GlobalArgs": (WORDS, ""),
    "GroupAdd": (RAW, "--group-add"),
    "HealthCmd": (SCALAR, "--health-cmd"),
    "HealthInterval": (SCALAR, "--health-interval"),
    "HealthRetries": (SCALAR, "--health-retries"),
    "HealthStartPeriod": (SCALAR, "--health-start-period"),
    "HealthStartupCmd": (SCALAR, "--health-startup-cmd"),
    "HealthStartupInterval": (SCALAR, "--health-startup-interval"),
    "HealthTimeout": (SCALAR, "--health-timeout"),
    "HostName": (SCALAR, "--hostname"),
    "Image": (SCALAR, ""),
    "Label": (KEYVAL, ""),
    "LogDriver": (SCALAR, "--log-driver"),
    "LogOpt": (STRV, "--log-opt"),
    "Mask": (WORDS, ""),
    "Mount": (WORDS, ""),
    "Network": (RAW, "--network"),
    "NoNewPrivileges": (SCALAR, ""),
    "Notify": (SCALAR, ""),
    "PidsLimit": (SCALAR, "--pids-limit"),
    "PodmanArgs": (WORDS, ""),
    "PublishPort": (RAW, "--publish"),
    "Pull": (SCALAR, "--pull"),
    "ReadOnly": (SCALAR, ""),
    "ReadOnlyTmpfs": (SCALAR, ""),
    "RunInit": (SCALAR, ""),
    "SeccompProfile": (SCALAR, ""),
    "Secret": (WORDS, ""),
    "SecurityLabelDisable": (SCALAR, ""),
    "SecurityLabelFileType": (SCALAR, ""),
    "SecurityLabelLevel": (SCALAR, ""),
    "SecurityLabelNested": (SCALAR, ""),
    "SecurityLabelType": (SCALAR, ""),
    "ShmSize": (SCALAR, "--shm-size"),
    "StopSignal": (SCALAR, "--stop-signal"),
    "StopTimeout": (SCALAR, "--stop-timeout"),
    "Sysctl": (STRV, "--sysctl"),
    "Tmpfs": (RAW, "--tmpfs"),
    "Ulimit": (RAW, "--ulimit"),
    "Unmask": (WORDS, ""),
    "User": (SCALAR, "--user"),
    "UserNS": (SCALAR, "--userns"),
    "Volume": (RAW, ""),
    "WorkingDir": (SCALAR, "--workdir"),
}

# [Network] and [Volume]: `podman network create` and `podman volume create`.
NETWORK: dict[str, tuple[str, str]] = {
    "NetworkName": (SCALAR, ""),
    "Driver": (SCALAR, "--driver"),
    "Gateway": (RAW, ""),
    "IPAMDriver": (SCALAR, "--ipam-driver"),
    "IPRange": (RAW, ""),
    "IPv6": (SCALAR, ""),
    "Internal": (SCALAR, ""),
    "Label": (KEYVAL, ""),
    "Options": (KEYVAL, ""),
    "PodmanArgs": (WORDS, ""),
    "Subnet": (RAW, ""),
}
VOLUME: dict[str, tuple[str, str]] = {
    "VolumeName": (SCALAR, ""),
    "Device": (SCALAR, ""),
    "Driver": (SCALAR, "--driver"),
    "Label": (KEYVAL, ""),
    "Options": (SCALAR, ""),
    "PodmanArgs": (WORDS, ""),
    "Type": (SCALAR, ""),
}
SECTIONS = {"Container": CONTAINER, "Network": NETWORK, "Volume": VOLUME}
