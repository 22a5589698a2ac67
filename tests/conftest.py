"""What stays together where lab tests run side by side: `pytest -n 2 --dist loadscope`.

Tests of one folder share servers, so one worker runs them. Those of semantics wait more than they
work, and are many: there each worker has a server of its own, and only a file stays together.
"""

from __future__ import annotations

from typing import Any

import pytest

BY_FILE = ("semantics",)


def together(nodeid: str) -> str:
    """The name of a test's group: its folder below tests, or its file."""
    path = nodeid.partition("::")[0]
    folder = path.split("/")[1]
    return path if folder in BY_FILE else folder


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Groups as above in place of modules; other ways of sharing the tests out are xdist's own."""
    if config.getoption("dist") != "loadscope":
        return None
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

    class Groups(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return together(nodeid)

    return Groups(config, log)
