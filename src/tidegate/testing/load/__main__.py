"""``python -m tidegate.testing.load HOST:PORT``: run the clients, print what they saw.

Ends after ``--seconds``, or at SIGINT or SIGTERM, once the requests under way are answered.
Exit code 1 if any failed. ``--progress`` prints one JSON line a second on stdout.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from tidegate.testing.load.http import Address
from tidegate.testing.load.record import Record
from tidegate.testing.load.run import CUSTOMERS, KINDS, Load, drive


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tidegate.testing.load", description=__doc__)
    parser.add_argument("http", type=Address.parse, metavar="HOST:PORT")
    parser.add_argument("--tcp", type=Address.parse, metavar="HOST:PORT")
    parser.add_argument("--ws", type=Address.parse, metavar="HOST:PORT", help="if it is another")
    parser.add_argument("--kinds", default="", help=", ".join((*KINDS, *CUSTOMERS)))
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=1.0, help="multiplies every rate")
    parser.add_argument("--run", default="load", help="the rows' names begin with this")
    parser.add_argument("--host", default="load", help="the Host field of requests")
    parser.add_argument("--out", type=Path, help="write the report here, not to stdout")
    parser.add_argument("--progress", action="store_true")
    return parser.parse_args(argv)


def say(record: Record) -> None:
    """One line of progress."""
    failed = len(record.failures)
    line: dict[str, object] = {"requests": sum(record.counts.values()), "failed": failed}
    if failed:
        line["last"] = f"{record.failures[-1].kind}: {record.failures[-1].what}"
    print(json.dumps(line), flush=True)


async def bounded(load: Load, record: Record, seconds: float, progress: bool) -> None:
    """Run ``load`` for ``seconds``, or until a signal."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    loop.call_later(seconds, stop.set)
    await drive(load, record, stop, say if progress else lambda _: None)


def main(argv: list[str] | None = None) -> int:
    """Run, report, and say by the exit code whether all went well."""
    asked = arguments(argv)
    load = Load(
        http=asked.http,
        tcp=asked.tcp,
        ws=asked.ws,
        kinds=tuple(filter(None, asked.kinds.split(","))),
        seed=asked.seed,
        run=asked.run,
        rate=asked.rate,
        host=asked.host,
    )
    record = Record()
    asyncio.run(bounded(load, record, asked.seconds, asked.progress))
    text = json.dumps(record.report(), indent=1)
    if asked.out:
        asked.out.write_text(text)
    else:
        print(text)
    return 1 if record.failures else 0


if __name__ == "__main__":
    sys.exit(main())
