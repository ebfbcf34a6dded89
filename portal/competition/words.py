"""What a competition's codes are called on pages."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from grader.api import Verdict
from portal.competition.models import RerunState
from portal.courses.policy import CompetitionPhase
from portal.platform.language import Phrase, lazy

WORDS: Mapping[type[StrEnum], Mapping[Any, Phrase]] = {
    CompetitionPhase: {
        CompetitionPhase.NOT_YET: lazy("not yet open"),
        CompetitionPhase.OPEN: lazy("open"),
        CompetitionPhase.FROZEN: lazy("open, the board is frozen"),
        CompetitionPhase.ENDED: lazy("over, the result is being checked"),
        CompetitionPhase.FINAL: lazy("over"),
    },
    RerunState: {
        RerunState.QUEUED: lazy("queued"),
        RerunState.RUNNING: lazy("running"),
        RerunState.DONE: lazy("done"),
        RerunState.CANCELLED: lazy("cancelled"),
    },
    Verdict: {
        Verdict.HOLDS: lazy("holds"),
        Verdict.BELOW: lazy("below its claim"),
        Verdict.FAILED: lazy("failed"),
        Verdict.REFUSED: lazy("cannot be read"),
        Verdict.FAULT: lazy("a fault of ours"),
    },
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
VERDICT_CHIPS = {
    Verdict.HOLDS: "good",
    Verdict.BELOW: "bad",
    Verdict.FAILED: "bad",
    Verdict.REFUSED: "bad",
    Verdict.FAULT: "warn",
}
