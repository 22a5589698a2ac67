"""What a host answers when it cannot or will not: one error, with the protocol's fields."""

from __future__ import annotations

from typing import Any, Dict, Sequence


class HostError(Exception):
    """`class_` is input, refused, failed (a bad change) or error (broken infrastructure)."""

    def __init__(
        self,
        class_: str,
        code: str,
        message: str,
        *,
        subject: str = "",
        hint: str = "",
        log: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.class_ = class_
        self.code = code
        self.message = message
        self.subject = subject
        self.hint = hint
        self.log = list(log)

    def as_dict(self) -> Dict[str, Any]:
        """The `error` of a response frame."""
        return {
            "class": self.class_,
            "code": self.code,
            "subject": self.subject,
            "message": self.message,
            "hint": self.hint,
            "log": self.log,
        }
