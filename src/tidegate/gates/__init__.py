"""What must hold before a deployment: facts in, decisions with their reasons out. Pure."""

from tidegate.gates.decide import decide
from tidegate.gates.model import Checked, Decision, Facts, Soak, Verdict
from tidegate.gates.policy import policy

__all__ = ["Checked", "Decision", "Facts", "Soak", "Verdict", "decide", "policy"]
