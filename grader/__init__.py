"""Proctor's grading engine and its command line; it knows no course content."""

__version__ = "0.1.0"
