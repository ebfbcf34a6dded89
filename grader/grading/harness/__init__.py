"""The harness: pytest bound to one submission - marks, fixtures, the run and its verdicts.

Suites never import it: what they use of it comes to them as fixtures and marks.
"""
