"""What a re-run says of an entry: it holds, it is below its claim, it failed, or we did."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from grader.competition.drawn import DrawnSet
from grader.errors import GradingError, SandboxError
from grader.lab.competition import MetricName
from grader.rerun.comparing import MOST_SDS, Comparison, compare
from grader.rerun.entries import Entry
from grader.rerun.running import SourceRunner, WrongPredictions
from grader.sandbox.host.failures import StudentError

TRIES = 3  # of an entry that is below its claim: training ends elsewhere with another seed


class Verdict(StrEnum):
    """How an entry came out; only `FAULT` is our own doing."""

    HOLDS = "holds"
    BELOW = "below its claim"
    FAILED = "failed"
    REFUSED = "refused"  # cannot be read, and was not run
    FAULT = "our fault"  # says nothing of the entry: run it again


@dataclass(frozen=True)
class Rerun:
    """An entry run again: the verdict, the best of its tries, and what they took."""

    team: str
    verdict: Verdict
    comparison: Comparison | None = None
    detail: str = ""  # for staff: why it did not run; untrusted text
    tries: int = 0
    cpu_seconds: float = 0.0


def rerun(
    runner: SourceRunner,
    metric: MetricName,
    entry: Entry,
    term: DrawnSet,
    fresh: DrawnSet,
    *,
    tries: int = TRIES,
) -> Rerun:
    """Run an entry's source on a fresh set and compare with its claim on the term's own.

    A source that comes out below is given other seeds before that is said of it; the best counts.
    Raises GradingError if the term's set has nothing to train on.
    """
    if term.train is None:
        raise GradingError("the term's set holds no rows to train on; name the folder of set 1")
    best: Comparison | None = None
    spent = 0.0
    for number in range(1, tries + 1):
        try:
            run = runner.run(entry.source, term.train, fresh.test, seed=number - 1)
        except (StudentError, WrongPredictions) as error:
            return Rerun(entry.team, Verdict.FAILED, best, _told(error), number, spent)
        except SandboxError as error:
            return Rerun(entry.team, Verdict.FAULT, best, str(error), number, spent)
        spent += run.cpu_seconds
        found = compare(
            metric, entry.claimed, term.labels.values, run.predictions, fresh.labels.values
        )
        best = found if best is None or found.drop < best.drop else best
        if not best.below:
            return Rerun(entry.team, Verdict.HOLDS, best, "", number, spent)
    detail = f"more than {MOST_SDS:g} standard deviations below, with {tries} seeds"
    return Rerun(entry.team, Verdict.BELOW, best, detail, tries, spent)


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".strip()
