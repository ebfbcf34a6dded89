"""A competition's entries run again from source, on rows that nobody has seen."""

from grader.rerun.comparing import Comparison, compare, score_sd
from grader.rerun.entries import Entry, EntryFolder, read_entries, read_entry
from grader.rerun.running import SourceRunner, WrongPredictions
from grader.rerun.sets import RerunSets, read_sets
from grader.rerun.verdict import Rerun, Verdict, rerun

__all__ = [
    "Comparison",
    "Entry",
    "EntryFolder",
    "Rerun",
    "RerunSets",
    "SourceRunner",
    "Verdict",
    "WrongPredictions",
    "compare",
    "read_entries",
    "read_entry",
    "read_sets",
    "rerun",
    "score_sd",
]
