"""The difference between a release and what a host runs: what happens to which service, and why."""

from tidegate.plan.compare import plan
from tidegate.plan.model import Action, Change, Drift, ImageChange, Plan, PortChange

__all__ = ["Action", "Change", "Drift", "ImageChange", "Plan", "PortChange", "plan"]
