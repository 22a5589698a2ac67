"""``tidegate lab``: disposable real servers to try Tidegate on.

Everything but ``lab ssh`` needs root; called by another user it calls itself through sudo.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from tidegate.cli.output import print_json, say, table
from tidegate.errors import InputError

if TYPE_CHECKING:
    from tidegate.lab import Lab

MAX_DISK_GB = 1000
app = App(
    name="lab",
    help="Disposable real servers on this machine. Example: tidegate lab up --servers a,b",
    help_format="plaintext",
)


@app.command
def up(
    *,
    servers: str = "a",
    bare: bool = False,
    without_podman: bool = False,
    disk_gb: float = 20.0,
    no_images: bool = False,
    json: bool = False,
) -> None:
    """Bring servers up, new or as they were, and say how to reach them.

    Example: tidegate lab up --servers a,b

    Args:
        servers: Names, separated by commas.
        bare: A server that is not prepared: root's key, and nothing done for Tidegate.
        without_podman: With --bare: without Podman, which a bootstrap must then install.
        disk_gb: The size of a new server's disk; it takes only what is written.
        no_images: Do not prepare the images that the lab's registry offers.
        json: Print one JSON object.
    """
    names = _names(servers)
    if without_podman and not bare:
        raise InputError(
            "--without-podman is of a server that is not prepared", code="usage", hint="add --bare"
        )
    if not 1 <= disk_gb <= MAX_DISK_GB:
        raise InputError(
            f"--disk-gb {disk_gb:g} cannot be used here",
            code="usage",
            hint=f"write a number from 1 to {MAX_DISK_GB}",
        )
    _become_root()
    from tidegate.lab import Lab

    lab = Lab.up(
        names,
        bare=bare,
        podman=not without_podman,
        disk_gb=disk_gb,
        images=not no_images,
    )
    if json:
        print_json("lab", lab.as_dict())
    else:
        _explain(lab)


@app.command
def status(*, json: bool = False) -> None:
    """Show the servers and what they are doing.

    Example: tidegate lab status

    Args:
        json: Print one JSON object.
    """
    lab = _open(())
    if json:
        print_json("lab", lab.as_dict())
        return
    rows = [[s["name"], s["state"], s["variant"], s["ssh"]] for s in lab.as_dict()["servers"]]
    say(table(["server", "state", "variant", "ssh"], rows) if rows else "no lab servers")


@app.command
def ssh(name: str, /, *command: Annotated[str, Parameter(allow_leading_hyphen=True)]) -> None:
    """Log in to a server, or run a command there.

    Example: tidegate lab ssh a -- podman ps

    Args:
        name: The server; USER@NAME logs in as that user.
        command: What to run, after `--`; a single word may be a whole line for the shell there.
    """
    import shlex

    from tidegate.lab import identity
    from tidegate.lab.places import default_places

    places = default_places()
    user, _, server = name.rpartition("@")
    if identity.load(places, server) is None:
        raise InputError(
            f"there is no lab server {server!r}",
            code="lab-no-server",
            hint=f"tidegate lab up --servers {server}",
        )
    argv = ["ssh", "-F", str(places.ssh_config), *(["-l", user] if user else []), server]
    sys.stdout.flush()
    if command:
        argv += ["--", command[0] if len(command) == 1 else shlex.join(command)]
    os.execvp("ssh", argv)  # noqa: S606


@app.command
def stop(name: str) -> None:
    """Shut a server down in order.

    Example: tidegate lab stop a

    Args:
        name: The server.
    """
    _open((name,)).server(name).stop()


@app.command
def start(name: str) -> None:
    """Switch a server on again and wait until it answers.

    Example: tidegate lab start a

    Args:
        name: The server.
    """
    _open((name,)).server(name).start()


@app.command
def kill(name: str) -> None:
    """Cut a server's power: what it had not written to its disk is lost.

    Example: tidegate lab kill a

    Args:
        name: The server.
    """
    _open((name,)).server(name).kill()


@app.command
def down(*, servers: str = "") -> None:
    """Remove servers with everything on them; without --servers, all of them.

    Example: tidegate lab down --servers a,b

    Args:
        servers: Names, separated by commas.
    """
    _open(_names(servers) if servers else ()).down()


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise InputError("--servers names no server", code="lab-name", hint="--servers a,b,c")
    return names


def _open(names: tuple[str, ...]) -> Lab:
    _become_root()
    from tidegate.lab import Lab

    return Lab.open(names)


def _become_root() -> None:
    """Call this same command through sudo, for the same lab, and never come back."""
    import shutil

    if os.geteuid() == 0 or shutil.which("sudo") is None:
        return
    from tidegate.lab.places import default_places

    cache = default_places().cache
    cache.mkdir(parents=True, exist_ok=True)  # here, so that the folders above it are the user's
    passed = {"TIDEGATE_LAB_HOME": str(cache), "PYTHONDONTWRITEBYTECODE": "1"}
    passed |= {
        name: os.environ[name]
        for name in ("TIDEGATE_LAB_MIRROR", "TIDEGATE_DEBUG", "PYTHONPATH", "NO_COLOR")
        if name in os.environ
    }
    sets = [f"{name}={value}" for name, value in passed.items()]
    words = sys.argv[sys.argv.index("lab") + 1 :] if "lab" in sys.argv else sys.argv[1:]
    sys.stdout.flush()
    argv = ["sudo", "env", *sets, sys.executable, "-m", "tidegate.lab", *words]
    os.execvp("sudo", argv)  # noqa: S606


def _explain(lab: Lab) -> None:
    """What a person copies into tidegate.yaml and into the shell."""
    servers = lab.as_dict()["servers"]
    say("# tidegate.yaml: the hosts of an environment")
    say("hosts:")
    for server in servers:
        say(f"  {server['name']}: {{ssh: {server['ssh']}}}")
    say()
    say("# in the shell, so that ssh and Podman on this machine know the lab")
    for name, value in lab.env().items():
        say(f"export {name}={value}")
    say()
    say(f"# log in: tidegate lab ssh {servers[0]['name']}")
