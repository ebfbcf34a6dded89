"""What this feature offers the portal."""

from __future__ import annotations

from portal.marking.listviews import blueprint
from portal.marking.models import RegradeTrial, SavedComment, TrialRun, TrialState
from portal.marking.rubricviews import blueprint as rubric
from portal.marking.trialviews import blueprint as trial
from portal.platform.feature import Audience, Feature, Menu, MenuEntry
from portal.platform.language import lazy

TRIALS = {
    TrialState.OPEN: lazy("open"),
    TrialState.APPLIED: lazy("counts"),
    TrialState.DISCARDED: lazy("discarded"),
}

FEATURE = Feature(
    name="marking",
    blueprints=(blueprint, rubric, trial),
    models=(SavedComment, RegradeTrial, TrialRun),
    menu=(
        MenuEntry(Menu.STAFF, lazy("Submissions"), "marking.submissions", place=10),
        MenuEntry(Menu.STAFF, lazy("Rubrics"), "rubric.show", place=25),
    ),
    words={TrialState: TRIALS},
    permissions={
        "marking.submissions": Audience.STAFF,
        "marking.download": Audience.STAFF,
        "marking.submission": Audience.STAFF,
        "marking.progress": Audience.STAFF,
        "marking.tell_name": Audience.INSTRUCTOR,
        "marking.mark": Audience.STAFF,
        "marking.settle_marks": Audience.STAFF,
        "marking.forget": Audience.STAFF,
        "marking.comment": Audience.STAFF,
        "marking.take_back_comment": Audience.STAFF,
        "marking.regrade_submission": Audience.STAFF,
        "marking.confirm_regrade": Audience.STAFF,
        "marking.regrade_all": Audience.STAFF,
        "trial.begin": Audience.STAFF,
        "trial.show": Audience.STAFF,
        "trial.progress": Audience.STAFF,
        "trial.count": Audience.STAFF,
        "trial.throw_away": Audience.STAFF,
        "trial.report": Audience.STAFF,
        "rubric.show": Audience.STAFF,
        "rubric.edit": Audience.STAFF,
        "rubric.change": Audience.STAFF,
    },
)
