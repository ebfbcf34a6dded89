"""Draw a term's data of a competition, by staff's own code, from the term's secret.

``reference/<slug>/draw.py`` has one function::

    def draw(rng, part, rows, **settings):
        return {"images": images}, labels

`part` is "train" or "test", `settings` are those of the variant; every array has `rows` rows, and
labels are places in the manifest's classes, or numbers. It knows neither files nor the secret.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.competition import Labels
from grader.competition.drawn import LABELS, Arrays, DrawnSet, row_names
from grader.errors import AuthoringError
from grader.grading.reference import reference_module
from grader.lab.catalogue import Lab
from grader.lab.competition import CompetitionRules, MetricName
from grader.lab.data import lacking, missing_data

MODULE = "draw"


def draw(lab: Lab, secret: bytes, number: int = 1, variant: str | None = None) -> DrawnSet:
    """Draw a term's first set, or a further one, which has nothing to train on.

    The same secret draws the same set. Raises AuthoringError if the lab is no competition whose
    data are drawn, lacks its data here, or if its code gives something else.
    """
    rules, assignment = lab.assignment.competition, lab.assignment
    if rules is None or not rules.test or lab.reference is None:
        raise AuthoringError(
            [f"{assignment.slug} draws no data: no competition with `test`, or no staff's half"]
        )
    if missing_data(assignment, variant):
        raise AuthoringError([lacking(assignment)])
    code = reference_module(lab.reference, assignment.slug, MODULE)
    settings = assignment.variant(variant) if assignment.variants else {}

    def part(name: str, rows: int, which: str) -> tuple[Arrays, NDArray[np.generic]]:
        rng = _generator(
            secret, f"{assignment.slug} {variant or assignment.default_variant} {which}"
        )
        return _checked(rules, name, rows, code.draw(rng, name, rows, **settings))

    test, labels = part("test", rules.test, f"test {number}")
    known = np.asarray(labels, dtype=np.float64).reshape(rules.test, -1)
    known = np.sort(known, axis=1) if rules.unordered else known
    train = None
    if number == 1:
        inputs, right = part("train", rules.train, "train")
        train = {**inputs, LABELS: right}
    return DrawnSet(test, Labels(row_names(rules.test), known), train)


def _generator(secret: bytes, what: str) -> np.random.Generator:
    digest = hmac.digest(secret, f"draw\n{what}".encode(), hashlib.sha256)
    return np.random.default_rng(int.from_bytes(digest))


def _checked(
    rules: CompetitionRules, part: str, rows: int, drawn: Any
) -> tuple[Arrays, NDArray[np.generic]]:
    problems = list(_problems(rules, part, rows, drawn))
    if problems:
        raise AuthoringError([f"{MODULE}.py, {part}: {problem}" for problem in problems])
    inputs, labels = drawn
    return inputs, labels


def _problems(rules: CompetitionRules, part: str, rows: int, drawn: Any) -> Iterator[str]:
    """Say what is wrong with what was drawn, and no label."""
    if not (isinstance(drawn, tuple) and len(drawn) == 2 and isinstance(drawn[0], Mapping)):
        yield "must return a dict of arrays and the labels"
        return
    inputs, labels = drawn
    if not inputs or LABELS in inputs:
        yield f"must name its inputs, none of them {LABELS!r}"
    for name, array in {**inputs, LABELS: labels}.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
            yield f"{name} must be an array of numbers"
        elif array.shape[:1] != (rows,):
            yield f"{name} must have {rows} rows, has shape {array.shape}"
        elif not np.isfinite(array).all():
            yield f"{name} must be finite"
        elif name == LABELS:
            yield from _label_problems(rules, array)


def _label_problems(rules: CompetitionRules, labels: NDArray[np.generic]) -> Iterator[str]:
    columns = len(rules.predicted)
    if labels.shape[1:] not in {(columns,), ()} or (labels.ndim == 1 and columns > 1):
        yield f"labels must be [rows, {columns}], have shape {labels.shape}"
    known = range(2 if rules.metric is MetricName.AUC else len(rules.classes))
    if len(known) and not np.isin(labels, known).all():
        yield f"labels must be whole numbers from 0 to {len(known) - 1}"
