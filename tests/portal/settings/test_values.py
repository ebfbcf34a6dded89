"""Settings as text and back: the form, the course file, and what is said of a wrong one."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from portal.courses.models import AttemptPolicy, OfferingKind
from portal.platform.errors import Invalid
from portal.settings.coursefile import next_term, read_course, write_course
from portal.settings.form import fields_of, read_form
from portal.settings.values import CriterionSettings, OfferingSettings, TermSettings

words = st.text(
    st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=40
).map(str.strip).filter(bool)  # fmt: skip
minutes = st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1)).map(
    lambda moment: moment.replace(second=0, microsecond=0)
)
cents = st.integers(0, 10_000).map(lambda number: Decimal(number) / 100)
attempts = st.none() | st.integers(1, 10_000)
offerings = st.builds(
    OfferingSettings,
    title=words,
    kind=st.sampled_from(OfferingKind),
    assignment=st.none() | st.sampled_from(["fnn", "gcn"]),
    variants=st.lists(st.sampled_from(["ag", "yelp", "b-2"]), unique=True).map(tuple),
    points=cents,
    opens=minutes,
    due=minutes,
    closes=st.none() | minutes,
    grace_minutes=st.integers(0, 1440),
    late_percent=cents,
    attempts_per_day=attempts,
    attempts_total=attempts,
    score_past_limit=st.booleans(),
    counts=st.sampled_from(AttemptPolicy),
    team_size=st.none() | st.integers(1, 10),
    teams_lock=st.none() | minutes,
    anonymous=st.booleans(),
    two_marks_within=st.none() | cents,
    published=st.booleans(),
    marks_published=st.booleans(),
)
criteria = st.builds(
    CriterionSettings,
    item=words,
    title=words,
    points=st.integers(-1000, 1000).map(lambda number: Decimal(number) / 100),
    description=st.just("") | words,
)
offerings_with_criteria = st.builds(
    lambda one, some: one.model_copy(update={"criterion": some}),
    offerings,
    st.none() | st.lists(criteria, min_size=1, max_size=3).map(tuple),
)
terms = st.builds(
    TermSettings,
    slug=st.from_regex(r"[a-z0-9][a-z0-9-]{0,39}", fullmatch=True),
    title=words,
    timezone=st.sampled_from(["UTC", "Asia/Shanghai"]),
    late_days=st.integers(0, 365),
    late_days_a_lab=st.integers(0, 365),
    pledge=st.just("") | words,
    offering=st.lists(offerings_with_criteria, max_size=4).map(tuple),
)


@given(offerings)
def test_a_form_that_was_shown_and_sent_back_changes_nothing(settings):
    assert read_form(fields_of(settings)) == settings


@given(terms)
def test_a_course_file_reads_back_as_it_was_written(settings):
    assert read_course(write_course(settings).encode()) == settings


@given(st.binary(max_size=200) | words.map(str.encode))
def test_any_bytes_are_read_or_refused(data):
    with pytest.raises(Invalid):
        read_course(data)


HEAD = 'slug = "t"\ntitle = "T"\ntimezone = "UTC"\n'
ENTRY = (
    '[[offering]]\ntitle = "Lab 1"\npoints = 14\nopens = 2026-09-07\ndue = 2026-09-20T23:59:00\n'
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "slug is missing"),
        (HEAD.replace('"t"', '"T 1"') + ENTRY, "slug 'T 1' is to be written like 2026-autumn"),
        (HEAD + ENTRY + "poinst = 3\n", "offering 1 (Lab 1): poinst is no setting"),
        (HEAD + ENTRY.replace("14", "-1"), "offering 1 (Lab 1): Points -1 is to be 0 or more"),
        (HEAD + ENTRY.replace("14", "1.234"), "Points Decimal('1.234') is finer than a hundredth"),
        (HEAD + ENTRY.replace("14", '"many"'), "Points 'many' is to be a number"),
        (HEAD + ENTRY.replace("2026-09-07", '"soon"'), "Opens 'soon' is no day and time"),
        (HEAD + ENTRY.replace("23:59:00", "23:59:00Z"), "is no day and time; write it like"),
        (HEAD + ENTRY + 'counts = "first"\n', "Counts 'first' is to be one of"),
        (HEAD + ENTRY + "grace_minutes = 0.5\n", "Grace Decimal('0.5') is to be a whole number"),
        (HEAD + ENTRY + "attempts_total = 0\n", "Attempts in all 0 is to be 1 or more"),
        (HEAD + "[[offering]]\npoints = 1\n", "offering 1: Title is missing"),
        ("slug = ", "the file is not TOML"),
        (f"slug = {'9' * 5000}", "the file is not TOML"),
        (HEAD + ENTRY.replace("2026-09-07", "0001-01-01"), "Opens is to lie between 2000 and 2199"),
        (HEAD + ENTRY.replace("2026-09-20", "9999-12-31"), "Due is to lie between 2000 and 2199"),
        ("\ufeff" + HEAD, "offering is missing"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_all_of_it_at_once(text, message):
    with pytest.raises(Invalid) as told:
        read_course(text.encode())
    assert message in str(told.value)


def test_every_problem_of_a_file_is_told_at_once():
    text = HEAD + ENTRY.replace("14", "-1") + ENTRY.replace("2026-09-07", "1")
    with pytest.raises(Invalid, match=r"offering 1 .*Points.*; offering 2 .*Opens"):
        read_course(text.encode())


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"a = " + b"[" * 100_000, b" " * 200_001])
def test_files_of_another_kind_are_refused_in_a_sentence(data):
    with pytest.raises(Invalid, match="the file"):
        read_course(data)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("title", "  ", "Title is empty"),
        ("points", "x", "Points 'x' is to be a number"),
        ("points", "nan", "is to be a number"),
        ("due", "2026-13-01T00:00", "Due '2026-13-01T00:00' is no day and time"),
        ("due", "", "is no day and time"),
        ("due", "9999-12-31T23:59", "Due is to lie between 2000 and 2199"),
        ("grace_minutes", "1.5", "Grace '1.5' is to be a whole number"),
        ("late_percent", "101", "is to be 100 at most"),
        ("kind", "exam", "is to be one of"),
    ],
)
def test_a_wrong_field_is_named_as_the_page_names_it(field, value, message):
    settings = OfferingSettings(
        title="L", points=Decimal(1), opens=datetime(2026, 9, 7), due=datetime(2026, 9, 8)
    )
    with pytest.raises(Invalid) as told:
        read_form(fields_of(settings) | {field: value})
    assert message in str(told.value)


@given(terms.filter(lambda term: term.offering), st.dates(date(2027, 1, 1), date(2030, 1, 1)))
def test_the_next_term_begins_on_its_day_and_keeps_every_distance(settings, first_day):
    begun = min(one.opens for one in settings.offering)
    moments = [
        moment
        for one in settings.offering
        for moment in (one.opens, one.due, one.closes, one.teams_lock)
    ]
    by = datetime.combine(first_day, begun.time()) - begun
    assume(all(2000 <= (moment + by).year < 2200 for moment in moments if moment))
    moved = next_term(settings, slug="next", title="Next", first_day=first_day)
    begins = min(one.opens for one in moved.offering)
    assert begins.date() == first_day
    by = begins - min(one.opens for one in settings.offering)
    assert by % timedelta(days=1) == timedelta(0)
    for old, new in zip(settings.offering, moved.offering, strict=True):
        assert (new.opens - old.opens, new.due - old.due) == (by, by)
        assert old.teams_lock is None or new.teams_lock - old.teams_lock == by
        assert not new.published and not new.marks_published
        assert new.points == old.points


def test_a_first_day_beyond_the_calendar_is_refused():
    one = OfferingSettings(
        title="L", points=Decimal(1), opens=datetime(2026, 9, 7), due=datetime(2027, 9, 8)
    )
    term = TermSettings(slug="t", title="T", timezone="UTC", offering=(one,))
    with pytest.raises(Invalid, match="too far away"):
        next_term(term, slug="n", title="N", first_day=date(9999, 12, 31))
    with pytest.raises(Invalid, match="too far away"):
        next_term(term, slug="n", title="N", first_day=date(2199, 12, 1))
