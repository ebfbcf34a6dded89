"""Where student code runs: tiers of confinement, and one single-use sandbox per submission."""

from grader.sandbox.box import Sandbox, Session, sweep_leftovers
from grader.sandbox.confinement import Confinement
from grader.sandbox.spec import SandboxSpec, Tier
from grader.sandbox.tiers import best_tier, confinement
from grader.wire.budget import Budget

__all__ = [
    "Budget",
    "Confinement",
    "Sandbox",
    "SandboxSpec",
    "Session",
    "Tier",
    "best_tier",
    "confinement",
    "sweep_leftovers",
]
