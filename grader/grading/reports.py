"""Put a graded run's verdicts, points and circumstances together into its report."""

from __future__ import annotations

import platform
import sys
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version

import grader
from grader.grading.ungraded import about
from grader.reasons import reason_for
from grader.report import Environment, Report, RunStatus, TestReport
from grader.sandbox import Tier
from grader.scoring import score_report
from grader.suite.marks import TestSpec
from grader.suite.run import SuiteRun, Verdict
from grader.text import clean

_TIER_4 = (
    "This run was NOT made in a sandbox (tier 4, a plain process). It is for development only: "
    "do not use its score as a grade."
)


def graded_report(
    run: SuiteRun, *, variant: str | None, suite_digest: str, started_at: datetime
) -> Report:
    """Return the report of a run without faults; GradingError if its points do not add up."""
    limits = run.assignment.limits
    tests = [
        _test_report(spec, run.verdict(spec.id), limits.memory_mb) for spec in run.specs.values()
    ]
    scored = score_report(run.assignment, tests)
    return Report(
        **about(run.assignment, run.submission),
        variant=variant or run.assignment.default_variant,
        suite_digest=suite_digest,
        status=RunStatus.GRADED,
        messages=tuple(_messages(run)),
        score=scored.score,
        max_score=scored.max_score,
        manual_max_score=scored.manual_max_score,
        parts=scored.parts,
        tests=scored.tests,
        artifacts=tuple(run.artifacts),
        environment=_environment(run.tier),
        cpu_seconds=round(run.cpu_seconds(), 3),
        started_at=started_at,
    )


def _test_report(spec: TestSpec, verdict: Verdict, memory_mb: int) -> TestReport:
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
        reason=reason_for(
            verdict.outcome,
            credit=verdict.credit,
            blocked=verdict.blocked,
            cause=verdict.cause,
            cpu_seconds=spec.cpu_seconds,
            memory_mb=memory_mb,
        ),
        detail="\n".join([*verdict.notes, verdict.detail]).strip(),
        output=verdict.output,
        needs=spec.needs,
        cpu_seconds=round(verdict.cpu_seconds, 3),
        wall_seconds=round(verdict.wall_seconds, 3),
    )


def _messages(run: SuiteRun) -> list[str]:
    messages = [_TIER_4] if run.tier is Tier.PROCESS else []
    messages += run.submission.notices
    for name, error in run.import_failures().items():
        messages.append(f"{name} could not be imported:\n{clean(str(error), 1500)}")
    return messages


def _environment(tier: Tier) -> Environment:
    return Environment(
        grader=grader.__version__,
        python=sys.version.split()[0],
        platform=platform.platform(),
        libraries={name: _version(name) for name in ("numpy", "torch")},
        tier=int(tier),
        tier_name=tier.title,
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
