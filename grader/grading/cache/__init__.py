"""Results of single tests, kept so that a test is run again only if its key has changed."""

from grader.grading.cache.entry import Entry, Kept, may_be_kept
from grader.grading.cache.memory import Memory
from grader.grading.cache.recall import Charge, Recall
from grader.grading.cache.store import ResultCache, cache_folder

__all__ = [
    "Charge",
    "Entry",
    "Kept",
    "Memory",
    "Recall",
    "ResultCache",
    "cache_folder",
    "may_be_kept",
]
