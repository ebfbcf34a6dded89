"""The public tests of a lab, as a student runs them at home."""

from grader.public_tests.running import PublicResult, run_public_tests

__all__ = ["PublicResult", "run_public_tests"]
