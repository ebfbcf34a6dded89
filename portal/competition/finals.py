"""The finals: two entries of a team, of which the one that is better on the private rows counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.competition.board import BoardStep, best_shown
from portal.competition.models import CompetitionEntry, FinalsChoice
from portal.courses.models import Enrolment
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.teams.models import Team

MOST_FINALS = 2


@dataclass(frozen=True)
class Finals:
    """The entries by which a team is ranked."""

    entries: tuple[CompetitionEntry, ...]
    chosen: bool  # False: by default, the latest and the best on the board


def finals_of(history: Sequence[BoardStep], choice: FinalsChoice | None) -> Finals:
    """Return a team's finals: those it chose that still count, else the latest and the best shown.

    `history` has the entries that count, the oldest first.
    """
    if choice is not None:
        wanted = {choice.first_id, choice.second_id}
        chosen = tuple(step.entry for step in history if step.entry.id in wanted)
        if chosen:
            return Finals(chosen, chosen=True)
    best = best_shown(history)
    latest = history[-1].entry if history else None
    by_default = dict.fromkeys(one for one in (best, latest) if one is not None)
    return Finals(tuple(by_default), chosen=False)


def choices_in(session: Session, team_ids: Collection[int]) -> dict[int, FinalsChoice]:
    """Return what teams chose last, by team."""
    newest = (
        select(func.max(FinalsChoice.id))
        .where(FinalsChoice.team_id.in_(team_ids))
        .group_by(FinalsChoice.team_id)
    )
    found = session.scalars(select(FinalsChoice).where(FinalsChoice.id.in_(newest)))
    return {choice.team_id: choice for choice in found}


def choose(
    session: Session,
    team: Team,
    wanted: Sequence[str],
    own: Iterable[CompetitionEntry],
    *,
    author: Enrolment,
    now: datetime,
) -> None:
    """Write down a team's choice; of none, that it is by default. The caller commits.

    Raises Invalid for more than two, or for an entry that is not the team's or does not count.
    """
    ids = list(dict.fromkeys(wanted))
    if len(ids) > MOST_FINALS:
        raise Invalid(gettext("choose two entries at most; %(count)s were chosen", count=len(ids)))
    if not set(ids) <= {entry.id for entry in own}:
        raise Invalid(gettext("this is no entry of yours that counts; reload the page"))
    first, second = [*ids, None, None][:MOST_FINALS]
    session.add(
        FinalsChoice(team_id=team.id, first_id=first, second_id=second, author_id=author.id, at=now)
    )
