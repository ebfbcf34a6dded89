"""Where student code runs: tiers of confinement, and one single-use sandbox per submission."""

from grader.sandbox.box import Sandbox, Session, sweep_leftovers
from grader.sandbox.confinement import Confinement
from grader.sandbox.doctor import Check, DoctorReport, doctor
from grader.sandbox.spec import SandboxSpec, Tier
from grader.sandbox.tiers import best_tier, confinement

__all__ = [
    "Check",
    "Confinement",
    "DoctorReport",
    "Sandbox",
    "SandboxSpec",
    "Session",
    "Tier",
    "best_tier",
    "confinement",
    "doctor",
    "sweep_leftovers",
]
