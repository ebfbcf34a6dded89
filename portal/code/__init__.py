"""Submitted files as people read them, and what staff wrote on their lines."""
