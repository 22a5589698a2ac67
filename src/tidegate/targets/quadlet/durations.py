"""Compose durations (``1m30s``, ``500ms``) in seconds.

Source: https://github.com/compose-spec/compose-spec/blob/main/11-extension.md
"Specifying durations", which is Go's time.ParseDuration.
"""

from __future__ import annotations

import re
from typing import Any

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")


def seconds(value: Any) -> float:
    """The seconds of a duration; 0 for none. The loader has refused what is not one."""
    if value is None:
        return 0.0
    return round(sum(float(n) * _UNITS[unit] for n, unit in _PART.findall(str(value))), 9)
