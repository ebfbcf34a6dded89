"""A new lab or competition: both its folders, complete and sound from the start."""

from grader.authoring.new.scaffold import Kind, new_lab, template_files

__all__ = ["Kind", "new_lab", "template_files"]
