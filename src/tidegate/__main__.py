"""The process ``tidegate``: answers ``--version`` before it imports anything heavy.

The budget is 80 ms for ``tidegate --version``; everything else goes to ``tidegate.cli``.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line of this process and end it with the command's exit code."""
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["version"]):
        from tidegate import __version__

        sys.stdout.write(f"tidegate {__version__}\n")
        return
    from tidegate.cli import run

    status = run(arguments)
    if arguments[:1] == ["changes"]:
        _leave(status)
    sys.exit(status)


def _leave(status: int) -> None:
    """End a command that has nothing to tidy up: taking Python apart would cost it 6 ms."""
    import os

    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:  # the reader has gone (`tidegate changes | head`)
        status = 141
    os._exit(status)


if __name__ == "__main__":
    main()
