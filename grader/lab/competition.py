"""The rules of a competition, as its manifest states them.

A competition is an assignment too. What is added is one table::

    [competition]
    file = "predictions.csv"
    id = "id"
    predicted = ["first", "second"]
    unordered = true
    metric = "all_right"
    classes = ["coat", "shirt"]
    labels = "labels.csv"
    train = 20000
    test = 10000
    public = 3000
    source = "wardrobe/predict.py"
    baseline = 0.217
    within = 0.03
    most = 25
    least = 15
    below_baseline = 12

The labels stand in the staff's half, ``reference/<slug>/labels.csv``: they are read where grades
are made, and never enter a sandbox, a report or a log. Where `train` and `test` are stated, a
term's data are drawn by staff's code; where `source` is, an entry can be run again from it.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from grader.lab.naming import FilePath, Points

MOST_ROWS = 100_000  # to predict: a file of so many is read in some seconds


class MetricName(StrEnum):
    """How predictions are scored against the labels."""

    ACCURACY = "accuracy"
    ALL_RIGHT = "all_right"  # the share of rows in which every predicted column is right
    MACRO_F1 = "macro_f1"
    RMSE = "rmse"
    AUC = "auc"

    @property
    def higher_is_better(self) -> bool:
        """Whether more is better."""
        return self is not MetricName.RMSE

    @property
    def takes_numbers(self) -> bool:
        """Whether predictions are numbers; else they name classes."""
        return self in {MetricName.RMSE, MetricName.AUC}


class CompetitionRules(BaseModel):
    """What is predicted, how it is scored, and how ranks become points."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: FilePath = Field(description="the submitted file that holds the predictions")
    id: str = Field("id", min_length=1, description="the column that names the row")
    predicted: tuple[str, ...] = Field(min_length=1, description="the columns that are predicted")
    unordered: bool = Field(False, description="in a row, which column says what is nothing")
    metric: MetricName
    classes: tuple[str, ...] = Field((), description="what may be predicted; none: any number")
    labels: str = Field("labels.csv", pattern=r"^[A-Za-z0-9_.-]+\.csv$")
    train: int = Field(0, ge=0, le=10_000_000, description="rows to train on, if data are drawn")
    test: int = Field(0, ge=0, description="rows to predict, if data are drawn")
    public: int = Field(ge=1, description="rows that the public board is scored on")
    source: FilePath | None = Field(None, description="holds predict(train, test), to run it again")
    baseline: float = Field(description="the score of the baseline that is printed")
    within: float = Field(0.03, gt=0, description="by which the starter may be better than that")
    most: Points = Field(description="points of the first rank")
    least: Points = Field(description="points of the last rank")
    below_baseline: Points = Field(description="points of an entry that misses the baseline")
    step: float = Field(0.005, gt=0, description="by which the public board moves")

    @field_validator("test")
    @classmethod
    def _can_be_entered(cls, rows: int) -> int:
        if rows > MOST_ROWS:
            raise ValueError(f"a file of predictions may have {MOST_ROWS:,} rows; draw fewer")
        return rows

    @model_validator(mode="after")
    def _agree(self) -> CompetitionRules:
        if not self.below_baseline <= self.least <= self.most:
            raise ValueError("points must not rise: most >= least >= below_baseline")
        if self.metric.takes_numbers == bool(self.classes):
            asked = "no classes" if self.metric.takes_numbers else "classes"
            raise ValueError(f"the metric {self.metric.value} goes with {asked}")
        if self.metric is not MetricName.ALL_RIGHT and len(self.predicted) > 1:
            raise ValueError(f"the metric {self.metric.value} scores one predicted column")
        if bool(self.train) != bool(self.test):
            raise ValueError("a term's data are drawn with rows to train on and rows to test")
        if self.test and self.public >= self.test:
            raise ValueError(f"public must be below the {self.test} rows of test")
        if self.id in self.predicted:
            raise ValueError("the column that names the row is not predicted")
        return self

    def reaches(self, score: float, level: float) -> bool:
        """Tell whether a score is at least as good as another one."""
        return score >= level if self.metric.higher_is_better else score <= level

    def points_of(self, rank: int, teams: int) -> Decimal:
        """Return what a rank is worth among so many teams with an entry, to hundredths.

        most - (most - least) (rank - 1) / (teams - 1), which falls evenly from first to last.
        """
        if not 1 <= rank <= teams:
            raise ValueError(f"there is no rank {rank} among {teams} teams")
        fall = (self.most - self.least) * (rank - 1) / max(1, teams - 1)
        return (self.most - fall).quantize(Decimal("0.01"))
