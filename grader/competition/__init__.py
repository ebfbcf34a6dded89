"""Competitions: reading predictions, scoring them, the board while it is open, ranks at the end.

Knows no task and no database. Predictions and labels go in as arrays; nothing here writes them.
"""

from grader.competition.board import Ladder, public_rows
from grader.competition.judge import Judge, Scores
from grader.competition.metrics import score
from grader.competition.predictions import Labels, read_labels, read_predictions
from grader.competition.ranking import Standing, points_of, rank

__all__ = [
    "Judge",
    "Labels",
    "Ladder",
    "Scores",
    "Standing",
    "points_of",
    "public_rows",
    "rank",
    "read_labels",
    "read_predictions",
    "score",
]
