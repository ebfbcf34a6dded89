"""Claims about wrong solutions: each must be noticed, those by hand and those made by machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from grader.authoring.mutants import Mutant
from grader.authoring.validate.automatic import (
    EXPLAINED_NAME,
    AutomaticMutant,
    Equivalence,
    MutantProgress,
    Runner,
    Tally,
    tally,
)
from grader.authoring.validate.checks.bench import ValidationBench, fault_of
from grader.authoring.validate.checks.finding import Finding
from grader.errors import GradingError
from grader.report.report import Outcome

LEAST_SHARE = 0.95  # of the automatic mutants that are not equivalent


def is_caught(bench: ValidationBench, mutant: Mutant) -> Finding:
    """Check that a mutant written by hand loses every test it names."""
    claim = f"mutant {mutant.name} is caught: {mutant.title}"
    try:
        results = bench.results(mutant.apply(bench.reference), mutant.loses)
    except (ValueError, GradingError) as error:
        return Finding(claim, False, str(error))
    outcomes = {name: result.outcome for name, result in results.items()}
    survived = [name for name in mutant.loses if outcomes.get(name) is Outcome.PASSED]
    blocked = [name for name in mutant.loses if outcomes.get(name) is Outcome.MISSING]
    wrong = [f"{name} passed" for name in survived] + [f"{name} did not run" for name in blocked]
    return Finding(claim, not wrong, "; ".join(wrong))


def run_automatic(
    bench: ValidationBench,
    every: Sequence[AutomaticMutant],
    chosen: Sequence[AutomaticMutant],
    explained: Mapping[str, Equivalence],
    *,
    jobs: int,
    on_progress: Callable[[MutantProgress], None],
) -> Tally | str:
    """Run automatic mutants; a text if the reference itself cannot be graded."""
    report = bench.reference_report()
    if fault := fault_of(report):
        return fault
    try:
        coverage = bench.coverage()
    except GradingError as error:
        return str(error)
    costs = {test.id: test.cpu_seconds for test in report.tests}
    runner = Runner(bench.reference, bench.first_loss, coverage, costs)
    return tally(runner, every, chosen, explained, jobs=jobs, on_progress=on_progress)


def automatic_findings(result: Tally | str) -> tuple[Finding, Finding, Finding]:
    """Judge what automatic mutants came to."""
    caught = f"at least {LEAST_SHARE:.0%} of the automatic mutants are caught"
    trips = "no automatic mutant makes the suite itself fail"
    stale = f"every explanation in {EXPLAINED_NAME} is of a mutant that survives"
    if isinstance(result, str):
        return Finding(caught, False, result), Finding(trips, False), Finding(stale, False)
    return (
        Finding(caught, 0 < result.count and result.share >= LEAST_SHARE, _figures(result)),
        Finding.unless(trips, [f"{m.name} {m.described()}\n{fault}" for m, fault in result.faults]),
        Finding.unless(stale, result.stale),
    )


def _figures(result: Tally) -> str:
    if not result.count:
        return "there are none: no solution of the reference is marked"
    figures = (
        f"{result.share:.1%}: {len(result.killed)} killed, {len(result.explained)} explained, "
        f"{len(result.survived)} survive"
    )
    return "\n".join([figures, *(f"{m.described()}\n  {m.name}" for m in result.survived)])
