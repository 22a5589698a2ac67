"""What a build on this machine needs besides the registry: the machine's authorities for package
indexes, and its index for pip, mounted while building and never part of an image.

Source: containers.conf(5) ``volumes``; ``CONTAINERS_CONF_OVERRIDE`` is read since Podman 4.6,
``CONTAINERS_CONF``, instead of the machine's own file, before that too.
"""

from __future__ import annotations

import configparser
import json
import os
import re
from pathlib import Path

from tidegate.lab.machine import CERTIFICATES
from tidegate.lab.places import Places, write
from tidegate.lab.processes import run

BUNDLES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),  # Debian, Ubuntu
    Path("/etc/pki/tls/certs/ca-bundle.crt"),  # Fedora
)
INSIDE = "/run/tidegate-lab"  # not among ca-certificates: a build that installs it would keep it
PIP_SETTINGS = ("index-url", "extra-index-url", "trusted-host")
OVERRIDE_SINCE = (4, 6)


def ensure(places: Places) -> dict[str, str]:
    """Write the files; gives the variable that makes Podman use them, if there is a need."""
    certificates = any(CERTIFICATES.glob("**/*.crt"))
    settings = _pip_settings()
    if not certificates and not settings:
        return {}
    folder = places.cache / "building"
    authorities = folder / "authorities"
    authorities.mkdir(parents=True, exist_ok=True)
    bundle = next((path for path in BUNDLES if path.exists()), None)
    if certificates and bundle is not None:
        write(authorities / "bundle.pem", bundle.read_text(errors="replace"))
        settings["cert"] = f"{INSIDE}/bundle.pem"
    lines = [f"{name} = {value}\n" for name, value in settings.items()]
    write(folder / "pip.conf", "[global]\n" + "".join(lines))
    volumes = [f"{authorities}:{INSIDE}:ro", f"{folder / 'pip.conf'}:/etc/pip.conf:ro"]
    config = folder / "containers.conf"
    write(config, f"[containers]\nvolumes = {json.dumps(volumes)}\n")
    return {_variable(): str(config)}


def _pip_settings() -> dict[str, str]:
    """What pip is told on this machine about where packages come from."""
    files = configparser.ConfigParser(interpolation=None)
    home = Path.home()
    files.read(["/etc/pip.conf", home / ".pip" / "pip.conf", home / ".config" / "pip" / "pip.conf"])
    found = {}
    for name in PIP_SETTINGS:
        variable = os.environ.get(f"PIP_{name.upper().replace('-', '_')}")
        value = variable or files.get("global", name, fallback="")
        if value:
            found[name] = value
    return found


def _variable() -> str:
    version = re.search(r"(\d+)\.(\d+)", run(["podman", "--version"], check=False).stdout)
    known = version is not None and (int(version[1]), int(version[2])) >= OVERRIDE_SINCE
    return "CONTAINERS_CONF_OVERRIDE" if known else "CONTAINERS_CONF"
