"""A demo course whose results come from real grading.

`build_demo` fills an instance that `portal init` has set up: a term with every lab of the course,
its people, and what they hand in (`portal.demo.uploads`), two of them one lab together. A worker
grades it like anything else, the first lab's before the others'. The competition's data are drawn,
so that it takes entries, and rivals have made some (`portal.demo.teams`). Building it again adds
nothing and returns the same logins.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from grader.api import Assignment, Catalogue, Lab, draw, files_of
from portal.competition.labels import set_labels
from portal.competition.opening import installed_labels
from portal.courses.models import Enrolment, Offering, OfferingKind, Role, Term
from portal.courses.service import create_term, enrol
from portal.demo.teams import RIVALS, TEAM_LAB, compete, team_up
from portal.demo.uploads import WITHOUT_DATA, few_uploads, hand_in, uploads
from portal.people.models import User
from portal.people.service import create_user, find_user
from portal.platform.config import PortalConfig
from portal.platform.db import make_engine, read_session, write_session
from portal.platform.engine import DbosEngine, prepare
from portal.platform.errors import ConfigError
from portal.platform.passwords import Passwords
from portal.platform.store import Store

TERM = "demo-2026"
LABS = ("fnn", "cnn", "text", "gcn", "gan")  # in the course's order
COMPETITION = "wardrobe"
COMPETITION_DATA = "competition-data"  # below the instance: what students get, and the labels
STUDENTS, STAFF = "students", "staff"  # their folders in it
DRAWN = "drawn"  # its variant that any machine can draw
ZONE = "Asia/Shanghai"
COMPETITION_DAYS = 7  # that it lasts longer than the first lab
OPEN_DAYS = 14  # every lab is open when the demo is built, and due one after the other


@dataclass(frozen=True)
class Person:
    """Somebody in the demo course."""

    username: str
    name: str
    role: Role = Role.STUDENT


PEOPLE = (
    Person("ines", "Ines Instructor", Role.INSTRUCTOR),
    Person("tao", "Tao Assistant", Role.TA),
    Person("ada", "Ada Lovelace"),
    Person("chen", "陈景润"),
    Person("emmy", "Emmy Noether"),
    Person("grace", "Grace Hopper"),
    Person("karl", "Karl Weierstrass"),
    Person("sofia", "Sofia Kovalevskaya"),
)


@dataclass(frozen=True)
class Login:
    """An account of the demo course, for the person who tries it out."""

    username: str
    password: str
    role: Role


@dataclass(frozen=True)
class Demo:
    """What was built."""

    logins: tuple[Login, ...]
    submissions: int  # uploads that this call added; 0 if they were there
    data: Path | None  # what students get for the competition; None if there is none to enter

    def lines(self) -> list[str]:
        """Return what to print: every login, one a line, and where a file to enter lies."""
        logins = [f"{one.role:<12} {one.username:<8} {one.password}" for one in self.logins]
        return [*logins, f"Data of the competition: {self.data}"] if self.data else logins


def build_demo(config: PortalConfig, *, now: datetime) -> Demo:
    """Add the demo course to an instance and queue its uploads.

    Raises ConfigError if the staff's half of the lab is not on this machine.
    """
    labs = _labs(config)
    logins = build_people(config, now=now)
    prepare(config.database_url)
    engine = make_engine(config.database_url)
    jobs, store = DbosEngine(config.database_url), Store(config.store)
    try:
        added = 0
        _team_up(engine, now)
        for lab in labs:
            sent = uploads(lab) if lab is labs[0] else few_uploads(lab)
            added += hand_in(store, engine, jobs, lab, sent, term=TERM, now=now)
        data = _draw_data(config, engine)
        if data is not None:
            _compete(config, engine, now)
    finally:
        jobs.close()
        engine.dispose()
    return Demo(logins, added, data)


def build_people(config: PortalConfig, *, now: datetime) -> tuple[Login, ...]:
    """Add the demo's term and accounts, without uploads, and return the accounts' logins."""
    labs = _labs(config)
    engine = make_engine(config.database_url)
    try:
        with write_session(engine) as session:
            _people(session, config, labs, now)
    finally:
        engine.dispose()
    return tuple(Login(one.username, _password(config, one.username), one.role) for one in PEOPLE)


def _labs(config: PortalConfig) -> list[Lab]:
    """Return the course's labs in their order. Raises ConfigError without the staff's half."""
    known = {lab.assignment.slug: lab for lab in Catalogue(config.home).labs()}
    labs = [known[slug] for slug in LABS if slug in known]
    if not labs or any(lab.reference is None for lab in labs):
        raise ConfigError(
            f"the demo hands in solutions made from the folder reference, which {config.home} "
            "lacks; run it in a checkout that has the staff's files"
        )
    return labs


def _competition(config: PortalConfig) -> Assignment | None:
    """Return the course's competition, else the first there is; None if the checkout has none."""
    found = [lab.assignment for lab in Catalogue(config.home).labs()]
    ranked = [one for one in found if one.competition is not None]
    return min(ranked, key=lambda one: one.slug != COMPETITION, default=None)


def _draw_data(config: PortalConfig, engine: Engine) -> Path | None:
    """Draw the competition's data and install its labels, once; return the students' folder.

    None if no competition is offered whose data can be drawn.
    """
    with read_session(engine) as session:
        offering = _ranked(session)
    slug = offering.assignment_slug if offering else None
    if offering is None or slug is None:
        return None
    catalogue = Catalogue(config.home)
    lab, folder = catalogue.get(slug), config.instance / COMPETITION_DATA
    rules = lab.assignment.competition
    if rules is None or not rules.test or lab.reference is None:
        return None
    if not installed_labels(config, offering.id).exists():
        secret = hmac.digest(config.grading_key, b"the demo's competition", "sha256")
        variant = DRAWN if DRAWN in lab.assignment.variants else None
        for name, content in files_of(draw(lab, secret, variant=variant), rules).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        set_labels(config, engine, catalogue, TERM, slug, folder / STAFF / rules.labels)
    return folder / STUDENTS


def _ranked(session: Session) -> Offering | None:
    """Return the offering of the demo's competition."""
    return session.scalar(
        select(Offering)
        .join(Offering.term)
        .where(Term.slug == TERM, Offering.kind == OfferingKind.COMPETITION)
    )


def _team_up(engine: Engine, now: datetime) -> None:
    """Let two hand in the lab that teams hand in, if the demo has it."""
    with write_session(engine) as session:
        offering = session.scalar(
            select(Offering)
            .join(Offering.term)
            .where(Term.slug == TERM, Offering.assignment_slug == TEAM_LAB)
        )
        if offering is not None:
            team_up(session, offering, actor_id=_leader(session), now=now)


def _compete(config: PortalConfig, engine: Engine, now: datetime) -> None:
    """Enrol the rivals and let them enter the competition, whose labels are installed."""
    people = [Person(*one) for rivals in RIVALS for one in rivals.people.items()]
    with write_session(engine) as session:
        offering = _ranked(session)
        if offering is None:
            return
        _enrol_all(session, config, offering.term, people, now)
        offering_id, leader = offering.id, _leader(session)
    compete(config, engine, Catalogue(config.home), offering_id, actor_id=leader)


def _leader(session: Session) -> int:
    """Return the account of the demo's instructor."""
    name = next(one.username for one in PEOPLE if one.role is Role.INSTRUCTOR)
    return session.scalars(select(User.id).where(User.username == name)).one()


def _people(session: Session, config: PortalConfig, labs: Sequence[Lab], now: datetime) -> None:
    term = session.scalar(select(Term).where(Term.slug == TERM))
    if term is None:
        first_day = now.astimezone(ZoneInfo(ZONE)).date() - timedelta(days=7)
        term = create_term(
            session,
            slug=TERM,
            title="Deep Learning (demo)",
            timezone=ZONE,
            labs=[lab.assignment for lab in labs],
            first_day=first_day,
            competition=_competition(config),
        )
        for lab, offering in zip(labs, term.offerings, strict=False):
            offering.opens_at = term.offerings[0].opens_at
            offering.due_at = term.offerings[0].due_at + timedelta(OPEN_DAYS * offering.position)
            if WITHOUT_DATA in lab.assignment.variants:
                offering.variants = (WITHOUT_DATA,)
            if lab.assignment.slug == TEAM_LAB:
                offering.team_size, offering.teams_lock_at = 2, offering.due_at
        for offering in term.offerings:
            if offering.kind is OfferingKind.COMPETITION:
                offering.opens_at = term.offerings[0].opens_at
                offering.due_at = term.offerings[0].due_at + timedelta(COMPETITION_DAYS)
                offering.teams_lock_at = term.offerings[0].due_at
        session.flush()
    _enrol_all(session, config, term, PEOPLE, now)


def _enrol_all(
    session: Session, config: PortalConfig, term: Term, people: Sequence[Person], now: datetime
) -> None:
    """Give everybody an account and a place in the term who has none yet."""
    passwords = Passwords(config.password_cost)
    for person in people:
        user = find_user(session, person.username) or create_user(
            session,
            passwords,
            username=person.username,
            display_name=person.name,
            password=_password(config, person.username),
            now=now,
        )
        if not _enrolled(session, term.id, user.id):
            enrol(session, term, user, person.role)


def _enrolled(session: Session, term_id: int, user_id: int) -> bool:
    query = select(Enrolment.id).where(Enrolment.term_id == term_id, Enrolment.user_id == user_id)
    return session.scalar(query) is not None


def _password(config: PortalConfig, username: str) -> str:
    """Derive a demo password: the same on every call, and not to be guessed from outside."""
    digest = hmac.new(config.secret_key.encode(), f"demo:{username}".encode(), hashlib.sha256)
    return base64.b32encode(digest.digest()).decode().lower()[:12]
