"""What the audit log's codes are called; whatever is no code stands as it was written."""

from __future__ import annotations

from collections.abc import Mapping

from portal.courses.models import AttemptPolicy, OfferingKind
from portal.courses.words import PLACE, WORDS
from portal.platform.language import Phrase, lazy
from portal.settings.values import LABELS

ACTIONS: Mapping[str, Phrase] = {
    "attempt.choose": lazy("attempt: choose"),
    "attempt.choose_none": lazy("attempt: take a choice back"),
    "comment.take_back": lazy("comment on a line: take back"),
    "comment.write": lazy("comment on a line: write"),
    "competition.disqualify": lazy("competition: disqualify"),
    "competition.finalise": lazy("competition: write the result"),
    "competition.fresh": lazy("competition: fresh set"),
    "competition.labels": lazy("competition: labels"),
    "competition.readmit": lazy("competition: take a disqualification back"),
    "competition.refused": lazy("competition: refused"),
    "competition.rerun": lazy("competition: run again"),
    "competition.rerun_cancel": lazy("competition: cancel running again"),
    "competition.source": lazy("competition: source sent"),
    "gradebook.download": lazy("gradebook: download"),
    "grant.give": lazy("grant: give"),
    "grant.take_back": lazy("grant: take back"),
    "login.failed": lazy("login: failed"),
    "mark.by_rubric": lazy("mark: by a changed rubric"),
    "mark.give": lazy("mark: give"),
    "mark.opinion": lazy("mark: give one of two"),
    "mark.settle": lazy("mark: settle two"),
    "roster.change": lazy("roster: change"),
    "roster.import": lazy("roster: import"),
    "rubric.change": lazy("rubric: change"),
    "settings.add": lazy("settings: add"),
    "settings.change": lazy("settings: change"),
    "settings.export": lazy("settings: export"),
    "settings.remove": lazy("settings: remove"),
    "settings.term": lazy("settings: term"),
    "student.reveal": lazy("student: reveal"),
    "submission.download": lazy("submission: download"),
    "submission.refused": lazy("submission: refused"),
    "submission.regrade": lazy("submission: regrade"),
    "submission.rejected": lazy("submission: rejected"),
    "submission.view": lazy("submission: view"),
    "team.invite": lazy("team: invite"),
    "team.join": lazy("team: join"),
    "team.leave": lazy("team: leave"),
    "team.move": lazy("team: move by staff"),
    "team.rename": lazy("team: rename"),
    "trial.apply": lazy("trial of a regrade: let count"),
    "trial.begin": lazy("trial of a regrade: begin"),
    "trial.discard": lazy("trial of a regrade: discard"),
}
_KEYS: Mapping[str, Phrase] = {
    "address": lazy("address"),
    "after": lazy("after"),
    "attempt": lazy("attempt"),
    "attempts": lazy("attempts"),
    "before": lazy("before"),
    "changes": lazy("changes"),
    "comment": lazy("comment"),
    "create": lazy("create"),
    "criteria": lazy("criteria"),
    "due_at": lazy("due at"),
    "enrol": lazy("enrol"),
    "entries": lazy("entries"),
    "entry": lazy("entry"),
    "first": lazy("first"),
    "item": lazy("item"),
    "keep": lazy("keep"),
    "marks": lazy("marks"),
    "offering": lazy("offering"),
    "person": lazy("person"),
    "place": lazy("place"),
    "points": lazy("points"),
    "problems": lazy("problems"),
    "reason": lazy("reason"),
    "reasons": lazy("reasons"),
    "rows": lazy("rows"),
    "run": lazy("run"),
    "submission": lazy("submission"),
    "submissions": lazy("submissions"),
    "team": lazy("team"),
    "teams": lazy("teams"),
    "title": lazy("title"),
    "trial": lazy("trial"),
    "update": lazy("update"),
    "Zone": lazy("Zone"),
    **PLACE,
    **{phrase.text: phrase for phrase in LABELS.values()},
}
_VALUES: Mapping[str, Phrase] = {
    "taken back": lazy("taken back"),
    "whole": lazy("whole"),
    **PLACE,
    **{
        phrase.text: phrase
        for kind in (OfferingKind, AttemptPolicy)
        for phrase in WORDS[kind].values()
    },
}


def act(code: str) -> str:
    """Return what an action is called."""
    return str(ACTIONS.get(code) or code.replace(".", ": ").replace("_", " "))


def detail(key: str) -> str:
    """Return what a key of an entry's details is called."""
    return str(_KEYS.get(key) or key.replace("_", " "))


def value(written: object) -> str:
    """Return what a value of an entry's details says."""
    text = str(written)
    return str(_VALUES.get(text) or text)
