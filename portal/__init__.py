"""Proctor's web portal: courses, submissions, grades. Grading itself is the engine's work."""

from portal.app import create_app

__all__ = ["create_app"]
