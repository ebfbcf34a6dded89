"""Uploads: what a student sent, when it arrived and whether it may be graded."""
