"""Grading runs: warm servers, a trusted process a run, its report, and the digest behind it."""

from grader.grading.cache import ResultCache, cache_folder
from grader.grading.digest import suite_digest
from grader.grading.events import GradingProgress
from grader.grading.job import PartialRun
from grader.grading.pool import GradedSubmission, GradingPool, grade
from grader.grading.ungraded import fault_report, rejected_report

__all__ = [
    "GradedSubmission",
    "GradingPool",
    "GradingProgress",
    "PartialRun",
    "ResultCache",
    "cache_folder",
    "fault_report",
    "grade",
    "rejected_report",
    "suite_digest",
]
