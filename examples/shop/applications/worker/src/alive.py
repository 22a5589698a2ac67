"""The worker's sign of life: a file that it touches after each look for work.

``python alive.py`` ends with 0 while the file is young.
"""

import os
import sys
import time

FILE = "/tmp/worker-alive"
LONGEST_S = 15.0


def sign() -> None:
    """Say that the worker is well."""
    with open(FILE, "w"):
        pass


def well() -> bool:
    """Whether it said so lately."""
    try:
        return time.time() - os.stat(FILE).st_mtime < LONGEST_S
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(not well())
