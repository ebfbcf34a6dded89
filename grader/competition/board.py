"""What the public board shows while a competition is open.

A board that shows every score to its last digit tells the labels to whoever asks often enough.
The Ladder (Blum and Hardt, "The Ladder: a reliable leaderboard for machine learning competitions",
2015) moves only when an entry beats the best before it by a step, and then shows the score rounded
to that step: what cannot be told from luck is not told.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Ladder:
    """The rule by which a team's number on the public board moves."""

    step: float
    higher_is_better: bool = True

    def shown(self, scores: Sequence[float]) -> float | None:
        """Return what the board shows after a team's scores, in the order they came; None before.

        Its value follows from the scores alone: nothing has to be stored that could be lost.
        """
        told = self.history(scores)
        return told[-1] if told else None

    def history(self, scores: Sequence[float]) -> list[float]:
        """Return what the board shows after each of a team's scores, in the order they came."""
        told: list[float] = []
        best: float | None = None
        for value in scores:
            if best is None or self._beats(value, best):
                best = self._rounded(value)
            told.append(best)
        return told

    def _beats(self, value: float, best: float) -> bool:
        gain = value - best if self.higher_is_better else best - value
        return gain > self.step

    def _rounded(self, value: float) -> float:
        """Round to a whole number of steps, half up, without the dust of binary fractions."""
        over, under = value.as_integer_ratio()
        step, whole = Decimal(str(self.step)).as_integer_ratio()
        steps = (2 * over * whole + under * step) // (2 * under * step)  # floor(x + 1/2)
        return steps * step / whole


def public_rows(secret: bytes, rows: int, public: int) -> NDArray[np.bool_]:
    """Return which rows the public board is scored on, drawn from the term's secret: [rows].

    The same secret draws the same rows, and nobody without it knows them.
    """
    if not 0 < public < rows:
        raise ValueError(f"{public} of {rows} rows cannot be public; leave some for the end")
    order = sorted(range(rows), key=lambda row: _lot(secret, row))
    chosen = np.zeros(rows, dtype=np.bool_)
    chosen[order[:public]] = True
    return chosen


def _lot(secret: bytes, row: int) -> bytes:
    return hmac.digest(secret, f"public row\n{row}".encode(), hashlib.sha256)
