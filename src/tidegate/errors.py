"""One error tree: each error says what is wrong, where, and what to do next.

Only ``cli/`` turns an error into an exit code. Nobody matches message text: ``code`` is
the stable word for a kind of error, ``class_`` decides the exit code.
"""

from __future__ import annotations

from tidegate.shapes import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar


@record(frozen=True, slots=True)
class Where:
    """A place in a user's file; line and column count from 1, 0 means unknown."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        parts = [self.file]
        if self.line:
            parts.append(str(self.line))
            if self.column:
                parts.append(str(self.column))
        return ":".join(parts)


class TidegateError(Exception):
    """The root: ``class_`` is one of input, refused, failed, error, waiting, in-doubt.

    ``subject`` is what an error is about, where others ask: a service, a file, a port.
    """

    class_: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 4
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        code: str,
        where: Where | None = None,
        hint: str = "",
        log: tuple[str, ...] = (),
        subject: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.where = where
        self.hint = hint
        self.log = log
        self.subject = subject

    def as_dict(self) -> dict[str, Any]:
        """The ``data`` of a ``tidegate/error/1`` object (CLI contract)."""
        where = self.where
        return {
            "class": self.class_,
            "code": self.code,
            "message": self.message,
            "where": None
            if where is None
            else {"file": where.file, "line": where.line, "column": where.column},
            "hint": self.hint,
            "log": list(self.log),
        }


class InputError(TidegateError):
    """Bad input: nothing was changed anywhere (exit code 2)."""

    class_ = "input"
    exit_code = 2


class RefusedError(TidegateError):
    """A gate, a hold, a lock or a stale token said no (exit code 3)."""

    class_ = "refused"
    exit_code = 3


class DeploymentFailed(TidegateError):
    """The change was bad; it was put back (exit code 1)."""

    class_ = "failed"
    exit_code = 1


class InfrastructureError(TidegateError):
    """Something around the change is broken: network, disk, Podman, a host (exit code 4)."""

    class_ = "error"
    exit_code = 4
    retryable = True


class WaitingError(TidegateError):
    """The run ends at a gate and waits for a person (exit code 5)."""

    class_ = "waiting"
    exit_code = 5


class InDoubtError(TidegateError):
    """The outcome is recorded somewhere we cannot reach (exit code 6)."""

    class_ = "in-doubt"
    exit_code = 6
