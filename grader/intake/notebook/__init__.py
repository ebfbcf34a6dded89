"""Notebooks: from any bytes to the files that their marked cells hold."""

from grader.intake.notebook.marks import how_to_mark, without_mark
from grader.intake.notebook.modules import NotebookModules, modules_of

__all__ = ["NotebookModules", "how_to_mark", "modules_of", "without_mark"]
