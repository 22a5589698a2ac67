"""Small releases to build cases from."""

from __future__ import annotations

from typing import Any


def service(strategy: str = "blue-green", **changes: Any) -> dict[str, Any]:
    """One service's entry of a release, whole."""
    entry: dict[str, Any] = {
        "strategy": strategy,
        "replicas": 1,
        "image": "docker.io/library/web@sha256:" + "1" * 64,
        "unit": {"Unit": [], "Container": [["Image", "web"]], "Service": []},
        "networks": [{"network": "default", "aliases": ["web"], "ipv4": ""}],
        "network_mode": "",
        "depends_on": {},
        "health": {
            "kind": "none",
            "interval_s": 30.0,
            "timeout_s": 30.0,
            "retries": 3,
            "start_period_s": 0.0,
        },
        "probe": None,
        "ports": [{"port": 8000, "mode": "http"}],
        "published": [],
        "routes": [],
        "volumes": [],
        "files": [],
        "secrets": [],
        "stop_s": 10.0,
        "stateful": False,
        "migrate": None,
    }
    return {**entry, **changes}


def release(services: dict[str, dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """A release of one project with a default network."""
    whole: dict[str, Any] = {
        "format": 1,
        "project": "hello",
        "instance": "hello",
        "environment": "production",
        "commit": "",
        "version": "1",
        "proxy": {"image": "docker.io/library/haproxy@sha256:" + "2" * 64},
        "images": {},
        "services": services,
        "networks": {
            "default": {
                "name": "hello_default",
                "external": False,
                "internal": False,
                "subnets": [],
                "unit": {"Network": [["NetworkName", "hello_default"]]},
            }
        },
        "volumes": {},
        "files": {},
        "switch": {
            "watch_s": 1.0,
            "max_error_rate": 0.05,
            "min_requests": 20,
            "drain_s": 30.0,
            "keep": 5,
        },
    }
    return {**whole, **changes}
