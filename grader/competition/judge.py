"""The judge of one competition: it holds the labels, and gives out nothing but scores and ranks."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.competition.board import public_rows
from grader.competition.metrics import Values, score
from grader.competition.predictions import Labels, read_labels, read_predictions
from grader.competition.ranking import Standing, rank
from grader.lab.competition import CompetitionRules


@dataclass(frozen=True)
class Scores:
    """What an entry scored on the rows of the public board, and on all the others."""

    public: float
    private: float


class Judge:
    """Reads predictions, scores them on both parts of the rows, and ranks teams at the end."""

    def __init__(self, rules: CompetitionRules, labels: Labels, secret: bytes) -> None:
        self._rules, self._labels = rules, labels
        self._public = public_rows(secret, len(labels.ids), rules.public)
        told = "\n".join([rules.model_dump_json(), *labels.ids]).encode()
        parts = told + labels.values.tobytes() + self._public.tobytes()
        # Keyed: labels are few enough to be tried against a bare digest.
        self.digest = hmac.digest(secret, parts, hashlib.sha256).hex()

    @classmethod
    def open(cls, file: Path, rules: CompetitionRules, secret: bytes) -> Judge:
        """Read the labels from a file. Raises ManifestError, which names no label."""
        return cls(rules, read_labels(file, rules), secret)

    def __repr__(self) -> str:
        """Tell how many rows there are, and neither a label nor which rows are public."""
        return f"Judge({len(self._labels.ids)} rows)"

    def read(self, data: bytes) -> Values:
        """Return predictions [rows, columns]; raises TableError with every problem."""
        return read_predictions(data, self._rules, self._labels.ids)

    def scores(self, predicted: Values) -> Scores:
        """Score predictions [rows, columns] on the public rows and on the private ones."""
        return Scores(self._score(predicted, public=True), self._score(predicted, public=False))

    def standings(self, entries: Mapping[str, bytes]) -> list[Standing]:
        """Rank teams on the private rows by their files of predictions, the best first.

        Raises TableError if a file, which was read before, no longer fits the labels.
        """
        private = ~self._public
        predicted = {team: self.read(data)[private] for team, data in entries.items()}
        return rank(self._rules.metric, predicted, self._labels.values[private])

    def _score(self, predicted: Values, *, public: bool) -> float:
        rows = self._public if public else ~self._public
        return score(self._rules.metric, predicted[rows], self._labels.values[rows])
