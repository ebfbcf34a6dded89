"""The settings of a term as people write them: on a page, or in a course file.

Times are of the term's clock, as they hang on its wall: 23:59 is 23:59 there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, NaiveDatetime, ValidationError
from pydantic_core import ErrorDetails

from portal.courses.models import AttemptPolicy, Offering, OfferingKind, Term
from portal.courses.words import WORDS
from portal.platform.errors import Invalid
from portal.platform.language import Phrase, gettext, lazy
from portal.standings.criteria import LONGEST_DESCRIPTION, LONGEST_TITLE

MOST_POINTS = 1000
MOST_GRACE = 24 * 60
MOST_ATTEMPTS = 10_000
LARGEST_TEAM = 10
MOST_LATE_DAYS = 365
MOST_PLEDGE = 2000  # characters

# Beyond these years a zone's clock, a grace or the end of a minute leaves the calendar.
YEARS = (2000, 2200)
Moment = Annotated[NaiveDatetime, Field(ge=datetime(YEARS[0], 1, 1), lt=datetime(YEARS[1], 1, 1))]
Settings = TypeVar("Settings", bound=BaseModel)
Attempts = Annotated[int, Field(ge=1, le=MOST_ATTEMPTS)] | None


class CriterionSettings(BaseModel):
    """One criterion of the rubric by which people mark an item."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    item: str = Field(min_length=1, max_length=80)
    title: str = Field(min_length=1, max_length=LONGEST_TITLE)
    points: Decimal = Field(ge=-MOST_POINTS, le=MOST_POINTS, decimal_places=2)
    description: str = Field("", max_length=LONGEST_DESCRIPTION)


class OfferingSettings(BaseModel):
    """What can be set of one thing that a term offers, in the order in which people read it."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    title: str = Field(min_length=1, max_length=200)
    kind: OfferingKind = OfferingKind.LAB
    assignment: str | None = Field(None, max_length=40)
    variants: tuple[str, ...] = ()
    points: Decimal = Field(ge=0, le=MOST_POINTS, decimal_places=2)
    opens: Moment
    due: Moment
    closes: Moment | None = None
    grace_minutes: int = Field(0, ge=0, le=MOST_GRACE)
    late_percent: Decimal = Field(Decimal(0), ge=0, le=100, decimal_places=2)
    attempts_per_day: Attempts = None
    attempts_total: Attempts = None
    score_past_limit: bool = False
    counts: AttemptPolicy = AttemptPolicy.BEST
    team_size: int | None = Field(None, ge=1, le=LARGEST_TEAM)
    teams_lock: Moment | None = None
    anonymous: bool = False
    two_marks_within: Decimal | None = Field(None, ge=0, le=MOST_POINTS, decimal_places=2)
    published: bool = False
    marks_published: bool = False
    criterion: tuple[CriterionSettings, ...] | None = None  # None: those that are there stay


class TermSettings(BaseModel):
    """A term and what it offers, in order."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    slug: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    title: str = Field(min_length=1, max_length=200)
    timezone: str
    late_days: int = Field(0, ge=0, le=MOST_LATE_DAYS)
    late_days_a_lab: int = Field(0, ge=0, le=MOST_LATE_DAYS)
    pledge: str = Field("", max_length=MOST_PLEDGE)
    offering: tuple[OfferingSettings, ...] = Field(max_length=100)


# What the page and the messages call each setting.
LABELS: Mapping[str, Phrase] = {
    "title": lazy("Title"),
    "kind": lazy("Kind"),
    "assignment": lazy("Assignment"),
    "variants": lazy("Variants"),
    "points": lazy("Points"),
    "opens": lazy("Opens"),
    "due": lazy("Due"),
    "closes": lazy("Closes"),
    "grace_minutes": lazy("Grace"),
    "late_percent": lazy("Late"),
    "attempts_per_day": lazy("Attempts a day"),
    "attempts_total": lazy("Attempts in all"),
    "score_past_limit": lazy("Score alone past the day's limit"),
    "counts": lazy("Counts"),
    "team_size": lazy("Team size"),
    "teams_lock": lazy("Teams lock"),
    "anonymous": lazy("Marked without names"),
    "two_marks_within": lazy("Two marks within"),
    "published": lazy("Published"),
    "marks_published": lazy("Marks published"),
}

# And those of the whole term.
TERM_LABELS: Mapping[str, Phrase] = {
    "title": lazy("Title"),
    "timezone": lazy("Time zone"),
    "late_days": lazy("Late days"),
    "late_days_a_lab": lazy("Late days a lab"),
    "pledge": lazy("Pledge"),
}


def settings_of(offering: Offering) -> OfferingSettings:
    """Return the settings of an offering as they are."""
    zone = ZoneInfo(offering.term.timezone)
    return OfferingSettings(
        title=offering.title,
        kind=offering.kind,
        assignment=offering.assignment_slug,
        variants=offering.variants,
        points=offering.points,
        opens=on_the_wall(offering.opens_at, zone),
        due=on_the_wall(offering.due_at, zone),
        closes=on_the_wall(offering.closes_at, zone) if offering.closes_at else None,
        grace_minutes=offering.grace_minutes,
        late_percent=offering.late_percent,
        attempts_per_day=offering.attempts_per_day,
        attempts_total=offering.attempts_total,
        score_past_limit=offering.score_past_limit,
        counts=offering.policy,
        team_size=offering.team_size,
        teams_lock=on_the_wall(offering.teams_lock_at, zone) if offering.teams_lock_at else None,
        anonymous=offering.anonymous,
        two_marks_within=offering.two_marks_within,
        published=offering.published,
        marks_published=offering.marks_published,
    )


def term_settings(term: Term) -> TermSettings:
    """Return the settings of a term as they are."""
    return TermSettings(
        slug=term.slug,
        title=term.title,
        timezone=term.timezone,
        late_days=term.late_days,
        late_days_a_lab=term.late_days_a_lab,
        pledge=term.pledge,
        offering=tuple(settings_of(offering) for offering in term.offerings),
    )


def put(offering: Offering, wanted: OfferingSettings, zone: ZoneInfo) -> None:
    """Write settings into an offering's row."""
    offering.title = wanted.title
    offering.kind = wanted.kind
    offering.assignment_slug = wanted.assignment
    offering.variants = wanted.variants
    offering.points = wanted.points
    offering.opens_at = instant(wanted.opens, zone)
    offering.due_at = instant(wanted.due, zone)
    offering.closes_at = instant(wanted.closes, zone) if wanted.closes else None
    offering.grace_minutes = wanted.grace_minutes
    offering.late_percent = wanted.late_percent
    offering.attempts_per_day = wanted.attempts_per_day
    offering.attempts_total = wanted.attempts_total
    offering.team_size = wanted.team_size
    offering.teams_lock_at = instant(wanted.teams_lock, zone) if wanted.teams_lock else None
    offering.score_past_limit = wanted.score_past_limit
    offering.policy = wanted.counts
    offering.anonymous = wanted.anonymous
    offering.two_marks_within = wanted.two_marks_within
    offering.published = wanted.published
    offering.marks_published = wanted.marks_published


def read_offering(values: Mapping[str, Any]) -> OfferingSettings:
    """Read settings as a form sends them, all as text. Raises Invalid with every problem."""
    return _read(OfferingSettings, values)


def read_term(values: Mapping[str, Any]) -> TermSettings:
    """Read a term's settings, as a form sends them. Raises Invalid with every problem."""
    return _read(TermSettings, values)


def _read(model: type[Settings], values: Mapping[str, Any]) -> Settings:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise Invalid("; ".join(sentence(one) for one in error.errors())) from None


def on_the_wall(instant: datetime, zone: ZoneInfo) -> datetime:
    """Return what the clock of a zone shows at an instant, to the minute: clocks show no more."""
    return instant.astimezone(zone).replace(second=0, microsecond=0, tzinfo=None)


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant at which the clock of a zone shows a time; of two, the earlier."""
    return local.replace(tzinfo=zone).astimezone(UTC)


def shown(value: object) -> Phrase | str:
    """Write a setting's value for people."""
    if value in (None, (), ""):
        return lazy("none")
    if isinstance(value, bool):
        return lazy("yes") if value else lazy("no")
    if isinstance(value, OfferingKind | AttemptPolicy):
        return WORDS[type(value)][value]
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value)


_PROBLEMS: Mapping[str, Phrase] = {
    "missing": lazy("is missing"),
    "extra_forbidden": lazy("is no setting"),
    "int_parsing": lazy("is to be a whole number"),
    "int_type": lazy("is to be a whole number"),
    "int_from_float": lazy("is to be a whole number"),
    "decimal_parsing": lazy("is to be a number"),
    "decimal_type": lazy("is to be a number"),
    "decimal_max_places": lazy("is finer than a hundredth"),
    "finite_number": lazy("is to be a number"),
    "bool_parsing": lazy("is to be true or false"),
    "bool_type": lazy("is to be true or false"),
    "string_type": lazy("is to be text"),
    "string_too_short": lazy("is empty"),
    "enum": lazy("is to be one of %(expected)s"),
    "greater_than_equal": lazy("is to be %(ge)s or more"),
    "less_than_equal": lazy("is to be %(le)s at most"),
    "string_too_long": lazy("is longer than %(max_length)s characters"),
    "too_long": lazy("has more than %(max_length)s entries"),
    "string_pattern_mismatch": lazy("is to be written like 2026-autumn"),
}
_TIMES = frozenset({"opens", "due", "closes", "teams_lock"})


def sentence(problem: ErrorDetails) -> str:
    """Say what is wrong with one setting, and what it should be."""
    name = str(problem["loc"][-1]) if problem["loc"] else ""
    labels = {**TERM_LABELS, **LABELS}
    label = next((str(labels[str(part)]) for part in problem["loc"] if str(part) in labels), name)
    kind = problem["type"]
    if kind in {"greater_than_equal", "less_than"} and set(problem["loc"]) & _TIMES:
        return gettext(
            "%(label)s is to lie between %(first)s and %(last)s",
            label=label,
            first=YEARS[0],
            last=YEARS[1] - 1,
        )
    if kind not in _PROBLEMS and set(problem["loc"]) & _TIMES:
        return gettext(
            "%(label)s %(text)r is no day and time; write it like 2026-11-30 23:59",
            label=label,
            text=problem["input"],
        )
    said = _PROBLEMS.get(kind, lazy("cannot be read")).filled(problem.get("ctx") or {})
    got = "" if kind in {"missing", "extra_forbidden", "string_too_short"} else " "
    return f"{label}{got}{repr(problem['input'])[:60] if got else ''} {said}"
