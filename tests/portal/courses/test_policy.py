"""Who may hand in when, how often, and what is late: the rules, by hand and by property."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.courses.policy import Granted, LateDays, OfferingState, conditions, teams_lock_at

DAY, MINUTE, TICK = timedelta(days=1), timedelta(minutes=1), timedelta(microseconds=1)
OPENS = datetime(2026, 9, 6, 16, 0, tzinfo=UTC)
DUE = datetime(2026, 9, 20, 15, 59, tzinfo=UTC)
NOT_YET, OPEN, LATE, CLOSED = OfferingState


@dataclass(frozen=True)
class Lab:
    """What an offering says to everybody."""

    opens_at: datetime = OPENS
    due_at: datetime = DUE
    closes_at: datetime | None = None
    attempts_per_day: int | None = None
    attempts_total: int | None = None
    grace_minutes: int = 0
    late_percent: Decimal = Decimal(0)


STRICT, WITH_LATE_DAY = Lab(), Lab(closes_at=DUE + DAY)
LATER, NEXT_WEEK = Granted(due_at=DUE + timedelta(hours=2)), Granted(due_at=DUE + 7 * DAY)


@pytest.mark.parametrize(
    ("lab", "granted", "at", "state"),
    [
        pytest.param(STRICT, Granted(), OPENS - TICK, NOT_YET, id="before it opens"),
        pytest.param(STRICT, Granted(), OPENS, OPEN, id="as it opens"),
        pytest.param(STRICT, Granted(), DUE, OPEN, id="as the due minute begins"),
        pytest.param(STRICT, Granted(), DUE + MINUTE - TICK, OPEN, id="as the due minute ends"),
        pytest.param(STRICT, Granted(), DUE + MINUTE, CLOSED, id="after the due minute"),
        pytest.param(WITH_LATE_DAY, Granted(), DUE + MINUTE, LATE, id="late day begins"),
        pytest.param(WITH_LATE_DAY, Granted(), DUE + DAY + MINUTE - TICK, LATE, id="late day ends"),
        pytest.param(WITH_LATE_DAY, Granted(), DUE + DAY + MINUTE, CLOSED, id="late day is over"),
        pytest.param(STRICT, NEXT_WEEK, OPENS - TICK, NOT_YET, id="more time opens nothing"),
        pytest.param(STRICT, NEXT_WEEK, DUE + MINUTE, OPEN, id="in the extension"),
        pytest.param(STRICT, NEXT_WEEK, DUE + 7 * DAY + MINUTE - TICK, OPEN, id="its last moment"),
        pytest.param(STRICT, NEXT_WEEK, DUE + 7 * DAY + MINUTE, CLOSED, id="after the extension"),
        pytest.param(WITH_LATE_DAY, LATER, DUE + MINUTE, OPEN, id="two hours more: in time"),
        pytest.param(WITH_LATE_DAY, LATER, DUE + timedelta(hours=3), LATE, id="two hours: late"),
        pytest.param(WITH_LATE_DAY, LATER, DUE + DAY, LATE, id="two hours: the late day stays"),
        pytest.param(WITH_LATE_DAY, LATER, DUE + DAY + MINUTE, CLOSED, id="two hours: over"),
        pytest.param(WITH_LATE_DAY, NEXT_WEEK, DUE + 7 * DAY, OPEN, id="a week beats the late day"),
        pytest.param(
            WITH_LATE_DAY, NEXT_WEEK, DUE + 7 * DAY + MINUTE, CLOSED, id="a week: then closed"
        ),
        pytest.param(STRICT, Granted(due_at=DUE - DAY), DUE, OPEN, id="an earlier date is nothing"),
        pytest.param(STRICT, Granted(attempts=3), DUE + MINUTE, CLOSED, id="attempts are no time"),
        pytest.param(Lab(due_at=DUE + 30 * TICK), Granted(), DUE + MINUTE - TICK, OPEN, id="ticks"),
        pytest.param(
            Lab(due_at=DUE + 59 * timedelta(seconds=1)), Granted(), DUE + MINUTE, CLOSED, id="59 s"
        ),
    ],
)
def test_how_a_lab_stands_at_an_instant(lab, granted, at, state):
    assert conditions(lab, granted).state(at) is state


@pytest.mark.parametrize(
    ("a_day", "total", "more", "today", "so_far", "left"),
    [
        (None, None, 0, 50, 500, None),
        (None, None, 3, 50, 500, None),
        (2, None, 0, 0, 9, 2),
        (2, None, 0, 2, 9, 0),
        (2, None, 1, 2, 9, 1),
        (None, 5, 0, 4, 4, 1),
        (None, 5, 0, 5, 5, 0),
        (None, 5, 2, 5, 5, 2),
        (3, 5, 0, 0, 4, 1),
        (3, 5, 0, 3, 3, 0),
        (3, 5, 0, 0, 7, 0),
        (3, 5, 10, 3, 5, 10),
        (0, None, 0, 0, 0, 0),
        (0, None, 1, 0, 0, 1),
    ],
)
def test_how_many_attempts_are_left(a_day, total, more, today, so_far, left):
    lab = Lab(attempts_per_day=a_day, attempts_total=total)
    assert conditions(lab, Granted(attempts=more)).attempts_left(today, so_far) == left


instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))
labs = st.builds(
    lambda dates, closes, a_day, total, grace, percent: Lab(
        dates[0], dates[1], dates[2] if closes else None, a_day, total, grace, Decimal(percent)
    ),
    st.lists(instants, min_size=3, max_size=3).map(sorted),
    st.booleans(),
    st.none() | st.integers(0, 5),
    st.none() | st.integers(0, 5),
    st.integers(0, 60),
    st.integers(0, 100),
)
grants = st.builds(Granted, st.none() | instants, st.integers(0, 5))
ORDER = [CLOSED, LATE, OPEN]


@given(labs, grants, instants)
def test_a_grant_never_takes_anything_away(lab, granted, at):
    plain, own = conditions(lab), conditions(lab, granted)
    before, after = plain.state(at), own.state(at)
    assert (before is NOT_YET) == (after is NOT_YET)
    if before is not NOT_YET:
        assert ORDER.index(after) >= ORDER.index(before)
    for today, so_far in ((0, 0), (3, 4)):
        few, many = plain.attempts_left(today, so_far), own.attempts_left(today, so_far)
        assert (few is None) == (many is None)
        assert few is None or few <= many <= few + granted.attempts or few == 0


@given(labs, grants)
def test_states_follow_one_another_in_order(lab, granted):
    own = conditions(lab, granted)
    assert own.opens_at <= own.due_at <= own.closes_at
    assert own.extended == (own.due_at > lab.due_at)
    seen = [own.state(own.opens_at - TICK), own.state(own.closes_at + MINUTE)]
    assert seen == [NOT_YET, CLOSED]
    assert own.state(own.due_at) is OPEN and not own.is_late(own.due_at)


HOUR = timedelta(hours=1)
TENTH = Lab(closes_at=DUE + 30 * DAY, grace_minutes=30, late_percent=Decimal(10))
THIRD = Lab(closes_at=DUE + 30 * DAY, late_percent=Decimal("33.33"))


@pytest.mark.parametrize(
    ("lab", "granted", "after_due", "days", "share"),
    [
        pytest.param(TENTH, Granted(), -HOUR, 0, "1", id="before"),
        pytest.param(TENTH, Granted(), MINUTE - TICK, 0, "1", id="the due minute"),
        pytest.param(TENTH, Granted(), 31 * MINUTE - TICK, 0, "1", id="in the grace"),
        pytest.param(TENTH, Granted(), 31 * MINUTE, 1, ".9", id="the grace is over"),
        pytest.param(TENTH, Granted(), DAY + MINUTE - TICK, 1, ".9", id="a day less a moment"),
        pytest.param(TENTH, Granted(), DAY + MINUTE, 2, ".8", id="a second day begins"),
        pytest.param(TENTH, Granted(), 9 * DAY + HOUR, 10, "0", id="the tenth day"),
        pytest.param(TENTH, Granted(), 20 * DAY, 20, "0", id="never below nothing"),
        pytest.param(TENTH, NEXT_WEEK, 7 * DAY + 31 * MINUTE - TICK, 0, "1", id="own grace"),
        pytest.param(TENTH, NEXT_WEEK, 8 * DAY, 1, ".9", id="a day after the extension"),
        pytest.param(THIRD, Granted(), DAY, 1, ".6667", id="a third"),
        pytest.param(THIRD, Granted(), 2 * DAY, 2, ".3334", id="two thirds"),
        pytest.param(WITH_LATE_DAY, Granted(), DAY, 1, "1", id="being late costs nothing"),
    ],
)
def test_what_being_late_costs(lab, granted, after_due, days, share):
    own = conditions(lab, granted)
    assert own.days_late(DUE + after_due) == days
    assert own.late_factor(DUE + after_due) == Decimal(share)


def test_without_late_uploads_they_are_taken_until_the_grace_ends():
    own = conditions(Lab(grace_minutes=15))
    assert own.state(DUE + 16 * MINUTE - TICK) is OPEN
    assert own.state(DUE + 16 * MINUTE) is CLOSED


@given(labs, grants, instants, instants)
def test_who_hands_in_later_keeps_no_more_and_a_grant_costs_nothing(lab, granted, one, other):
    earlier, later = sorted((one, other))
    own = conditions(lab, granted)
    assert 0 <= own.late_factor(later) <= own.late_factor(earlier) <= 1
    assert own.late_factor(one) >= conditions(lab).late_factor(one)
    assert own.is_late(one) or own.late_factor(one) == 1


def test_the_last_minute_of_the_calendar_is_a_due_date_like_any_other():
    last = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
    own = conditions(TENTH, Granted(due_at=last))
    assert own.state(last) is OPEN and own.days_late(last) == 0 and own.late_factor(last) == 1


@pytest.mark.parametrize(
    ("lab", "late", "available", "spent", "share"),
    [
        pytest.param(TENTH, -HOUR, 5, 0, "1", id="in time"),
        pytest.param(TENTH, HOUR, 5, 1, "1", id="one day of five"),
        pytest.param(TENTH, 3 * DAY, 2, 2, ".9", id="two of three days"),
        pytest.param(TENTH, 3 * DAY, 0, 0, ".7", id="none left"),
        pytest.param(TENTH, 20 * DAY, 2, 0, "0", id="too late for them to help"),
        pytest.param(TENTH, 10 * DAY + HOUR, 2, 2, ".1", id="they just help"),
        pytest.param(WITH_LATE_DAY, HOUR, 2, 0, "1", id="being late costs nothing"),
    ],
)
def test_late_days_are_spent_where_they_keep_points(lab, late, available, spent, share):
    own = conditions(lab)
    assert own.late_days_to_spend(DUE + late, available) == spent
    assert own.late_factor(DUE + late, spent) == Decimal(share)


@given(labs, grants, instants, st.integers(0, 9), st.integers(0, 9))
def test_late_days_never_cost_points_and_more_of_them_never_help_less(lab, granted, at, few, more):
    own = conditions(lab, granted)
    few, more = sorted((few, more))
    kept = [own.late_factor(at, own.late_days_to_spend(at, days)) for days in (0, few, more)]
    assert kept == sorted(kept) and kept[0] == own.late_factor(at) and kept[2] <= 1
    spent = own.late_days_to_spend(at, more)
    assert 0 <= spent <= min(more, own.days_late(at))
    assert spent == 0 or kept[2] > kept[0]


@given(st.integers(0, 20), st.integers(0, 20), st.lists(st.integers(0, 20), max_size=8))
def test_a_student_never_spends_more_late_days_than_the_term_gives(in_all, a_lab, wanted):
    bank, spent = LateDays(in_all, a_lab), 0
    for days in wanted:
        taken = min(days, bank.available(spent))
        assert 0 <= taken <= a_lab
        spent += taken
    assert spent <= in_all


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=10),
    st.none() | st.integers(1, 30),
)
def test_two_who_become_a_team_have_never_more_attempts_than_one_team(days, total):
    """Each hands in up to the limit day by day; they may merge once that gains them nothing."""
    per_day, zone = 3, UTC
    own = conditions(Lab(attempts_per_day=per_day, attempts_total=total))
    first = OPENS.replace(hour=0)
    used = sum(sum(day) for day in days)
    now = first + (len(days) - 1) * DAY + timedelta(hours=20)
    most = own.could_have_used(sum(days[-1]), now, zone)
    if most is not None and used <= most:
        left = own.attempts_left(sum(days[-1]), used)
        by_one_team = per_day * len(days)
        assert used + left <= (by_one_team if total is None else min(by_one_team, total))


@dataclass(frozen=True)
class Together:
    """What an offering says about teams."""

    is_ranked: bool
    opens_at: datetime = OPENS
    due_at: datetime = DUE
    teams_lock_at: datetime | None = None


@pytest.mark.parametrize(
    ("rules", "lock"),
    [
        pytest.param(Together(False), OPENS + 7 * DAY, id="a week"),
        pytest.param(Together(True), OPENS + 7 * DAY, id="a week of a competition"),
        pytest.param(Together(False, due_at=OPENS + DAY), OPENS + DAY + MINUTE, id="due sooner"),
        pytest.param(Together(True, due_at=OPENS + DAY), OPENS + DAY + MINUTE, id="over sooner"),
        pytest.param(Together(True, teams_lock_at=OPENS), OPENS + MINUTE, id="at once"),
        pytest.param(Together(True, teams_lock_at=DUE + DAY), DUE + MINUTE, id="never after it"),
        pytest.param(Together(False, teams_lock_at=DUE + DAY), DUE + DAY + MINUTE, id="late days"),
    ],
)
def test_when_teams_lock(rules, lock):
    assert teams_lock_at(rules) == lock
