"""``python -m tidegate.lab`` is ``tidegate lab``; sudo calls it by this name."""

from __future__ import annotations

import sys

from tidegate.cli import run

if __name__ == "__main__":
    sys.exit(run(["lab", *sys.argv[1:]]))
