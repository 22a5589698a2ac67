"""Hosts that are processes of this machine: the real tool and protocol, nothing of Podman."""
