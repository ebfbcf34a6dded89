"""Prove a suite: the reference earns full marks, the skeleton nothing, every mutant is caught."""

from __future__ import annotations

import math
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from grader.authoring.mutants import load_mutants
from grader.authoring.solutions import odd_submissions, skeleton_submission
from grader.authoring.validate import checks
from grader.authoring.validate.automatic import (
    MutantProgress,
    Tally,
    automatic_mutants,
    load_explained,
    sample,
)
from grader.authoring.validate.checks import Finding, ValidationBench
from grader.from_scratch import from_scratch_files
from grader.grading import GradingPool, ResultCache, cache_folder
from grader.lab.catalogue import Lab

Check = Callable[[], Finding]
_OF_AUTOMATIC = 3  # findings about automatic mutants
_OF_COMPETITION = 10  # findings about a competition
_SEEDS_PER_VARIANT = 5  # one run of another variant's reference for so many of the default's


@dataclass(frozen=True)
class ValidationPlan:
    """How thoroughly a lab is validated."""

    seeds: int = 10  # keys under which the reference runs, each with other hidden inputs
    repeats: int = 3  # runs under one key, which must agree test by test
    automatic: bool = True  # run automatic mutants
    sample: int | None = None  # so many of them only, always the same ones
    jobs: int = 2  # runs side by side
    fresh: bool = False  # run everything, whatever is known

    @property
    def variant_seeds(self) -> int:
        """Keys under which the reference of every variant but the default runs."""
        return math.ceil(self.seeds / _SEEDS_PER_VARIANT)


@dataclass(frozen=True)
class Validation:
    """All claims about one lab's suite, and what proving them took."""

    slug: str
    plan: ValidationPlan
    findings: tuple[Finding, ...]
    mutants: int  # written by hand
    automatic: Tally | None  # None if they were not run
    minutes: float
    cpu_minutes: float  # of all processes

    @property
    def sound(self) -> bool:
        """Whether every claim held."""
        return all(finding.holds for finding in self.findings)


def validate(
    lab: Lab,
    plan: ValidationPlan,
    *,
    on_finding: Callable[[Finding], None] = lambda finding: None,
    on_progress: Callable[[MutantProgress], None] = lambda progress: None,
) -> Validation:
    """Check a lab's files, and its suite against reference, skeleton, odd answers and mutants.

    Findings are reported as they come; the result has them in order. `on_progress` hears of every
    automatic mutant that was run or whose result was known. What tests come to is kept, and is not
    run again unless the plan is `fresh`. Raises GradingError for a fault of ours, which ends it.
    """
    if lab.assignment.competition is not None:
        return _validate_competition(lab, plan, on_finding)
    started, cpu = time.monotonic(), _cpu_seconds()
    cache = ResultCache(cache_folder(), reads=not plan.fresh)
    with GradingPool(jobs=plan.jobs, cache=cache) as pool, ThreadPoolExecutor(plan.jobs) as threads:
        bench = ValidationBench(lab, pool, cache)
        futures = [threads.submit(check) for check in _checks(bench, plan)]
        try:
            for future in as_completed(futures):
                on_finding(future.result())
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)  # else the rest runs for nothing
            raise
        findings = [future.result() for future in futures]
        result = _automatic(bench, plan, on_progress) if plan.automatic else None
    if result is not None:
        found = checks.automatic_findings(result)
        findings += found
        for finding in found:
            on_finding(finding)
    return Validation(
        slug=lab.assignment.slug,
        plan=plan,
        findings=tuple(findings),
        mutants=len(load_mutants(lab)),
        automatic=result if isinstance(result, Tally) else None,
        minutes=(time.monotonic() - started) / 60,
        cpu_minutes=(_cpu_seconds() - cpu + bench.cpu_seconds) / 60,
    )


def _validate_competition(
    lab: Lab, plan: ValidationPlan, on_finding: Callable[[Finding], None]
) -> Validation:
    """Check a competition's data, points and starter; it has no suite to prove."""
    started, cpu = time.monotonic(), _cpu_seconds()
    findings: list[Finding] = []
    with closing(checks.CompetitionBench(lab)) as bench:
        for check in _competition_checks(lab, bench):
            findings.append(check())
            on_finding(findings[-1])
    return Validation(
        slug=lab.assignment.slug,
        plan=plan,
        findings=tuple(findings),
        mutants=0,
        automatic=None,
        minutes=(time.monotonic() - started) / 60,
        cpu_minutes=(_cpu_seconds() - cpu) / 60,
    )


def _competition_checks(lab: Lab, bench: checks.CompetitionBench) -> list[Check]:
    """Return the checks, cheap ones first."""
    of_bench = (
        checks.data_are_repeatable,
        checks.labels_fit,
        checks.students_get_no_label,
        checks.guesses_miss_the_baseline,
        checks.starter_scores,
        checks.step_is_of_the_size_of_luck,
        checks.public_checks_tell,
        checks.starter_runs_again,
    )
    of_lab = (checks.skeleton_is_generated, checks.points_are_sane)
    return [*(partial(one, lab) for one in of_lab), *(partial(one, bench) for one in of_bench)]


def check_count(lab: Lab, plan: ValidationPlan) -> int:
    """Return how many findings `validate` will report, for a progress display."""
    if lab.assignment.competition is not None:
        return _OF_COMPETITION
    always = 3 + 1 + 1 + 1 + 1  # files, items, repeats, room, skeleton
    from_scratch = 2 if from_scratch_files(lab.assignment) else 0
    automatic = _OF_AUTOMATIC if plan.automatic else 0
    wrong = len(odd_submissions(lab)) + len(load_mutants(lab))
    variants = len(_other_variants(lab)) * (plan.variant_seeds + 1)
    return plan.seeds + always + variants + from_scratch + wrong + automatic


def _checks(bench: ValidationBench, plan: ValidationPlan) -> Iterator[Check]:
    lab = bench.lab
    yield partial(checks.signatures_agree, lab)
    yield partial(checks.skeleton_is_generated, lab)
    yield partial(checks.bars_are_proven, lab)
    for seed in range(plan.seeds):
        yield partial(checks.full_marks, bench, seed)
    yield partial(checks.items_are_served, bench)
    yield partial(checks.repeats_agree, bench, plan.repeats)
    yield partial(checks.limits_leave_room, bench, [None, *_other_variants(lab)])
    yield partial(checks.earns_nothing, bench, skeleton_submission(lab))
    if from_scratch_files(lab.assignment):
        yield partial(checks.names_exist, lab)
        yield partial(checks.written_from_scratch, bench)
    for odd in odd_submissions(lab):
        yield partial(checks.earns_nothing, bench, odd)
    for variant in _other_variants(lab):
        for seed in range(plan.variant_seeds):
            yield partial(checks.full_marks, bench, seed, variant)
        yield partial(checks.earns_nothing, bench, skeleton_submission(lab), variant)
    for mutant in load_mutants(lab):
        yield partial(checks.is_caught, bench, mutant)


def _other_variants(lab: Lab) -> list[str]:
    """Return the names of the variants that runs of no variant's name do not use."""
    return sorted(lab.assignment.variants.keys() - {lab.assignment.default_variant})


def _automatic(
    bench: ValidationBench, plan: ValidationPlan, on_progress: Callable[[MutantProgress], None]
) -> Tally | str:
    every = automatic_mutants(bench.reference)
    return checks.run_automatic(
        bench,
        every,
        sample(every, plan.sample),
        load_explained(bench.lab),
        jobs=plan.jobs,
        on_progress=on_progress,
    )


def _cpu_seconds() -> float:
    """Return the CPU time of this process and of the servers that have ended.

    Sandboxes are not in it: whoever waits for them is killed. They meter themselves.
    """
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)
