"""The command line: one table of commands, imported one at a time, and the only place that exits.

Add a command by adding a row to ``COMMANDS``. Its target is a function or a ``cyclopts.App``;
a function returns nothing (exit code 0) or its exit code, and raises ``TidegateError`` for
everything that went wrong. Parameters are described under ``Args:`` in its docstring.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from tidegate.cli.output import print_error
from tidegate.errors import InfrastructureError, InputError, TidegateError
from tidegate.shapes import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from cyclopts import App


@record(frozen=True, slots=True)
class Entry:
    """A row of the table: where the command lives and the line that ``--help`` shows.

    A name of two words is a command of its own wherever the second one, an option, is given.
    ``quick`` names a function that runs the command's plain words without cyclopts, or gives
    False: for commands that pipelines call and that must not cost 40 ms more.
    """

    name: str
    target: str
    help: str
    group: str
    quick: str = ""

    @property
    def word(self) -> str:
        """What people type first."""
        return self.name.partition(" ")[0]


JSON = "--json"
BEGIN, SHIP, WATCH, TOOLS = "Begin", "Ship", "Look and touch", "Tools"

COMMANDS: tuple[Entry, ...] = (
    Entry("init", "tidegate.cli.init:init", "Write tidegate.yaml from what is here.", BEGIN),
    Entry("doctor", "tidegate.cli.doctor:doctor", "Say what is missing, and its remedy.", BEGIN),
    Entry("host", "tidegate.cli.host:app", "Make a bare server ready (host bootstrap).", BEGIN),
    Entry("adopt", "tidegate.cli.adopt:adopt", "Take over what already runs there.", BEGIN),
    Entry(
        "changes",
        "tidegate.cli.changes:changes",
        "What commits change: builds, services, why.",
        SHIP,
        quick="tidegate.cli.changes:quickly",
    ),
    Entry("build", "tidegate.cli.build:build", "Build, test and publish what changed.", SHIP),
    Entry("release", "tidegate.cli.release:app", "Make, show and compare releases.", SHIP),
    Entry("plan", "tidegate.cli.plan:plan", "Show what a deployment would change, and why.", SHIP),
    Entry("deploy", "tidegate.cli.deploy:deploy", "Deploy this folder, blue-green.", SHIP),
    Entry("promote", "tidegate.cli.promote:promote", "What one environment runs to another.", SHIP),
    Entry("run", "tidegate.cli.way:run", "Take this commit as far as the gates allow.", SHIP),
    Entry("e2e", "tidegate.cli.e2e:e2e", "Test what serves, from its own images.", SHIP),
    Entry("rollback", "tidegate.cli.rollback:rollback", "Go back to an earlier release.", SHIP),
    Entry("migrate", "tidegate.cli.migrate:migrate", "Run contract migrations still owed.", SHIP),
    Entry("seed", "tidegate.cli.seed:seed", "Fill in data to try it with.", SHIP),
    Entry("scale", "tidegate.cli.scale:scale", "More or fewer copies of a service.", SHIP),
    Entry("approve", "tidegate.cli.approve:approve", "Sign that a release may go on.", SHIP),
    Entry("reject", "tidegate.cli.approve:reject", "Sign that a release may not go on.", SHIP),
    Entry("hold", "tidegate.cli.hold:hold", "Let nothing be deployed for now.", SHIP),
    Entry("unhold", "tidegate.cli.hold:unhold", "Lift a hold.", SHIP),
    Entry("secrets", "tidegate.cli.secrets:app", "Keep secrets in the repository.", SHIP),
    Entry("registry", "tidegate.cli.registry:app", "Log in to registries, on every host.", SHIP),
    Entry("resolve", "tidegate.cli.resolve:resolve", "Go on without a lost witness.", SHIP),
    Entry("destroy", "tidegate.cli.destroy:destroy", "Take an environment off its hosts.", SHIP),
    Entry("status", "tidegate.cli.status:status", "What runs, and whether it should.", WATCH),
    Entry("history", "tidegate.cli.history:history", "What was deployed, and how it ended.", WATCH),
    Entry("logs", "tidegate.cli.logs:logs", "The output of services.", WATCH),
    Entry("exec", "tidegate.cli.exec:execute", "Run a command inside a service.", WATCH),
    Entry("run --rm", "tidegate.cli.once:once", "Run one command beside a service.", WATCH),
    Entry("notify", "tidegate.cli.notify:notify", "Send a message to all who are told.", TOOLS),
    Entry("completion", "tidegate.cli.completion:completion", "Let a shell complete.", TOOLS),
    Entry("compose", "tidegate.cli.compose:app", "What a compose file means.", TOOLS),
    Entry("export", "tidegate.cli.export:app", "The project as Quadlet unit files.", TOOLS),
    Entry("lab", "tidegate.cli.lab:app", "Disposable real servers to try it on.", TOOLS),
)


def run(arguments: Sequence[str]) -> int:
    """Carry out one command line; print its error, if any, and return the exit code.

    With ``TIDEGATE_DEBUG=1`` an unexpected exception keeps its traceback.
    """
    json = wants_json(arguments)
    try:
        return dispatch(arguments)
    except TidegateError as error:
        print_error(error, json=json)
        return error.exit_code
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted\n")
        return 130
    except BrokenPipeError:
        # The reader has gone (`tidegate history | head`): point stdout elsewhere, or the
        # interpreter complains once more while it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:
        if os.environ.get("TIDEGATE_DEBUG"):
            raise
        print_error(unexpected(error), json=json)
        return InfrastructureError.exit_code


def dispatch(arguments: Sequence[str]) -> int:
    """Find the row for the first word, import its module and run it with the other words."""
    if not arguments or arguments[0] in ("--help", "-h", "help"):
        sys.stdout.write(overview())
        return 0
    entry = find(*own(arguments))
    if entry.quick and attribute(entry.quick)(arguments[1:]):
        return 0
    return parse_and_call(load(entry), arguments)


def find(name: str = "", *words: str) -> Entry:
    """The row called ``name``; an unknown name is an ``InputError`` naming the nearest one."""
    names = {entry.name: entry for entry in COMMANDS}
    for full in (*(f"{name} {word}" for word in words), name):
        if full in names:
            return names[full]
    from tidegate.config.nearest import nearest

    close = nearest(name, [entry.name for entry in COMMANDS])
    raise InputError(
        f"there is no command {name!r}",
        code="unknown-command",
        hint=f"did you mean `tidegate {close}`?" if close else "`tidegate --help` lists them",
    )


def load(entry: Entry) -> App:
    """A cyclopts App that knows this one command, whose module is imported now."""
    from cyclopts import App, Parameter

    target = attribute(entry.target)
    app = App(name="tidegate", version_flags=[], help_format="plaintext")
    app.default_parameter = Parameter(negative=(), show_default=shown_default)
    if isinstance(target, App):
        target.version_flags, target.help_format = [], "plaintext"
        target.default_parameter = target.default_parameter or app.default_parameter
    app.command(target, name=entry.word)
    return app


def attribute(path: str) -> Any:
    """What ``module:name`` stands for, its module imported now."""
    module, _, name = path.partition(":")
    __import__(module)  # what importlib does, which costs 1 ms to import
    return getattr(sys.modules[module], name)


def shown_default(value: object) -> str:
    """A default as people read it; an empty one is nothing to read."""
    return "" if value in ("", False, None) else str(value)


def parse_and_call(app: App, arguments: Sequence[str]) -> int:
    """Parse with cyclopts; a wrong option or argument is an ``InputError`` (exit code 2)."""
    from cyclopts import CycloptsError
    from cyclopts.exceptions import UnknownOptionError

    if asks_for_help(arguments):
        from tidegate.cli.help import Formatter  # rich costs 20 ms, so only here

        app.help_formatter = Formatter()
    try:
        result = app(
            list(arguments), exit_on_error=False, print_error=False, result_action="return_value"
        )
    except UnknownOptionError as error:
        if error.token.keyword == JSON:  # it has no facts to tell; its errors are JSON all the same
            return parse_and_call(app, without_json(arguments))
        from tidegate.cli.misuse import misuse

        raise misuse(error, arguments) from None
    except CycloptsError as error:
        from tidegate.cli.misuse import misuse

        raise misuse(error, arguments) from None
    return result if isinstance(result, int) else 0


def own(arguments: Sequence[str]) -> list[str]:
    """The words before any ``--``: those after it belong to another program."""
    words = list(arguments)
    return words[: words.index("--")] if "--" in words else words


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether ``--json`` stands among our own words."""
    return JSON in own(arguments)


def without_json(arguments: Sequence[str]) -> list[str]:
    """The same words without our ``--json``."""
    ours = own(arguments)
    return [*(word for word in ours if word != JSON), *arguments[len(ours) :]]


def asks_for_help(arguments: Sequence[str]) -> bool:
    """Whether a command is asked what it does."""
    return any(word in ("--help", "-h") for word in own(arguments))


def unexpected(error: Exception) -> TidegateError:
    """An exception nobody foresaw, as one line that says how to get more."""
    return InfrastructureError(
        f"unexpected {type(error).__name__}: {error}",
        code="unexpected",
        hint="set TIDEGATE_DEBUG=1 and run it again for the traceback",
    )


def overview() -> str:
    """What ``tidegate --help`` prints."""
    width = max(len(entry.name) for entry in COMMANDS)
    lines = [
        "Tidegate brings a compose file to your own servers, and back when it is bad.",
        "",
        "Usage: tidegate COMMAND [OPTIONS]   (tidegate COMMAND --help says more)",
    ]
    for group in dict.fromkeys(entry.group for entry in COMMANDS):
        lines += ["", f"{group}:"]
        lines += [f"  {e.name:<{width}}  {e.help}" for e in COMMANDS if e.group == group]
    lines += [
        "",
        "Example: tidegate init --host deploy@203.0.113.10 && tidegate deploy production",
        "Exit codes: 0 done · 1 failed and put back · 2 bad input · 3 refused ·",
        "            4 infrastructure error · 5 waiting for an approval · 6 in doubt",
    ]
    return "\n".join(lines) + "\n"
