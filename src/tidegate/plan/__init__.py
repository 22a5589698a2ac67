"""The difference between a release and what a host runs: what happens to which service, and why."""

from tidegate.plan.compare import plan
from tidegate.plan.fleet import FleetPlan, plan_fleet
from tidegate.plan.migrating import migrating
from tidegate.plan.model import (
    GONE,
    NEW,
    Action,
    Change,
    Drift,
    ImageChange,
    Plan,
    PortChange,
    Unenforced,
)

__all__ = [
    "GONE",
    "NEW",
    "Action",
    "Change",
    "Drift",
    "FleetPlan",
    "ImageChange",
    "Plan",
    "PortChange",
    "Unenforced",
    "migrating",
    "plan",
    "plan_fleet",
]
