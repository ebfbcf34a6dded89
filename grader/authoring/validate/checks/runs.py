"""Claims that need runs of the reference, the skeleton and answers of the wrong kind."""

from __future__ import annotations

from collections.abc import Sequence

from grader.authoring.validate.checks.bench import ValidationBench, fault_of
from grader.authoring.validate.checks.finding import Finding
from grader.errors import GradingError
from grader.from_scratch.lab_check import own_findings
from grader.intake.submission import Submission
from grader.report.explain import where
from grader.report.report import Report

_ROOM = 50  # per cent


def full_marks(bench: ValidationBench, seed: int, variant: str | None = None) -> Finding:
    """Check that the reference earns every point under a seed, as the default variant if none."""
    which = f"variant {variant}, seed {seed}" if variant else f"seed {seed}"
    claim = f"the reference earns full marks ({which})"
    report = bench.reference_report(seed, variant)
    if fault := fault_of(report):
        return Finding(claim, False, fault)
    lost = [test.id for test in report.tests if test.credit < 1]
    detail = f"{report.score:g} of {report.max_score:g} in {_cpu_seconds(report):.1f} CPU s"
    return Finding(claim, not lost, detail + (f"; lost {', '.join(lost)}" if lost else ""))


def _cpu_seconds(report: Report) -> float:
    """Return what all tests cost, those too whose results were known and did not run now."""
    return max(report.cpu_seconds, sum(test.cpu_seconds for test in report.tests))


def repeats_agree(bench: ValidationBench, repeats: int) -> Finding:
    """Check that runs under one key agree test by test."""
    claim = f"{repeats} runs under one key give the same score"
    report = bench.reference_report()
    if fault := fault_of(report):
        return Finding(claim, False, fault)
    try:
        others = [bench.repeat(number) for number in range(1, repeats)]
    except GradingError as error:
        return Finding(claim, False, str(error))
    differing = [
        test.id
        for test in report.tests
        if any(
            (one[test.id].outcome, one[test.id].credit) != (test.outcome, test.credit)
            for one in others
        )
    ]
    detail = f"differ in {', '.join(differing)}" if differing else f"{report.score:g}"
    return Finding(claim, not differing, detail)


def earns_nothing(
    bench: ValidationBench, submission: Submission, variant: str | None = None
) -> Finding:
    """Check that a submission that is no answer passes no test."""
    claim = f"{submission.name} earns nothing" + (f" (variant {variant})" if variant else "")
    report = bench.grade(submission, variant=variant).report
    if fault := fault_of(report):
        return Finding(claim, False, fault)
    passed = [test.id for test in report.tests if test.score > 0]
    return Finding(claim, not passed, f"but passed {', '.join(passed)}" if passed else "")


def limits_leave_room(bench: ValidationBench, variants: Sequence[str | None]) -> Finding:
    """Check that no limit of CPU time is near what the reference uses in any of these variants.

    Right work may be slower than the reference, and a machine slower than this one.
    """
    claim = f"the reference uses at most {_ROOM} % of every limit of CPU time"
    shares = []
    for variant in variants:
        report = bench.reference_report(0, variant)
        if fault := fault_of(report):
            return Finding(claim, False, fault)
        within = f" (variant {variant})" if variant else ""
        limit = bench.lab.assignment.limits.cpu_seconds
        shares.append((100 * _cpu_seconds(report) / limit, f"all tests together{within}"))
        shares += [(100 * test.cpu_share, f"{test.id}{within}") for test in report.tests]
    most, *others = sorted(shares, reverse=True)
    shown = [most, *(share for share in others if share[0] > _ROOM)]
    return Finding(
        claim, most[0] <= _ROOM, "\n".join(f"{share:.0f} %: {name}" for share, name in shown)
    )


def items_are_served(bench: ValidationBench) -> Finding:
    """Check that tests and rubric items go together."""
    claim = "every rubric item is served by a test or marked by hand, every test serves one item"
    report = bench.reference_report()
    if fault := fault_of(report):
        return Finding(claim, False, fault)
    items = {item.id for item in bench.lab.assignment.items if not item.manual}
    served = {test.item for test in report.tests}
    detail = f"{len(report.tests)} tests serve {len(served)} items"
    lacking = [f"no test serves {item!r}" for item in sorted(items - served)]
    lacking += [f"{item!r} is served and must not be" for item in sorted(served - items)]
    return Finding(claim, not lacking, "; ".join(lacking) or detail)


def written_from_scratch(bench: ValidationBench) -> Finding:
    """Check that the reference keeps the rules that students are to keep."""
    claim = "the reference and the given files use nothing that from_scratch forbids"
    report = bench.reference_report()
    if fault := fault_of(report):
        return Finding(claim, False, fault)
    ran = [f"{where(one)} {one.name} in {one.test}" for one in report.findings if one.test]
    return Finding.unless(claim, [*own_findings(bench.lab, bench.reference), *ran])
