"""Small scripts of ours run on bytes of a student's, in a child with little memory and time.

For parsers that a hostile text can drive to a crash or a gigabyte: the child may die of it,
the caller learns that and goes on. Nothing of the student's is executed here; that is the
sandbox's work.
"""

from grader.intake.limited.calling import run_limited

__all__ = ["run_limited"]
