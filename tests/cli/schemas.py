"""The published schemas of ``--json`` answers, and the check against them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

FOLDER = Path(__file__).resolve().parents[2] / "docs/schemas"


def check(answer: Any) -> Any:
    """The data of an answer that its schema accepts; anything else fails the test."""
    schema = json.loads((FOLDER / f"{answer['kind']}.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    errors = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in Draft202012Validator(schema).iter_errors(answer)
    ]
    assert errors == []
    return answer["data"]
