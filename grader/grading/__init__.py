"""Grading runs: warm servers, a trusted process a run, its report, and the digest behind it."""

from grader.grading.cache import ResultCache, cache_folder
from grader.grading.digest import suite_digest
from grader.grading.events import Progress
from grader.grading.pool import Figures, FirstLoss, Graded, GradingPool, grade
from grader.grading.ungraded import rejected_report

__all__ = [
    "Figures",
    "FirstLoss",
    "Graded",
    "GradingPool",
    "Progress",
    "ResultCache",
    "cache_folder",
    "grade",
    "rejected_report",
    "suite_digest",
]
