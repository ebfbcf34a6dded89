"""Reading a file of predictions: every row once, nothing else, and only what may be predicted.

What is wrong is said with its line and how to mend it, and costs the sender nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from grader.errors import ManifestError, ManifestProblem, TableError, TableProblem
from grader.lab.competition import MOST_ROWS, CompetitionRules, MetricName
from grader.lab.table import Column, Table, TableRow, read_table
from grader.sheet import MOST_BYTES, MOST_LINES, SheetLimits
from grader.text import shown

_NAMED = 3  # rows named in one sentence
_PROBLEMS = 20  # that one file is told
_CELL_BYTES = 24  # on average, in a file of many rows

Values = NDArray[np.float64]  # [rows, columns]: numbers, or places in the list of classes


@dataclass(frozen=True)
class Labels:
    """What is to be predicted: the rows in their order, and what is right in each."""

    ids: tuple[str, ...]
    values: Values

    def __repr__(self) -> str:
        """Tell how many there are, and none of them: a log must not hold a label."""
        return f"Labels({len(self.ids)} rows)"


def columns_of(rules: CompetitionRules) -> dict[str, Column]:
    """Return the columns of a file of predictions, in their order."""
    kind = Column.NUMBER if rules.metric.takes_numbers else Column.TEXT
    return {rules.id: Column.TEXT, **dict.fromkeys(rules.predicted, kind)}


def limits_for(rules: CompetitionRules, rows: int) -> SheetLimits:
    """Return how large a file of predictions for so many rows may be.

    There may be a blank line after each, as Python's csv leaves them on Windows.
    """
    most_bytes = _CELL_BYTES * rows * (1 + len(rules.predicted))
    return SheetLimits(max(MOST_LINES, 2 * (rows + 1)), max(MOST_BYTES, most_bytes))


def read_predictions(data: bytes, rules: CompetitionRules, ids: Sequence[str]) -> Values:
    """Return predictions in the order of `ids`, shape [rows, columns].

    Where the columns have no order, each row comes sorted: equal answers are equal arrays.
    Raises TableError with every problem: a row that is missing, doubled or unknown, a class that
    there is not, a number that is none.
    """
    table = read_table(data, columns_of(rules), limits=limits_for(rules, len(ids)))
    places = {name: place for place, name in enumerate(ids)}
    values = np.full((len(ids), len(rules.predicted)), np.nan)
    seen: dict[str, int] = {}
    problems: list[TableProblem] = []
    for row in table.rows:
        if len(problems) >= _PROBLEMS:  # no more are told, and looking for what was meant costs
            break
        problem = _wrong_id(row, rules, places, seen)
        if problem is not None:
            problems.append(problem)
            continue
        seen[row.cells[rules.id]] = row.line
        for column, name in enumerate(rules.predicted):
            try:
                values[places[row.cells[rules.id]], column] = _value(row.cells[name], rules)
            except ValueError as error:
                problems.append(TableProblem(row.line, f"{name}: {error}"))
    problems.extend(_missing(ids, seen))
    if problems:
        raise TableError(problems[:_PROBLEMS])
    return np.sort(values, axis=1) if rules.unordered else values


def read_labels(file: Path, rules: CompetitionRules) -> Labels:
    """Read a competition's labels, the file's order being the order of its rows.

    Raises ManifestError: it is a mistake of staff's, and names no label.
    """
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise _damaged(file, "is missing; write it with the columns of the predictions") from None
    ids = tuple(row.cells[rules.id] for row in _table_of_labels(file, data, rules).rows)
    if len(ids) > MOST_ROWS:
        raise _too_many(file, f"{len(ids):,} rows")
    try:
        values = read_predictions(data, rules, ids)
    except TableError:
        raise _damaged(file, "holds a row that is doubled or no label; look at it") from None
    if rules.public >= len(ids):
        raise _damaged(file, f"holds {len(ids)} rows; the private board needs some of them")
    if rules.metric is MetricName.AUC and not set(values.flat) == {0.0, 1.0}:
        raise _damaged(file, "must hold 0 and 1, and both, for the metric auc")
    return Labels(ids, values)


def _table_of_labels(file: Path, data: bytes, rules: CompetitionRules) -> Table:
    lines = max(data.count(b"\n"), data.count(b"\r"))
    limits = limits_for(rules, MOST_ROWS)
    if lines > limits.lines:
        raise _too_many(file, f"{lines:,} lines")
    try:
        return read_table(data, columns_of(rules), limits=limits)
    except TableError as error:
        whole = [problem.mend for problem in error.problems if problem.line == 0]
        said = whole[0] if whole else "holds a row that is no label; look at it"
        raise _damaged(file, said) from None  # a line's problem may name its label


def _too_many(file: Path, what: str) -> ManifestError:
    return _damaged(file, f"has {what}; a competition may have {MOST_ROWS:,} rows to predict")


def _wrong_id(
    row: TableRow, rules: CompetitionRules, places: Mapping[str, int], seen: Mapping[str, int]
) -> TableProblem | None:
    name = row.cells[rules.id]
    if name not in places:
        return TableProblem(
            row.line, f"there is no row {shown(name)} to predict; leave this line out"
        )
    if name in seen:
        return TableProblem(
            row.line, f"row {shown(name)} stands on line {seen[name]} too; keep one of them"
        )
    return None


def _missing(ids: Sequence[str], seen: Mapping[str, int]) -> Iterator[TableProblem]:
    missing = [name for name in ids if name not in seen]
    if missing:
        named = ", ".join(shown(name) for name in missing[:_NAMED])
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        rows = "row" if len(missing) == 1 else "rows"
        yield TableProblem(0, f"{len(missing)} {rows} lack a prediction: {named}{more}; add them")


def _value(cell: str, rules: CompetitionRules) -> float:
    """Return a prediction as a number: itself, or the class's place. ValueError says the mend."""
    if not rules.classes:
        return float(cell)  # finite: the column is of numbers
    if cell in rules.classes:
        return float(rules.classes.index(cell))
    near = get_close_matches(cell, rules.classes, n=1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    known = ", ".join(rules.classes)
    raise ValueError(f"{shown(cell)} is no class; {meant}predict one of: {known}")


def _damaged(file: Path, mend: str) -> ManifestError:
    return ManifestError([ManifestProblem(file, "", mend)])
