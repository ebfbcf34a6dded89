"""Prove a suite: the reference earns full marks, the skeleton nothing, every mutant is caught."""

from grader.authoring.validate.checks import Finding
from grader.authoring.validate.run import Validation, ValidationPlan, check_count, validate

__all__ = ["Finding", "ValidationPlan", "Validation", "check_count", "validate"]
