"""Prove a suite: the reference earns full marks, the skeleton nothing, every mutant is caught."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial

from grader.authoring.mutants import Mutant, load_mutants
from grader.authoring.solutions import (
    odd_submissions,
    reference_submission,
    skeleton_submission,
)
from grader.catalogue import Lab
from grader.grading import Graded, grade, probe
from grader.report import Outcome, Report, RunStatus
from grader.submission.model import Submission


@dataclass(frozen=True)
class Finding:
    """One claim about the suite and whether it held."""

    claim: str
    holds: bool
    detail: str = ""  # what was found instead, or the figures behind the claim


@dataclass(frozen=True)
class Validation:
    """All claims about one lab's suite."""

    slug: str
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """Whether every claim held."""
        return all(finding.holds for finding in self.findings)


Check = Callable[[], Finding]


def validate(
    lab: Lab,
    *,
    seeds: int = 10,
    repeats: int = 3,
    jobs: int = 2,
    on_finding: Callable[[Finding], None] = lambda finding: None,
) -> Validation:
    """Check a lab's suite against its reference, skeleton, odd answers and mutants.

    `seeds` is the number of keys, each giving other hidden inputs; `repeats` the number of runs
    under one key, which must agree test by test. Findings are reported as they come; the
    result has them in order.
    """
    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(check) for check in _checks(lab, seeds, repeats)]
        for future in as_completed(futures):
            on_finding(future.result())
    return Validation(lab.assignment.slug, tuple(future.result() for future in futures))


def check_count(lab: Lab, seeds: int) -> int:
    """Return how many findings `validate` will report, for a progress display."""
    return seeds + 2 + len(odd_submissions(lab)) + len(load_mutants(lab))


def _checks(lab: Lab, seeds: int, repeats: int) -> Iterator[Check]:
    reference = reference_submission(lab)
    for number in range(seeds):
        yield partial(_full_marks, lab, reference, number)
    yield partial(_repeats_agree, lab, reference, repeats)
    yield partial(_earns_nothing, lab, skeleton_submission(lab))
    for odd in odd_submissions(lab):
        yield partial(_earns_nothing, lab, odd)
    for mutant in load_mutants(lab):
        yield partial(_is_caught, lab, reference, mutant)


def seed_key(number: int) -> bytes:
    """Return the key of the n-th seed."""
    return hashlib.sha256(f"validate {number}".encode()).digest()


def _full_marks(lab: Lab, reference: Submission, number: int) -> Finding:
    claim = f"the reference earns full marks (seed {number})"
    report = grade(lab, reference, key=seed_key(number)).report
    if report.status is not RunStatus.GRADED:
        return Finding(claim, False, _fault(report))
    lost = [test.id for test in report.tests if test.credit < 1]
    detail = f"{report.score:g} of {report.max_score:g} in {report.cpu_seconds:.1f} CPU s"
    return Finding(claim, not lost, detail + (f"; lost {', '.join(lost)}" if lost else ""))


def _repeats_agree(lab: Lab, reference: Submission, repeats: int) -> Finding:
    claim = f"{repeats} runs under one key give the same score"
    runs = [grade(lab, reference, key=seed_key(0)) for _ in range(repeats)]
    faults = [_fault(run.report) for run in runs if run.report.status is not RunStatus.GRADED]
    if faults:
        return Finding(claim, False, faults[0])
    differing = _differences(runs)
    detail = f"differ in {', '.join(differing)}" if differing else f"{runs[0].report.score:g}"
    return Finding(claim, not differing, detail)


def _differences(runs: list[Graded]) -> list[str]:
    verdicts = [{t.id: (t.outcome, t.score) for t in run.report.tests} for run in runs]
    return [name for name in verdicts[0] if any(v[name] != verdicts[0][name] for v in verdicts)]


def _earns_nothing(lab: Lab, submission: Submission) -> Finding:
    claim = f"{submission.name} earns nothing"
    report = grade(lab, submission, key=seed_key(0)).report
    if report.status is not RunStatus.GRADED:
        return Finding(claim, False, _fault(report))
    passed = [test.id for test in report.tests if test.score > 0]
    return Finding(claim, not passed, f"but passed {', '.join(passed)}" if passed else "")


def _is_caught(lab: Lab, reference: Submission, mutant: Mutant) -> Finding:
    claim = f"mutant {mutant.name} is caught: {mutant.title}"
    try:
        submission = mutant.apply(reference)
    except ValueError as error:
        return Finding(claim, False, str(error))
    outcomes = probe(lab, submission, mutant.loses, key=seed_key(0))
    if isinstance(outcomes, str):
        return Finding(claim, False, outcomes)
    survived = [name for name in mutant.loses if outcomes.get(name) is Outcome.PASSED]
    blocked = [name for name in mutant.loses if outcomes.get(name) is Outcome.MISSING]
    wrong = [f"{name} passed" for name in survived] + [f"{name} did not run" for name in blocked]
    return Finding(claim, not wrong, "; ".join(wrong))


def _fault(report: Report) -> str:
    return f"{report.status}: {report.fault.strip()[-2000:]}"
