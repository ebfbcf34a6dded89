"""Importing a roster: first a plan of what would change, then all of it or nothing."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from grader.api import safe_cell
from portal.audit.service import record
from portal.courses.models import Enrolment, Role, Term
from portal.courses.rosterfile import LineProblem, RosterFile, RosterLine
from portal.people.models import User
from portal.platform.config import PasswordCost
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.platform.passwords import Passwords, initial_password

# An initial password is random and long, so its hash need not be slow; it is hashed anew at the
# full cost when its owner first logs in. Three hundred accounts take a second instead of a minute.
INITIAL_COST = PasswordCost(time_cost=1, memory_kib=8192, parallelism=1)


class RosterChange(StrEnum):
    """What an import does with one line."""

    CREATE = "new account"
    ENROL = "existing account joins"
    UPDATE = "role or number changes"
    KEEP = "no change"


@dataclass(frozen=True)
class Before:
    """A person's place in the term as it is."""

    role: Role
    student_number: str
    left: bool


@dataclass(frozen=True)
class PlannedLine:
    """One line of a roster and what importing it does."""

    line: RosterLine
    change: RosterChange
    before: Before | None = None  # how it is, where it changes


@dataclass(frozen=True)
class RosterPlan:
    """What an import would do. With problems it does nothing."""

    lines: tuple[PlannedLine, ...]
    problems: tuple[LineProblem, ...]
    notices: tuple[str, ...] = ()  # sentences on what to look at before it is carried out

    def count(self, change: RosterChange) -> int:
        """Return how many lines lead to a change."""
        return sum(planned.change is change for planned in self.lines)

    @property
    def fingerprint(self) -> str:
        """A digest that differs when the import would do something else."""
        return hashlib.sha256(repr((self.lines, self.problems)).encode()).hexdigest()


@dataclass(frozen=True)
class InitialPassword:
    """A new account's first password. It is shown once and kept nowhere."""

    username: str
    name: str
    password: str


def plan_import(session: Session, term: Term, file: RosterFile, *, actor_id: int) -> RosterPlan:
    """Return what importing a file would change, and everything that stands in its way."""
    names = [line.username for line in file.lines]
    query = select(User).where(User.username.in_(names))
    users = {user.username: user for user in session.scalars(query)}
    enrolments = _by_username(session, term)
    planned = tuple(_planned(line, users, enrolments) for line in file.lines)
    problems = [*file.problems, *_conflicts(file.lines, enrolments, actor_id)]
    ordered = tuple(sorted(problems, key=lambda problem: problem.number))
    return RosterPlan(planned, ordered, (*file.notices, *_other_mails(file.lines, users)))


def prepare_passwords(plan: RosterPlan) -> dict[str, tuple[str, str]]:
    """Return (password, hash) per new username. Slow, so call it before the transaction."""
    passwords = Passwords(INITIAL_COST)
    made = {}
    for planned in plan.lines:
        if planned.change is RosterChange.CREATE:
            password = initial_password()
            made[planned.line.username] = (password, passwords.hash(password))
    return made


def apply_import(
    session: Session,
    term: Term,
    plan: RosterPlan,
    prepared: Mapping[str, tuple[str, str]],
    *,
    actor_id: int,
    now: datetime,
) -> list[InitialPassword]:
    """Carry a plan out inside the caller's transaction; return the new accounts' passwords.

    Existing accounts keep their name, e-mail and password: a roster of one term must not change
    a person's account in another. Raises Invalid if the plan has problems.
    """
    if plan.problems:
        raise Invalid(
            gettext("the roster has mistakes; mend every line that is named and import it again")
        )
    enrolments = _by_username(session, term)
    issued = []
    for planned in plan.lines:
        line = planned.line
        if planned.change is RosterChange.CREATE:
            password, hashed = prepared[line.username]
            session.add(_new_member(term, line, hashed, now))
            issued.append(InitialPassword(line.username, line.name, password))
        elif planned.change is RosterChange.ENROL:
            session.add(_join(session, term, line))
        elif planned.change is RosterChange.UPDATE:
            enrolments[line.username].role = line.role
            enrolments[line.username].student_number = line.student_number
            enrolments[line.username].active = True
    counts = {change.name.lower(): plan.count(change) for change in RosterChange}
    subject = f"term:{term.slug}"
    record(session, at=now, actor_id=actor_id, action="roster.import", subject=subject, **counts)
    return issued


def passwords_csv(issued: Sequence[InitialPassword]) -> str:
    """Return the list of first passwords as CSV, safe to open in a spreadsheet."""
    out = io.StringIO()
    out.write("\ufeff")  # else Excel garbles names
    writer = csv.writer(out)
    writer.writerow(["username", "name", "initial password"])
    for one in issued:
        writer.writerow([one.username, safe_cell(one.name), one.password])
    return out.getvalue()


def _by_username(session: Session, term: Term) -> dict[str, Enrolment]:
    query = (
        select(Enrolment).where(Enrolment.term_id == term.id).options(joinedload(Enrolment.user))
    )
    return {enrolment.user.username: enrolment for enrolment in session.scalars(query)}


def _planned(
    line: RosterLine, users: Mapping[str, User], enrolments: Mapping[str, Enrolment]
) -> PlannedLine:
    if line.username not in users:
        return PlannedLine(line, RosterChange.CREATE)
    if line.username not in enrolments:
        return PlannedLine(line, RosterChange.ENROL)
    old = enrolments[line.username]
    if old.active and (old.role, old.student_number) == (line.role, line.student_number):
        return PlannedLine(line, RosterChange.KEEP)
    before = Before(old.role, old.student_number, left=not old.active)
    return PlannedLine(line, RosterChange.UPDATE, before)


def _conflicts(
    lines: Sequence[RosterLine], enrolments: Mapping[str, Enrolment], actor_id: int
) -> list[LineProblem]:
    named = {line.username for line in lines}
    taken = {
        enrolment.student_number: username
        for username, enrolment in enrolments.items()
        if enrolment.student_number and username not in named
    }
    found = []
    for line in lines:
        if line.student_number in taken:
            owner = taken[line.student_number]
            message = gettext(
                "the student number %(number)r is %(owner)s's; mend it",
                number=line.student_number,
                owner=owner,
            )
            found.append(LineProblem(line.number, message))
        old = enrolments.get(line.username)
        if old and old.user_id == actor_id and line.role is not old.role:
            message = gettext(
                "changes your own role from %(old)s to %(new)s; leave that line out",
                old=old.role,
                new=line.role,
            )
            found.append(LineProblem(line.number, message))
    return found


def _other_mails(lines: Sequence[RosterLine], users: Mapping[str, User]) -> Iterator[str]:
    """Name existing accounts with another e-mail: perhaps they are another person's."""
    for line in lines:
        known = users[line.username].email if line.username in users else ""
        if known and line.email and known.casefold() != line.email.casefold():
            yield gettext(
                "Line %(number)s: the account %(username)s exists, with the e-mail %(email)s. "
                "Is it the same person?",
                number=line.number,
                username=line.username,
                email=known,
            )


def _new_member(term: Term, line: RosterLine, password_hash: str, now: datetime) -> Enrolment:
    user = User(
        username=line.username,
        email=line.email,
        display_name=line.name,
        password_hash=password_hash,
        must_change_password=True,
        is_admin=False,
        created_at=now,
    )
    return Enrolment(term_id=term.id, user=user, role=line.role, student_number=line.student_number)


def _join(session: Session, term: Term, line: RosterLine) -> Enrolment:
    user_id = session.scalars(select(User.id).where(User.username == line.username)).one()
    return Enrolment(
        term_id=term.id, user_id=user_id, role=line.role, student_number=line.student_number
    )
