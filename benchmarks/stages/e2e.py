"""The end-to-end tests: the version that is tested answers, and a row goes all the way.

VERSION ``N e2e STAGE`` fails there.
"""

import json
import os
import pathlib

from ask import ask

number, _, wrong = pathlib.Path("VERSION").read_text().strip().partition(" ")
stage = os.environ["TIDEGATE_ENVIRONMENT"]
told = json.loads(ask("http://web:8000/"))
assert told["image"] == number, told
assert ask("http://web:8000/rows", f"e2e-{number}".encode()) == "kept"
assert f"e2e-{number}" in ask("http://web:8000/rows").split()
assert wrong != f"e2e {stage}", f"{number} is bad in {stage}"
print(f"{number} is good in {stage}")
