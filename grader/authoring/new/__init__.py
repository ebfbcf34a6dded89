"""A new lab: both its folders, complete and sound from the start."""

from grader.authoring.new.scaffold import new_lab, template_files

__all__ = ["new_lab", "template_files"]
