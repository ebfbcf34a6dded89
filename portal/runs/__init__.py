"""Grading runs: their states, their results and the worker that carries them out."""
