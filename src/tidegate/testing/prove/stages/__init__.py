"""``prove stages``: commits, good and bad, on their way through staging to production."""

from tidegate.testing.prove.stages.prove import prove

__all__ = ["prove"]
