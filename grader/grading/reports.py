"""Put a graded run's verdicts, points and circumstances together into its report."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import grader
from grader.from_scratch import findings_in_source, first_of_each
from grader.grading.cache import Entry, Kept, may_be_kept
from grader.grading.collected import TestSpec
from grader.grading.harness.run import SuiteRun
from grader.grading.ungraded import about
from grader.grading.verdict import Verdict
from grader.grading.versions import library_version
from grader.intake.submission import Submission
from grader.lab.catalogue import Lab
from grader.lab.manifest import Assignment
from grader.report.causes import PASSED, outcome_diagnosis, sentence
from grader.report.diagnosis import Cause, Diagnosis
from grader.report.report import (
    Artifact,
    Environment,
    FromScratchFinding,
    Report,
    RunStatus,
    TestReport,
    Visibility,
)
from grader.report.scoring import score_report
from grader.sandbox import Tier
from grader.text import clean

_TIER_4 = (
    "This run was NOT made in a sandbox (tier 4, a plain process). It is for development only: "
    "do not use its score as a grade."
)


def graded_report(run: SuiteRun, *, tier: Tier, suite_digest: str, started_at: datetime) -> Report:
    """Return the report of a run without faults; GradingError if its points do not add up."""
    assignment, job = run.suite.assignment, run.job
    known = {entry.report.id: entry for entry in job.served}
    memory_mb = assignment.limits.memory_mb
    return _assemble(
        assignment,
        run.submission,
        [
            _served(known[spec.id])
            if spec.id in known
            else _test_report(spec, run.verdict(spec.id), memory_mb)
            for spec in run.specs.values()
        ],
        job.served,
        artifacts=run.artifacts,
        found=run.from_scratch.findings,
        variant=job.variant,
        suite_digest=suite_digest,
        messages=_messages(tier, run.submission, run.import_failures()),
        environment=environment(tier, job.data),
        cpu_seconds=round(run.sandboxes.cpu_seconds(), 3),
        started_at=started_at,
    )


def recalled_report(
    lab: Lab,
    submission: Submission,
    served: Sequence[Entry],
    *,
    variant: str | None,
    suite_digest: str,
    data: dict[str, str],
    tier: Tier,
    started_at: datetime,
) -> Report:
    """Return the report of a submission whose every result was known, in the suite's order."""
    return _assemble(
        lab.assignment,
        submission,
        [_served(entry) for entry in served],
        served,
        variant=variant,
        suite_digest=suite_digest,
        messages=_messages(tier, submission, {}),
        environment=environment(tier, data),
        started_at=started_at,
        wall_seconds=round((datetime.now(UTC) - started_at).total_seconds(), 3),
    )


def kept_results(run: SuiteRun) -> dict[str, Kept]:
    """Return what of a run may be used again, by test; nothing if a file was not imported."""
    if run.faults or run.import_failures():
        return {}
    return {
        spec.id: Kept(
            blocked=run.verdict(spec.id).blocked,
            findings=tuple(one for one in run.from_scratch.findings if one.test == spec.id),
            import_cpu_seconds=run.sandboxes.import_cpu_seconds.get(spec.kind, 0.0),
            idle_seconds=run.verdict(spec.id).idle_seconds,
        )
        for spec in run.specs.values()
        if spec.id not in run.served and may_be_kept(run.verdict(spec.id))
    }


def _assemble(
    assignment: Assignment,
    submission: Submission,
    tests: Sequence[TestReport],
    served: Sequence[Entry],
    *,
    variant: str | None,
    artifacts: Sequence[Artifact] = (),
    found: Sequence[FromScratchFinding] = (),
    **rest: Any,
) -> Report:
    scored = score_report(assignment, tests)
    # As if all had run together: visible tests come first.
    order = sorted(tests, key=lambda test: test.visibility is not Visibility.VISIBLE)
    place = {test.id: index for index, test in enumerate(order)}
    pictures = [*artifacts, *(picture for entry in served for picture in entry.artifacts)]
    run = [*found, *(finding for entry in served for finding in entry.kept.findings)]
    return Report(
        **about(assignment, submission),
        variant=variant or assignment.default_variant,
        status=RunStatus.GRADED,
        score=scored.score,
        max_score=scored.max_score,
        manual_max_score=scored.manual_max_score,
        pending_score=scored.pending_score,
        parts=scored.parts,
        tests=scored.tests,
        artifacts=tuple(sorted(pictures, key=lambda picture: place[picture.test])),
        findings=(
            *findings_in_source(assignment, submission),
            *first_of_each(sorted(run, key=lambda finding: place[finding.test])),
        ),
        **rest,
    )


def _served(entry: Entry) -> TestReport:
    return entry.report.model_copy(update={"cached": True})


def _test_report(spec: TestSpec, verdict: Verdict, memory_mb: int) -> TestReport:
    diagnosis = _diagnosis(verdict, memory_mb)
    return TestReport(
        id=spec.id,
        item=spec.item,
        title=spec.title,
        visibility=spec.visibility,
        outcome=verdict.outcome,
        weight=spec.weight,
        credit=verdict.credit,
        score=0.0,
        max_score=0.0,
        hint=spec.hint,
        diagnosis=diagnosis,
        reason=sentence(diagnosis) if diagnosis else PASSED["en"],
        detail="\n".join([*verdict.notes, verdict.detail]).strip(),
        output=verdict.output,
        measured=verdict.measured,
        needs=spec.needs,
        cpu_seconds=round(verdict.cpu_seconds, 3),
        cpu_share=round(verdict.cpu_share, 3),
        wall_seconds=round(verdict.wall_seconds, 3),
    )


def _diagnosis(verdict: Verdict, memory_mb: int) -> Diagnosis | None:
    """Return what may be told of a verdict; None if the test passed in full."""
    if not verdict.lost:
        return None
    if verdict.blocked:
        return Diagnosis(cause=Cause.BLOCKED)
    return verdict.diagnosis or outcome_diagnosis(
        verdict.outcome, cpu_seconds=verdict.allowance, memory_mb=memory_mb
    )


def _messages(tier: Tier, submission: Submission, failures: Mapping[str, str]) -> tuple[str, ...]:
    messages = [_TIER_4] if tier is Tier.PROCESS else []
    messages += submission.notices
    for name, why in failures.items():
        messages.append(f"{name} could not be imported:\n{clean(why, 1500)}")
    return tuple(messages)


def environment(tier: Tier, data: dict[str, str]) -> Environment:
    """Return what a report says of the machine and of the data it was made with."""
    return _machine(tier).model_copy(update={"data": data})


@cache
def _machine(tier: Tier) -> Environment:
    """Look once: some of it needs a process to ask."""
    return Environment(
        grader=grader.__version__,
        python=sys.version.split()[0],
        platform=platform.platform(),
        libraries={name: library_version(name) for name in ("numpy", "torch")},
        tier=int(tier),
        tier_name=tier.title,
    )
