"""A term's data as files: what students get, and apart from that what staff keep.

    students/train.npz               arrays to learn from, `labels` among them
    students/test.npz                arrays to predict from
    students/sample_submission.csv   a file of predictions: every row, and nothing right but by luck
    staff/labels.csv                 what is right

A further set has no students' half: its `test.npz` lies beside its labels. The same set is always
the same bytes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from grader.competition.predictions import Labels, Values, columns_of, read_labels
from grader.errors import ProctorError
from grader.lab.competition import CompetitionRules

LABELS = "labels"  # the array of a set to train on that says what is right
STUDENTS, STAFF = "students", "staff"
TRAIN, TEST, SAMPLE = "train.npz", "test.npz", "sample_submission.csv"

Arrays = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True)
class DrawnSet:
    """Rows to predict, what is right in them, and in a term's first set rows to train on."""

    test: Arrays
    labels: Labels
    train: Arrays | None = None


def row_names(rows: int) -> tuple[str, ...]:
    """Return the names of so many rows: no program takes one for a number."""
    width = len(str(rows - 1))
    return tuple(f"r{row:0{width}}" for row in range(rows))


def files_of(drawn: DrawnSet, rules: CompetitionRules) -> dict[str, bytes]:
    """Return the files of a set, by path."""
    ids = drawn.labels.ids
    staff = {f"{STAFF}/{rules.labels}": _table(rules, ids, drawn.labels.values)}
    if drawn.train is None:
        return {f"{STAFF}/{TEST}": _packed(drawn.test), **staff}
    guess = np.arange(len(rules.predicted), dtype=np.float64)  # valid: classes that differ, or 0
    sample = np.tile(guess % max(1, len(rules.classes)), (len(ids), 1))
    return {
        f"{STUDENTS}/{TRAIN}": _packed(drawn.train),
        f"{STUDENTS}/{TEST}": _packed(drawn.test),
        f"{STUDENTS}/{SAMPLE}": _table(rules, ids, sample),
        **staff,
    }


def read_drawn(folder: Path, rules: CompetitionRules) -> DrawnSet:
    """Read a set from the folder that it was drawn into.

    Raises ProctorError naming the file that is absent or damaged, and no label.
    """
    half = folder / STUDENTS if (folder / STUDENTS).is_dir() else folder / STAFF
    labels = read_labels(folder / STAFF / rules.labels, rules)
    train = _unpacked(half / TRAIN) if half.name == STUDENTS else None
    drawn = DrawnSet(_unpacked(half / TEST), labels, train)
    if any(len(array) != len(labels.ids) for array in drawn.test.values()):
        raise ProctorError(f"{half / TEST} and the labels are of two sets; draw them again")
    return drawn


def _packed(arrays: Arrays) -> bytes:
    out = io.BytesIO()
    np.savez(out, allow_pickle=False, **arrays)
    return out.getvalue()


def _unpacked(file: Path) -> dict[str, NDArray[np.generic]]:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except (OSError, ValueError, BadZipFile) as error:
        raise ProctorError(f"{file} cannot be read ({error}); draw the set again") from None


def _table(rules: CompetitionRules, ids: Sequence[str], values: Values) -> bytes:
    """Return predictions or labels as a file: classes by name, numbers to their last digit."""
    out = io.StringIO(newline="")
    table = csv.writer(out, lineterminator="\n")
    table.writerow(columns_of(rules))
    for name, row in zip(ids, values.tolist(), strict=True):
        table.writerow([name, *((rules.classes[int(v)] for v in row) if rules.classes else row)])
    return out.getvalue().encode()
