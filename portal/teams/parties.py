"""Who hands in together: a student alone, or the team that they are in; and what holds for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from portal.courses.models import Offering, Role
from portal.courses.policy import Conditions, conditions
from portal.grants.service import conditions_of_team
from portal.teams.service import roll_of, size_of


@dataclass(frozen=True)
class Party:
    """Who hands in together."""

    members: tuple[int, ...]  # their enrolments
    team_id: int | None = None  # None: one person, of whom no team is written down


def party_of(
    session: Session, offering: Offering, enrolment_id: int, *, until: datetime | None = None
) -> Party:
    """Return with whom somebody hands in now, or did at an instant.

    Staff, who only try a lab out, and whoever has left the term are in nobody's party.
    """
    alone = Party((enrolment_id,))
    if size_of(offering) < 2:
        return alone
    roll = roll_of(session, offering.id, until=until)
    team = roll.team_of(enrolment_id)
    if team is None:
        return alone
    members = tuple(
        one.id for one in roll.members[team.id] if one.active and one.role is Role.STUDENT
    )
    return Party(members, team.id) if enrolment_id in members else alone


def conditions_here(session: Session, offering: Offering, enrolment_id: int | None) -> Conditions:
    """Return what holds for somebody and their team now; for None, what holds for everybody."""
    if enrolment_id is None:
        return conditions(offering)
    return conditions_of_team(session, party_of(session, offering, enrolment_id).members, offering)
