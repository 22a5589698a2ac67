"""The command line of a server: `tidegate-host`, for the controller and for hands."""

from __future__ import annotations

import argparse
import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

from tidegate.host.errors import HostError

EXIT = {"input": 2, "refused": 3, "failed": 1, "error": 4, "waiting": 5, "in-doubt": 6}


def main(argv: Optional[List[str]] = None) -> int:
    """Run one command; errors go to standard error as one line each, with a hint."""
    arguments = _parser().parse_args(argv)
    from tidegate.host.paths import set_user_bus

    set_user_bus()
    try:
        run: Callable[[argparse.Namespace], int] = arguments.run
        return run(arguments)
    except HostError as problem:
        if getattr(arguments, "wire", False):
            print(json.dumps({"refused": problem.as_dict()}), flush=True)
        print(f"error: {problem.message}", file=sys.stderr)
        if problem.hint:
            print(f"  hint: {problem.hint}", file=sys.stderr)
        for line in problem.log:
            print(f"  | {line}", file=sys.stderr)
        return EXIT.get(problem.class_, 4)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tidegate-host", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> Any:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        if name != "install":
            sub.add_argument("--project", required=True, help="the project on this host")
        return sub

    attach = command("attach", _attach, "a controller's pipe to the open deployment")
    attach.add_argument("--agent", default="", help="the tool's digest that is expected")
    attach.add_argument("--from", dest="after", type=int, default=0, help="replay events after")
    attach.set_defaults(wire=True)
    command("peer", _peer, "answer a host in doubt: the one question that its key may ask")
    command("serve", _serve, "carry the open deployment to its end (run by systemd)")
    install = command("install", _install, "install this archive for the user")
    install.add_argument("--from-upload", action="store_true", help="remove the archive after")
    install.add_argument("--signer", default="", help="base64 of a public key line")
    _by_hand(command)
    _inside(command)
    return parser


def _by_hand(command: Callable[..., Any]) -> None:
    deploy = command("deploy", _hand("deploy"), "deploy a release from a file, as a controller")
    deploy.add_argument("--release", required=True, type=Path, help="release.json")
    deploy.add_argument("--allow-stateful", action="store_true")
    deploy.add_argument("--secrets", action="store_true", help="NAME=BASE64 lines on stdin")
    rollback = command("rollback", _hand("rollback"), "back to the release before this one")
    rollback.add_argument("--to", type=int, default=0, help="the generation to go back to")
    command("status", _hand("status"), "what runs here, as JSON")
    history = command("history", _hand("history"), "the ledger's last entries, as JSON")
    history.add_argument("--limit", type=int, default=20)
    ledger = command("ledger", _hand("verify_ledger"), "check the chain of the ledger")
    ledger.add_argument("action", choices=["verify"])
    for name, text in (
        ("determine-changes", "what a release would change, as JSON"),
        ("generate-units", "write the units of a release to a folder"),
        ("pull-images", "pull the images of a release"),
    ):
        sub = command(name, _hand(name.replace("-", "_")), text)
        sub.add_argument("--release", required=True, type=Path, help="release.json")
        if name == "generate-units":
            sub.add_argument("--out", required=True, type=Path, help="an empty folder")
    manage = command("manage-services", _hand("manage_services"), "start, stop, restart, status")
    manage.add_argument("action", choices=["start", "stop", "restart", "status"])
    manage.add_argument("services", nargs="*")
    health = command("health-check", _hand("health_check"), "run the health checks now")
    health.add_argument("services", nargs="*")
    save = command("save-image", _hand("save_image"), "an image as an OCI archive on stdout")
    save.add_argument("--image", required=True, help="NAME@sha256:DIGEST")
    command("cleanup", _hand("cleanup"), "remove what no kept release needs")


def _inside(command: Callable[..., Any]) -> None:
    """Commands that look into services."""
    logs = command("logs", _hand("logs", "touch"), "the output of services")
    logs.add_argument("services", nargs="*", help="all that run here without one")
    logs.add_argument("-f", "--follow", action="store_true")
    logs.add_argument("-n", "--lines", type=int, default=100)
    logs.add_argument("--since", default="", help="a time in journalctl's words")
    logs.add_argument("--json", action="store_true", help="journal entries as JSON")
    execute = command("exec", _hand("execute", "touch"), "run a command in a serving copy")
    execute.add_argument("service")
    execute.add_argument("-t", "--tty", action="store_true")
    execute.add_argument("--copy", type=int, default=1, help="which of several copies")
    execute.add_argument("--together", action="store_true", help="errors go where output goes")
    execute.add_argument("argv", nargs="+", metavar="CMD")
    registry = command("registry", _hand("by_hand", "logins"), "logins to registries")
    registry.add_argument("action", choices=["login", "logout", "list"])
    registry.add_argument("registry", nargs="?", default="")
    registry.set_defaults(wire=True)
    once = command("once", _hand("once", "once"), "run a command in a container of its own")
    once.add_argument("service")
    once.add_argument("-t", "--tty", action="store_true")
    once.add_argument("argv", nargs="*", metavar="CMD", help="the service's own without one")


def _hand(name: str, module: str = "hand") -> Callable[[argparse.Namespace], int]:
    def run(arguments: argparse.Namespace) -> int:
        from tidegate.host.paths import paths

        found = import_module(f"tidegate.host.{module}")
        function: Callable[[Any, argparse.Namespace], int] = getattr(found, name)
        return function(paths(arguments.project), arguments)

    return run


def _attach(arguments: argparse.Namespace) -> int:
    from tidegate.host.attach import Attachment
    from tidegate.host.facts import agent_digest
    from tidegate.host.install import enable
    from tidegate.host.paths import paths

    mine = agent_digest()
    if arguments.agent and arguments.agent != mine:
        print(json.dumps({"hello": {"agent": mine}}), flush=True)
        return 0
    where = paths(arguments.project)
    enable(arguments.project)
    code = Attachment(where, arguments.after).serve()
    sys.stdout.flush()
    os._exit(code)


def _peer(arguments: argparse.Namespace) -> int:
    from tidegate.host import witness
    from tidegate.host.paths import paths

    return witness.answer(paths(arguments.project), sys.stdin, sys.stdout)


def _serve(arguments: argparse.Namespace) -> int:
    from tidegate.host.agent import serve
    from tidegate.host.paths import paths

    return serve(paths(arguments.project))


def _install(arguments: argparse.Namespace) -> int:
    from tidegate.host.install import install, own_archive

    archive = own_archive()
    digest = install(archive, arguments.signer)
    if arguments.from_upload:
        archive.unlink()
    answer: Dict[str, str] = {"installed": digest}
    print(json.dumps(answer), flush=True)
    return 0
