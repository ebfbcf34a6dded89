"""The public half of a lab, made from the staff's half."""

from grader.authoring.release.contents import Release, plan_release
from grader.authoring.release.skeleton import MarkError, skeleton_of
from grader.authoring.release.solved import write_solved

__all__ = ["MarkError", "Release", "plan_release", "skeleton_of", "write_solved"]
