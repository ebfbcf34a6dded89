"""What would change for whom if one hidden suite replaced another."""

from grader.authoring.rescore.changes import Change, Flip, Standing, changes, moved
from grader.authoring.rescore.other import other_home, reports_in
from grader.authoring.rescore.tables import changes_to_csv, changes_to_json
from grader.authoring.rescore.told import points_cell, score_cell, told, why

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
    "told",
    "why",
]
