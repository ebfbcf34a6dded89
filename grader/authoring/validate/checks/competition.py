"""Claims about a competition: its data, its points, its starter, and the starter run again."""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from grader.authoring.draw import draw
from grader.authoring.validate.checks.bench import seed_key
from grader.authoring.validate.checks.finding import Finding
from grader.authoring.validate.checks.trial import CompetitionBench
from grader.competition import read_labels, read_predictions, score
from grader.competition.drawn import LABELS, SAMPLE, STAFF, STUDENTS, Arrays, files_of
from grader.competition.metrics import Values
from grader.errors import ProctorError, TableError
from grader.lab.catalogue import Lab
from grader.lab.competition import CompetitionRules
from grader.public_tests import run_public_tests
from grader.report.report import Outcome
from grader.rerun import Entry, SourceRunner, Verdict, rerun, score_sd
from grader.text import megabytes

_SEED = 20150208
_ROOM = 0.5  # of the limit of CPU time
_SURE_SDS = 3.0
_TELLING_SDS = 5.0  # of an order that tells something of the labels
_STEPS = (0.1, 3.0)  # least and most of the board's step, in standard deviations of luck


def data_are_repeatable(bench: CompetitionBench) -> Finding:
    """Check that a secret draws one set, that others differ, and that no row stands in two."""
    claim = "a secret always draws the same data, another secret and another set others"
    try:
        return Finding.unless(claim, _repeatable(bench))
    except ProctorError as error:
        return Finding(claim, False, str(error))


def _repeatable(bench: CompetitionBench) -> Iterator[str]:
    rules, term = bench.rules, bench.term
    if files_of(draw(bench.lab, seed_key(0)), rules) != bench.files:
        yield "the same secret drew two sets; take all chance from rng"
    other = draw(bench.lab, seed_key(1), 2)
    tests = {"the term": term.test, "a fresh set": bench.fresh.test, "another secret": other.test}
    seen: dict[bytes, str] = {row: "the rows to train on" for row in _rows(term.train or {})}
    for where, arrays in tests.items():
        rows = list(_rows(arrays))
        shared = {seen[row] for row in rows if row in seen}
        yield from (f"a row of {where} is among {there} too" for there in sorted(shared))
        seen |= dict.fromkeys(rows, f"those of {where}")
    for variant in sorted(bench.lab.assignment.variants):
        if variant != bench.lab.assignment.default_variant:
            draw(bench.lab, seed_key(0), 2, variant)


def _rows(arrays: Arrays) -> Iterator[bytes]:
    """Yield a digest of each row's inputs."""
    inputs = [np.ascontiguousarray(arrays[name]) for name in sorted(arrays) if name != LABELS]
    for row in zip(*inputs, strict=True):
        yield hashlib.sha256(b"".join(part.tobytes() for part in row)).digest()


def labels_fit(bench: CompetitionBench) -> Finding:
    """Check that labels can be read back, hold every class, and do not follow the rows' order."""
    claim = "labels are whole, hold every class, and their order tells nothing"
    try:
        return Finding.unless(claim, _misfits(bench))
    except ProctorError as error:
        return Finding(claim, False, str(error))


def _misfits(bench: CompetitionBench) -> Iterator[str]:
    rules, values = bench.rules, bench.term.labels.values
    with tempfile.TemporaryDirectory(prefix="grader-try-") as name:
        file = Path(name) / rules.labels
        file.write_bytes(bench.files[f"{STAFF}/{rules.labels}"])
        if not np.array_equal(read_labels(file, rules).values, values):
            yield "labels do not come back from their file as they were"
    size, most = len(bench.files[f"{STUDENTS}/{SAMPLE}"]), bench.lab.assignment.limits.upload_mb
    if size > most * 1_000_000:
        yield f"a file of predictions has {megabytes(size)}, and upload_mb is {most:g}; raise it"
    found = set(values.flat)
    lacking = [kind for place, kind in enumerate(rules.classes) if place not in found]
    if lacking:
        yield f"no row is of class {', '.join(lacking)}"
    place = np.arange(len(values), dtype=np.float64)
    for column, name in zip(values.T, rules.predicted, strict=True):
        others = {"that of the row before": np.roll(column, 1), "its row's place": place}
        for what, other in others.items():
            if abs(_correlation(column, other)) > _TELLING_SDS / np.sqrt(len(column)):
                yield f"{name} goes with {what}; draw rows in any order"


def _correlation(one: Values, other: Values) -> float:
    return 0.0 if np.ptp(one) == 0 else float(np.corrcoef(one, other)[0, 1])


def students_get_no_label(bench: CompetitionBench) -> Finding:
    """Check that nothing that students get of the test is, or orders, a label."""
    claim = "what students get of the test holds no label"
    try:
        return Finding.unless(claim, _given_away(bench))
    except ProctorError as error:
        return Finding(claim, False, str(error))


def _given_away(bench: CompetitionBench) -> Iterator[str]:
    test, labels = bench.term.test, bench.term.labels.values
    if set(test) != set(bench.term.train or {}) - {LABELS}:
        yield f"train and test must have the same inputs; test has {', '.join(sorted(test))}"
    for name, array in test.items():
        numbers = array.reshape(len(array), -1)
        if numbers.shape[1] <= 2 * labels.shape[1] and any(
            np.array_equal(one, label) for one in numbers.T for label in labels.T
        ):
            yield f"{name} of the test holds the labels"
    if bench.files[f"{STAFF}/{bench.rules.labels}"] in _students_bytes(bench):
        yield "a file for students holds the labels"


def _students_bytes(bench: CompetitionBench) -> bytes:
    out = io.BytesIO()
    out.writelines(data for path, data in bench.files.items() if path.startswith(STUDENTS))
    return out.getvalue()


def points_are_sane(lab: Lab) -> Finding:
    """Check that the rubric's points are those of the first rank, and no test's."""
    claim = "the rubric has the points of the first rank, given by rank alone"
    rules, total = lab.assignment.competition, lab.assignment.max_score
    problems = [f"{item.id} must be `manual`" for item in lab.assignment.items if not item.manual]
    if rules is not None and total != rules.most:
        problems.append(f"the rubric has {total} points, the first rank gets {rules.most}")
    if lab.suite is not None and lab.suite.is_dir():
        problems.append("a competition has no hidden suite; remove the folder suite")
    return Finding.unless(claim, problems)


def guesses_miss_the_baseline(bench: CompetitionBench) -> Finding:
    """Check that neither chance nor one answer for all rows comes near the printed baseline."""
    claim = "random and constant predictions miss the baseline, whatever their luck"
    try:
        found = dict(_guesses(bench))
    except ProctorError as error:
        return Finding(claim, False, str(error))
    figures = ", ".join(f"{name} {value:.4f}" for name, (value, _) in found.items())
    lucky = [name for name, (_, best) in found.items() if _reaches(bench.rules, best)]
    baseline = f"the baseline is {bench.rules.baseline:g}"
    return Finding(claim, not lucky, f"{figures}; {baseline}")


def _guesses(bench: CompetitionBench) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yield kinds of guesses with their score and what it is with luck."""
    rules, labels = bench.rules, bench.term.labels.values
    known = np.asarray((bench.term.train or {})[LABELS], dtype=np.float64)
    known = known.reshape(len(known), -1)
    drawn = np.random.default_rng(_SEED).integers(len(known), size=len(labels))
    rows, counts = np.unique(known, axis=0, return_counts=True)
    constant = rows[counts.argmax()] if rules.classes else known.mean(axis=0)
    sign = 1 if rules.metric.higher_is_better else -1
    for name, guess in (
        ("random", known[drawn]),
        ("constant", np.tile(constant, (len(labels), 1))),
    ):
        value = score(rules.metric, guess, labels)
        luck = _SURE_SDS * score_sd(rules.metric, guess, labels)
        yield name, (value, value + sign * luck)


def _reaches(rules: CompetitionRules, value: float) -> bool:
    return rules.reaches(value, rules.baseline)


def starter_scores(bench: CompetitionBench) -> Finding:
    """Check that the starter surely reaches the printed baseline, and is not far better."""
    rules = bench.rules
    claim = "the starter reaches the printed baseline, and is better by no more than `within`"
    try:
        value = score(rules.metric, bench.starter, bench.term.labels.values)
        luck = _SURE_SDS * score_sd(rules.metric, bench.starter, bench.term.labels.values)
    except ProctorError as error:
        return Finding(claim, False, str(error))
    sign = 1 if rules.metric.higher_is_better else -1
    far = sign * (value - rules.baseline) > rules.within
    sure = _reaches(rules, value - sign * luck)
    detail = (
        f"{value:.4f} in {bench.starter_seconds:.1f} CPU s, {value - sign * luck:.4f} without "
        f"luck; printed is {rules.baseline:g}, within {rules.within:g}"
    )
    return Finding(claim, sure and not far, detail)


def step_is_of_the_size_of_luck(bench: CompetitionBench) -> Finding:
    """Check that the board's step hides luck and shows progress."""
    least, most = _STEPS
    claim = f"the board's step is {least:g} to {most:g} standard deviations of the public score"
    rules = bench.rules
    try:
        values, labels = bench.starter[: rules.public], bench.term.labels.values[: rules.public]
    except ProctorError as error:
        return Finding(claim, False, str(error))
    sd = score_sd(rules.metric, values, labels)
    detail = f"step {rules.step:g}, standard deviation {sd:.4f}"
    return Finding(claim, least * sd <= rules.step <= most * sd, detail)


def public_checks_tell(bench: CompetitionBench) -> Finding:
    """Check that public tests pass the starter's file, and no damaged one, as intake does."""
    claim = "the public tests pass the starter's predictions and no damaged file"
    try:
        return Finding.unless(claim, _untold(bench))
    except ProctorError as error:
        return Finding(claim, False, str(error))


def _untold(bench: CompetitionBench) -> Iterator[str]:
    whole = bench.starter_file
    first, second, *rest = whole.splitlines(keepends=True)
    no_value = second.partition(b",")[0] + b"," * len(bench.rules.predicted) + b"\n"
    damaged = {
        "a row is missing": b"".join([first, *rest]),
        "a row is doubled": whole + second,
        "a row is unknown": whole + b"zz" + second,
        "a row has no value": b"".join([first, no_value, *rest]),
    }
    yield from (f"refuses the starter's file: {title}" for title in _lost(bench, whole))
    for what, data in damaged.items():
        if not _lost(bench, data):
            yield f"passes a file in which {what}"
        try:
            read_predictions(data, bench.rules, bench.term.labels.ids)
            yield f"a file is taken in which {what}"
        except TableError:
            continue


def _lost(bench: CompetitionBench, predictions: bytes) -> list[str]:
    results = run_public_tests(bench.lab, bench.submission(predictions))
    return [result.title for result in results if result.outcome is not Outcome.PASSED]


def starter_runs_again(bench: CompetitionBench) -> Finding:
    """Check that the starter's source, in the sandbox, holds on rows it has never seen."""
    claim = f"the starter, run again from source, holds, within {_ROOM:.0%} of the CPU time"
    limit = bench.lab.assignment.limits.cpu_seconds
    reference = bench.lab.reference
    try:
        entry = Entry("starter", bench.starter, bench.submission(b""))
        hidden = [reference.parent] if reference else []
        with SourceRunner(bench.lab.assignment, bench.rules, conceal=hidden) as runner:
            found = rerun(runner, bench.rules.metric, entry, bench.term, bench.fresh)
    except ProctorError as error:
        return Finding(claim, False, str(error))
    if found.comparison is None:
        return Finding(claim, False, f"{found.verdict}: {found.detail}")
    detail = (
        f"{found.comparison.claim:.4f}, again {found.comparison.again:.4f} "
        f"({found.comparison.sds:+.1f} sd) in {found.cpu_seconds:.1f} CPU s"
    )
    slow = found.cpu_seconds / found.tries > _ROOM * limit
    return Finding(claim, found.verdict is Verdict.HOLDS and not slow, detail)
