"""How outcomes of tests and states of runs look on every page: a chip of a kind and a word."""

from __future__ import annotations

from grader.api import Outcome
from portal.runs.models import RunState

# A word and a kind of chip (whose symbol differs) for every outcome and state: never colour alone.
OUTCOMES: dict[Outcome, tuple[str, str]] = {
    Outcome.PASSED: ("good", "passed"),
    Outcome.FAILED: ("bad", "wrong answer"),
    Outcome.ERROR: ("bad", "raised an error"),
    Outcome.TIMEOUT: ("bad", "took too long"),
    Outcome.MEMORY: ("bad", "used too much memory"),
    Outcome.CRASHED: ("bad", "crashed"),
    Outcome.MISSING: ("idle", "did not run"),
    Outcome.UNJUDGED: ("warn", "staff decide"),
}
STATES: dict[RunState, tuple[str, str]] = {
    RunState.QUEUED: ("info", "waiting"),
    RunState.RUNNING: ("info", "being graded"),
    RunState.GRADED: ("good", "graded"),
    RunState.NEEDS_HUMAN: ("warn", "our fault"),
    RunState.SUPERSEDED: ("idle", "replaced"),
}
