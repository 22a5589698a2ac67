"""Podman hosts: a compose project rendered as Quadlet units (podman-systemd.unit(5), 5.4)."""
