"""Run the reference under many keys, and wrong solutions under one, and keep what they measure.

The first run of a variant is whole and tells which tests record figures; the others run only
those. A test that records the same figures in two variants under one key does not see the variant:
it is run many times in the default one alone. What the log has already is not run again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial

from grader.authoring.calibrate.calibration import BASELINES, rounded
from grader.authoring.calibrate.log import REFERENCE, LoggedRun, RunLog
from grader.authoring.calibrate.seen import may_measure
from grader.authoring.mutants import Mutant, WrongSolution, load_mutants, load_wrong
from grader.authoring.solutions import reference_submission
from grader.errors import AuthoringError, GradingError
from grader.grading import GradingPool
from grader.intake.submission import Submission
from grader.lab.catalogue import Lab
from grader.report.report import RunStatus

OnRun = Callable[[LoggedRun, bool], None]  # a run, and whether it was made now


@dataclass(frozen=True)
class CalibrationPlan:
    """What to run."""

    runs: int  # of the reference, each under a key of its own
    variants: tuple[str | None, ...]
    baselines: tuple[str, ...] = ()  # names; empty for all
    jobs: int = 1


@dataclass(frozen=True)
class Solution:
    """A wrong solution as it is graded, and the tests it is graded by."""

    name: str  # baselines/NAME or mutants/NAME
    title: str
    submission: Submission
    tests: tuple[str, ...]


def variants_of(lab: Lab) -> tuple[str | None, ...]:
    """Return the names of a lab's variants; one None if it has none."""
    return tuple(sorted(lab.assignment.variants)) or (None,)


def run_key(number: int) -> bytes:
    """Return the key of the n-th run."""
    return hashlib.sha256(f"calibrate {number}".encode()).digest()


class CalibrationBench:
    """A lab's reference, the pool that grades it, and the log of what was run."""

    def __init__(self, lab: Lab, pool: GradingPool, log: RunLog, on_run: OnRun) -> None:
        self.lab = lab
        self._references: dict[str | None, Submission] = {}
        self._pool = pool
        self._log = log
        self._on_run = on_run

    def reference(self, variant: str | None) -> Submission:
        """Return the model solution of a variant."""
        if variant not in self._references:
            self._references[variant] = reference_submission(self.lab, variant)
        return self._references[variant]

    def whole(self, variant: str | None) -> LoggedRun:
        """Return the reference's first run, of the whole suite.

        Raises GradingError if it has a fault, AuthoringError if the log cannot be trusted with it.
        """
        reference = self.reference(variant)
        known = self._log.find((variant, REFERENCE, reference.digest, 0))
        if known is not None:
            self._on_run(known, False)
            return known
        report = self._pool.grade(self.lab, reference, key=run_key(0), variant=variant).report
        if report.status is not RunStatus.GRADED:
            raise GradingError(f"the reference was not graded: {report.fault}")
        measuring = [test for test in report.tests if test.measured]
        _all_foreseen(self.lab, [test.id for test in measuring])
        return self._keep(
            LoggedRun(
                variant=variant,
                solution=REFERENCE,
                submission=reference.digest,
                number=0,
                measured={test.id: test.measured for test in measuring},
                outcomes={test.id: test.outcome for test in measuring},
                cpu_seconds=sum(test.cpu_seconds for test in measuring),
                environment=report.environment,
            )
        )

    def part(
        self,
        variant: str | None,
        solution: str,
        submission: Submission,
        tests: tuple[str, ...],
        number: int,
    ) -> LoggedRun:
        """Return a run of some tests; GradingError if it has a fault of ours."""
        known = self._log.find((variant, solution, submission.digest, number))
        if known is not None and set(tests) <= known.outcomes.keys():
            self._on_run(known, False)
            return known
        try:
            found = self._pool.run_tests(
                self.lab, submission, tests, key=run_key(number), variant=variant
            )
        except GradingError as error:
            raise GradingError(f"{solution} could not be run: {error}") from error
        return self._keep(
            LoggedRun(
                variant=variant,
                solution=solution,
                submission=submission.digest,
                number=number,
                measured={test: found.measured[test] for test in tests},
                outcomes={test: found.outcomes[test] for test in tests},
                cpu_seconds=found.cpu_seconds,
            )
        )

    def _keep(self, run: LoggedRun) -> LoggedRun:
        self._log.add(run)
        self._on_run(run, True)
        return run


def _all_foreseen(lab: Lab, measuring: Iterable[str]) -> None:
    """Raise AuthoringError for a test that measures though no word of its text says so.

    The log is kept under the texts of the tests that may measure: it would outlive such a test.
    """
    foreseen = may_measure(lab)
    for test in measuring:
        file, _, function = test.partition("::")
        if f"{file}::{function.partition('[')[0].partition('::')[0]}" not in foreseen:
            raise AuthoringError(
                [f"{test} records a figure, but no fixture it names is bar or measured"]
            )


def own_tests(first: LoggedRun, base: LoggedRun) -> tuple[str, ...]:
    """Return the tests to run many times in a variant: those whose figures are its own.

    `base` is the first run of the default variant.
    """
    if base.variant == first.variant:
        return tuple(first.measured)
    return tuple(
        test
        for test, found in first.measured.items()
        if _kept(found) != _kept(base.measured.get(test, {}))
    )


def _kept(figures: dict[str, float]) -> dict[str, float]:
    """Return figures as a calibration keeps them: the reference's last digits are rounding."""
    return {name: rounded(value) for name, value in figures.items()}


Work = list[tuple[LoggedRun, tuple[str, ...]]]  # each variant's first run, and its own tests


def collect(bench: CalibrationBench, plan: CalibrationPlan, work: Work) -> list[LoggedRun]:
    """Make every run of a plan after the first of each variant; return all, the first ones too."""
    jobs = [
        partial(bench.part, first.variant, REFERENCE, bench.reference(first.variant), tests, number)
        for first, tests in work
        for number in range(1, plan.runs)
        if tests
    ]
    jobs += [
        partial(bench.part, first.variant, wrong.name, wrong.submission, wrong.tests, 0)
        for first, tests in work
        for wrong in wrong_solutions(bench, first.variant, tests, plan.baselines)
    ]
    with ThreadPoolExecutor(plan.jobs) as threads:
        futures = [threads.submit(job) for job in jobs]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise
    return [*(first for first, _ in work), *(future.result() for future in futures)]


def run_count(bench: CalibrationBench, plan: CalibrationPlan, work: Work) -> int:
    """Return how many runs a plan has in all."""
    return sum(
        (plan.runs if tests else 1)
        + len(list(wrong_solutions(bench, first.variant, tests, plan.baselines)))
        for first, tests in work
    )


def wrong_solutions(
    bench: CalibrationBench,
    variant: str | None,
    tests: tuple[str, ...],
    baselines: tuple[str, ...] = (),
) -> Iterator[Solution]:
    """Yield the baselines, and the mutants that are to lose tests that measure.

    Mutants are promised to be caught in the default variant, so they run in no other. Raises
    AuthoringError for a baseline that does not exist, or whose text does not fit.
    """
    for weak in _chosen(bench.lab, baselines) if tests else ():
        name = f"{BASELINES}/{weak.name}"
        yield Solution(name, weak.title, _applied(weak, bench.reference(variant)), tests)
    if variant != bench.lab.assignment.default_variant:
        return
    for mutant in load_mutants(bench.lab):
        lost = tuple(test for test in tests if loses(mutant, test))
        if lost:
            name = f"mutants/{mutant.name}"
            yield Solution(name, mutant.title, _applied(mutant, bench.reference(variant)), lost)


def loses(mutant: Mutant, test: str) -> bool:
    """Whether a mutant names this test, or all parameters of it."""
    return any(test == name or test.startswith(f"{name}[") for name in mutant.loses)


def _chosen(lab: Lab, wanted: tuple[str, ...]) -> list[WrongSolution]:
    folder = lab.reference / BASELINES if lab.reference else None
    found = load_wrong(folder, WrongSolution)
    missing = set(wanted) - {weak.name for weak in found}
    if missing:
        known = ", ".join(weak.name for weak in found) or "none"
        raise AuthoringError([f"there is no baseline {min(missing)!r}; known: {known}"])
    return [weak for weak in found if not wanted or weak.name in wanted]


def _applied(weak: WrongSolution, reference: Submission) -> Submission:
    try:
        return weak.apply(reference)
    except ValueError as error:
        raise AuthoringError([str(error)]) from None
