"""What would change for whom if one hidden suite replaced another."""

from grader.authoring.rescore.changes import Change, Flip, Standing, changes, moved
from grader.authoring.rescore.other import other_home, reports_in
from grader.authoring.rescore.sentences import points_cell, score_cell, summary, why
from grader.authoring.rescore.tables import changes_to_csv, changes_to_json

__all__ = [
    "Change",
    "Flip",
    "Standing",
    "changes",
    "changes_to_csv",
    "changes_to_json",
    "moved",
    "other_home",
    "points_cell",
    "reports_in",
    "score_cell",
    "summary",
    "why",
]
