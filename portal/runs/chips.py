"""How outcomes of tests and states of runs look on every page: a chip of a kind and a word."""

from __future__ import annotations

from collections.abc import Mapping

from grader.api import Outcome
from portal.platform.language import Phrase, lazy
from portal.runs.models import EventKind, RunState

# A word and a kind of chip (whose symbol differs) for every outcome and state: never colour alone.
OUTCOMES: dict[Outcome, tuple[str, Phrase]] = {
    Outcome.PASSED: ("good", lazy("passed")),
    Outcome.FAILED: ("bad", lazy("wrong answer")),
    Outcome.ERROR: ("bad", lazy("raised an error")),
    Outcome.TIMEOUT: ("bad", lazy("took too long")),
    Outcome.MEMORY: ("bad", lazy("used too much memory")),
    Outcome.CRASHED: ("bad", lazy("crashed")),
    Outcome.MISSING: ("idle", lazy("did not run")),
    Outcome.UNJUDGED: ("warn", lazy("staff decide")),
}
STATES: dict[RunState, tuple[str, Phrase]] = {
    RunState.QUEUED: ("info", lazy("waiting")),
    RunState.RUNNING: ("info", lazy("being graded")),
    RunState.GRADED: ("good", lazy("graded")),
    RunState.NEEDS_HUMAN: ("warn", lazy("our fault")),
    RunState.SUPERSEDED: ("idle", lazy("replaced")),
}

# What staff read in the list of what happened to a run.
EVENTS: Mapping[EventKind, Phrase] = {
    EventKind.QUEUED: lazy("queued"),
    EventKind.STARTED: lazy("started"),
    EventKind.PROGRESS: lazy("progress"),
    EventKind.FAULT: lazy("fault"),
    EventKind.GRADED: lazy("graded"),
    EventKind.NEEDS_HUMAN: lazy("needs human"),
    EventKind.SUPERSEDED: lazy("superseded"),
}
