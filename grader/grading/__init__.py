"""Grading runs: a trusted process a run, its report, and the digest of what decided it."""

from grader.grading.digest import suite_digest
from grader.grading.events import Progress
from grader.grading.grade import Graded, grade, probe
from grader.grading.ungraded import rejected_report

__all__ = ["Graded", "Progress", "grade", "probe", "rejected_report", "suite_digest"]
