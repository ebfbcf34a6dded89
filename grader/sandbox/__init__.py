"""Where student code runs: tiers of confinement, and one single-use sandbox per submission."""

from grader.sandbox.box import Sandbox, SandboxSession, Supply, sweep_leftovers
from grader.sandbox.cell import Cell
from grader.sandbox.confinement import Confinement
from grader.sandbox.doctor import Check, DoctorReport, doctor
from grader.sandbox.gpu import gpu_count
from grader.sandbox.spec import SandboxSpec, Tier
from grader.sandbox.tiers import available_tiers, best_tier, confinement
from grader.sandbox.zygote import ZygoteProcess

__all__ = [
    "Cell",
    "Check",
    "Confinement",
    "DoctorReport",
    "Sandbox",
    "SandboxSpec",
    "SandboxSession",
    "Supply",
    "Tier",
    "ZygoteProcess",
    "available_tiers",
    "best_tier",
    "confinement",
    "doctor",
    "gpu_count",
    "sweep_leftovers",
]
