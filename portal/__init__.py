"""Proctor's web portal: courses, submissions, grades. Grading itself is the engine's work."""
