"""Which attempt counts, and how its points come about."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event

from grader.lab.catalogue import Catalogue
from portal.courses.models import AttemptPolicy, Enrolment, Offering, OfferingKind, Term
from portal.courses.policy import conditions
from portal.platform.db import read_session, write_session
from portal.platform.errors import Invalid
from portal.runs.models import RunState
from portal.standings.counting import PointsByTests, Tried, stand
from portal.standings.judging import parse_points
from portal.standings.marks import give_mark
from portal.standings.models import ManualMark
from portal.standings.rubric import WHOLE, ManualItem
from portal.standings.scores import ScoreCard, ScoreState, scaled, score_card, scores_of
from portal.standings.table import gradebook

REPORT = ManualItem("report", "The report", Decimal(2))


DUE = datetime(2026, 9, 20, 15, 59, tzinfo=UTC)


@dataclass(frozen=True)
class Rules:
    """What a lab says to everybody."""

    opens_at: datetime = DUE - timedelta(days=14)
    due_at: datetime = DUE
    closes_at: datetime | None = DUE + timedelta(days=14)
    grace_minutes: int = 0
    late_percent: Decimal = Decimal(10)
    attempts_per_day: int | None = None
    attempts_total: int | None = None


def attempt(
    number: int,
    score: float | None,
    state: RunState | None = None,
    *,
    pending: float = 0.0,
    days_late: int = 0,
) -> Tried:
    state = state or (RunState.QUEUED if score is None else RunState.GRADED)
    graded = None if score is None else PointsByTests.of(score, 12.0, pending)
    received = DUE + timedelta(days=days_late)
    return Tried(str(number), number, received, f"run-{number}", state, graded, conditions(Rules()))


def lab(policy: AttemptPolicy = AttemptPolicy.BEST) -> Offering:
    return Offering(id=1, assignment_slug="demo", points=Decimal(14), policy=policy)


def card_of(
    offering: Offering,
    attempts: list[Tried],
    items: tuple[ManualItem, ...] = (),
    marks: dict[str, Decimal] | None = None,
) -> ScoreCard:
    found = stand((1, 1), attempts, marks or {}, policy=offering.policy)
    return score_card(offering, items, found)


scores = st.lists(
    st.one_of(st.none(), st.integers(0, 48).map(lambda quarters: quarters / 4)), max_size=6
)


@given(scores)
def test_best_takes_the_highest_of_the_graded_attempts(found):
    line = card_of(lab(), [attempt(i + 1, score) for i, score in enumerate(found)])
    graded = [score for score in found if score is not None]
    expected = scaled(Decimal(str(max(graded))), Decimal(12), Decimal(14)) if graded else None
    assert line.points == expected


@given(scores)
def test_last_takes_the_newest_graded_attempt(found):
    attempts = [attempt(i + 1, score) for i, score in enumerate(found)]
    line = card_of(lab(AttemptPolicy.LAST), attempts)
    graded = [score for score in found if score is not None]
    expected = scaled(Decimal(str(graded[-1])), Decimal(12), Decimal(14)) if graded else None
    assert line.points == expected


@given(st.integers(0, 1400), st.integers(1, 1400))
def test_a_score_within_its_scale_stays_within_the_offering(raw, most):
    points = scaled(Decimal(min(raw, most)), Decimal(most), Decimal(14))
    assert 0 <= points <= 14
    assert points == points.quantize(Decimal("0.01"))


@pytest.mark.parametrize(
    ("attempts", "given_points", "state", "points"),
    [
        pytest.param([], None, ScoreState.NONE, None, id="nothing sent"),
        pytest.param([attempt(1, None)], None, ScoreState.GRADING, None, id="waiting"),
        pytest.param(
            [attempt(1, None, RunState.NEEDS_HUMAN)], None, ScoreState.STAFF, None, id="our fault"
        ),
        pytest.param([attempt(1, 12.0)], None, ScoreState.MARKING, Decimal(12), id="unmarked"),
        pytest.param([attempt(1, 12.0)], 2, ScoreState.FINAL, Decimal(14), id="marked"),
        pytest.param(
            [attempt(1, 9.0, pending=3.0)], 2, ScoreState.STAFF, Decimal(11), id="not judged"
        ),
        pytest.param([], 2, ScoreState.NONE, None, id="marked without a submission"),
    ],
)
def test_a_missing_score_is_never_a_zero(attempts, given_points, state, points):
    marks = {} if given_points is None else {"report": Decimal(given_points)}
    line = card_of(lab(), attempts, (REPORT,), marks)
    assert (line.state, line.points) == (state, points)


@pytest.mark.parametrize("text", ["-1", "2.01", "nan", "inf", "1e9", "two", "", "0.001"])
def test_points_outside_the_scale_are_refused_with_the_scale(text):
    with pytest.raises(Invalid, match="from 0 to 2"):
        parse_points(text, REPORT)


@pytest.mark.parametrize(
    ("text", "points"), [("1.5", "1.5"), (" 2 ", "2"), ("0", "0"), ("1,25", "1.25")]
)
def test_points_are_read_as_people_write_them(text, points):
    assert parse_points(text, REPORT) == Decimal(points)


def test_the_last_mark_counts_and_the_earlier_stays(classroom, home, make_user):
    ada = classroom.enrol("ada")
    author = make_user("tess")
    with write_session(classroom.engine) as session:
        feedback = next(
            one
            for one in session.get_one(Term, classroom.term.id).offerings
            if one.kind is OfferingKind.FEEDBACK
        )
        for points in ("5", "3"):
            give_mark(
                session,
                Catalogue(home),
                enrolment=session.get_one(Enrolment, ada.id),
                offering=feedback,
                item_id=WHOLE,
                points=points,
                comment="",
                author_id=author.id,
                now=ada.user.created_at,
            )
    with read_session(classroom.engine) as session:
        line = scores_of(session, session.get_one(Enrolment, ada.id), Catalogue(home))[feedback.id]
        assert (line.points, line.state) == (Decimal(3), ScoreState.FINAL)
        assert session.query(ManualMark).count() == 2


def test_the_standard_scheme_adds_up_to_a_hundred(classroom, home):
    with read_session(classroom.engine) as session:
        book = gradebook(session, Catalogue(home), session.get_one(Term, classroom.term.id))
        assert book.max_total == 100


@pytest.mark.parametrize("people", [2, 12])
def test_the_gradebook_takes_as_many_queries_for_twelve_as_for_two(classroom, home, people):
    for number in range(people):
        classroom.send(classroom.enrol(f"student{number}"), 3.0, 7.0, None)
    statements = []
    event.listen(classroom.engine, "after_cursor_execute", lambda *args: statements.append(args[2]))
    with read_session(classroom.engine) as session:
        book = gradebook(session, Catalogue(home), session.get_one(Term, classroom.term.id))
        assert [row.total for row in book.rows] == [Decimal(7)] * people
    assert sum(text.lstrip().startswith("SELECT") for text in statements) <= 6


LATE = [
    pytest.param([(6, 0), (6, 0)], 2, "6", id="of equal ones the latest"),
    pytest.param([(12, 3), (9, 0)], 2, "9", id="late and better is worth less"),
    pytest.param([(12, 1), (9, 0)], 1, "10.8", id="late and still worth more"),
    pytest.param([(9, 0), (10, 1)], 2, "9", id="equal in worth: the latest"),
]


@pytest.mark.parametrize(("found", "number", "raw"), LATE)
def test_the_best_attempt_is_the_one_worth_most_after_its_lateness(found, number, raw):
    attempts = [attempt(n + 1, s, days_late=days) for n, (s, days) in enumerate(found)]
    card = card_of(lab(), attempts)
    assert card.counted.attempt == number
    assert card.points == scaled(Decimal(raw), Decimal(12), Decimal(14))


@given(
    st.integers(0, 48), st.integers(0, 4), st.integers(0, 12), st.booleans(), st.integers(0, 3000)
)
def test_a_card_adds_up_to_its_points(quarters, given_points, days, marked, weight):
    lab = Offering(
        id=1, assignment_slug="demo", points=Decimal(weight) / 100, policy=AttemptPolicy.BEST
    )
    marks = {"report": Decimal(given_points) / 2} if marked else {}
    card = card_of(lab, [attempt(1, quarters / 4, days_late=days)], (REPORT,), marks)
    assert card.raw == card.by_tests + card.by_hand and card.max_raw == 14
    assert card.points == scaled(card.raw * card.late_factor, card.max_raw, lab.points)
    assert 0 <= card.points <= card.max_points
