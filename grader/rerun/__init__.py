"""A competition's entries run again from source, on rows that nobody has seen."""

from grader.rerun.comparing import Comparison, compare, score_sd
from grader.rerun.entries import Entry, EntryFolder, read_entries
from grader.rerun.running import SourceRunner, WrongPredictions
from grader.rerun.verdict import Rerun, Verdict, rerun

__all__ = [
    "Comparison",
    "Entry",
    "EntryFolder",
    "Rerun",
    "SourceRunner",
    "Verdict",
    "WrongPredictions",
    "compare",
    "read_entries",
    "rerun",
    "score_sd",
]
