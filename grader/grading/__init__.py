"""Grading runs: warm servers, a trusted process a run, its report, and the digest behind it."""

from grader.grading.cache import ResultCache, cache_folder
from grader.grading.digest import suite_digest
from grader.grading.events import GradingProgress
from grader.grading.pool import Figures, FirstLoss, GradedSubmission, GradingPool, grade
from grader.grading.ungraded import fault_report, rejected_report

__all__ = [
    "Figures",
    "FirstLoss",
    "GradedSubmission",
    "GradingPool",
    "GradingProgress",
    "ResultCache",
    "cache_folder",
    "fault_report",
    "grade",
    "rejected_report",
    "suite_digest",
]
