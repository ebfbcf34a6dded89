"""What a competition's codes are called on pages."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from portal.courses.policy import CompetitionPhase
from portal.platform.language import Phrase, lazy

WORDS: Mapping[type[StrEnum], Mapping[Any, Phrase]] = {
    CompetitionPhase: {
        CompetitionPhase.NOT_YET: lazy("not yet open"),
        CompetitionPhase.OPEN: lazy("open"),
        CompetitionPhase.FROZEN: lazy("open, the board is frozen"),
        CompetitionPhase.ENDED: lazy("over, the result is being checked"),
        CompetitionPhase.FINAL: lazy("over"),
    }
}
METRICS: Mapping[str, Phrase] = {
    "accuracy": lazy("share of rows that are right"),
    "all_right": lazy("share of rows in which every column is right"),
    "macro_f1": lazy("F1, its mean over the classes"),
    "rmse": lazy("root of the mean squared error; less is better"),
    "auc": lazy("area under the ROC curve"),
}
CHIPS = {
    CompetitionPhase.NOT_YET: "idle",
    CompetitionPhase.OPEN: "good",
    CompetitionPhase.FROZEN: "warn",
    CompetitionPhase.ENDED: "info",
    CompetitionPhase.FINAL: "idle",
}
