"""A file that is no text, or that cannot be opened, as an error for people."""

from __future__ import annotations

from tidegate.errors import InputError, Where


def unreadable(
    name: str, problem: OSError | ValueError, *, code: str, where: Where | None = None
) -> InputError:
    """The error to raise; ``where`` is the place that names the file, else its own line counts."""
    if not isinstance(problem, UnicodeDecodeError):
        reason = (problem.strerror or "") if isinstance(problem, OSError) else str(problem)
        return InputError(
            f"cannot read {name}: {reason[:1].lower()}{reason[1:]}",
            code=code,
            where=where,
            hint=f"is it a file, and yours to read? ls -ld {name}",
        )
    line = problem.object.count(b"\n", 0, problem.start) + 1
    return InputError(
        f"{name} is not UTF-8 text",
        code=code,
        where=where or Where(name, line),
        hint="save it as UTF-8; the first wrong byte is "
        f"0x{problem.object[problem.start]:02x} in line {line}",
    )
