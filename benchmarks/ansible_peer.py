"""The peer: the same change of the same project by Ansible, on the same server.

`ansible` comes from PyPI into a venv under ~/.cache/tidegate; modules of containers.podman and
systemd; one multiplexed SSH connection with pipelining, as its documentation advises.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tidegate" / "ansible"
PORT = 8090


def install() -> str:
    """Make the venv unless it is there; the version of Ansible in it."""
    program = VENV / "bin" / "ansible-playbook"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "ansible"]
        subprocess.run(pip, check=True)
    said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)
    return said.stdout.splitlines()[0]


class Ansible:
    """Runs the playbook against one server, with its own SSH connection."""

    def __init__(self, address: str, environment: dict[str, str], context: Path) -> None:
        self.scratch = Path(tempfile.mkdtemp(prefix="tidegate-ansible-"))
        self.context = context
        config = environment["TIDEGATE_SSH_CONFIG"]
        options = f"-F {config} -o ControlMaster=auto -o ControlPersist=60"
        control = f"-o ControlPath={self.scratch}/cm"
        (self.scratch / "hosts").write_text(
            f"[server]\n{address} ansible_user=deploy"
            f' ansible_ssh_common_args="{options} {control}"\n'
        )
        values = {
            "address": address,
            "scratch": str(self.scratch),
            "context": str(context),
            "build_arguments": "--isolation=chroot",
            "builder_environment": {**environment, "XDG_RUNTIME_DIR": "/tmp"},
        }
        (self.scratch / "values.json").write_text(json.dumps(values))

    def play(self, version: str) -> float:
        """Bring the server to ``version``; seconds. Raises if a task fails."""
        (self.context / "VERSION").write_text(f"{version}\n")
        began = time.monotonic()
        done = subprocess.run(
            [
                str(VENV / "bin" / "ansible-playbook"),
                *("-i", str(self.scratch / "hosts"), "-e", f"@{self.scratch}/values.json"),
                *("-e", f"version={version}", str(HERE / "ansible" / "hello.yml")),
            ],
            env={
                **os.environ,
                "ANSIBLE_CONFIG": str(HERE / "ansible" / "ansible.cfg"),
                "LC_ALL": "C.UTF-8",
            },
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"ansible-playbook fails:\n{done.stdout[-3000:]}{done.stderr}")
        return time.monotonic() - began
