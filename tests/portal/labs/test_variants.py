"""Each student works on, sees and is graded by the variant of the term's choice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from support.portal import Site

from grader.lab.manifest import Assignment, load_assignment
from portal.courses.models import Enrolment, Offering, Role, Term
from portal.courses.variants import Lot
from portal.labs.variants import choose_variants
from portal.platform.db import read_session, write_session
from portal.platform.errors import Invalid
from portal.platform.formats import setting
from portal.runs.grading import read_order

Member = Callable[..., Enrolment]
LogIn = Callable[[str], FlaskClient]
KEY = b"1" * 32
VARIANTS = """
default_variant = "sine"
[variants.sine]
formula = "sin x"
[variants.cosine]
formula = "cos x"
"""


@pytest.fixture
def lab(home: Path) -> Assignment:
    """The lab `demo`, with two variants."""
    folder = home / "assignments" / "demo"
    manifest = (folder / "assignment.toml").read_text()
    head, _, rest = manifest.partition("[limits]")
    default, _, tables = VARIANTS.strip().partition("\n")
    (folder / "assignment.toml").write_text(f"{head}{default}\n[limits]{rest}\n{tables}\n")
    return load_assignment(folder)


def choose(engine: Engine, lab: Assignment, *names: str) -> None:
    with write_session(engine) as session:
        choose_variants(session, "2026-autumn", lab, names)


def test_students_are_spread_over_the_variants_and_stay_where_they_are() -> None:
    lots = [Lot(1, user, ("sine", "cosine", "both")) for user in range(600)]
    drawn = [lot.draw(KEY) for lot in lots]
    assert drawn == [lot.draw(KEY) for lot in lots]
    assert all(150 < count < 250 for count in Counter(drawn).values())
    assert drawn != [lot.draw(b"2" * 32) for lot in lots]
    assert drawn != [Lot(2, lot.user_id, lot.names).draw(KEY) for lot in lots]


@pytest.mark.parametrize(("names", "expected"), [((), None), (("cosine",), "cosine")])
def test_without_several_nothing_is_drawn(names: tuple[str, ...], expected: str | None) -> None:
    assert {Lot(1, user, names).draw(KEY) for user in range(20)} == {expected}


def test_a_student_sees_only_the_variant_that_grades_them(
    engine: Engine, lab: Assignment, term: Term, make_member: Member, log_in: LogIn, classroom
) -> None:
    choose(engine, lab, "sine", "cosine")
    seen = set()
    for name in ("ada", "bo", "cy", "di", "ed", "flo"):
        member = make_member(name)
        page = log_in(name).get(f"/labs/{classroom.offering_id}/").text
        (mine,) = [one for one in ("sin x", "cos x") if one in page]
        (submission,) = classroom.send(member, 14)
        with read_session(engine) as session:
            graded = read_order(session, submission).variants.draw(KEY)
        assert lab.variant(graded) == {"formula": mine}
        seen.add(mine)
    assert seen == {"sin x", "cos x"}


def test_staff_see_every_variant_that_is_drawn(
    engine: Engine, lab: Assignment, make_member: Member, log_in: LogIn, classroom
) -> None:
    choose(engine, lab, "sine", "cosine")
    make_member("tao", Role.TA)
    page = log_in("tao").get(f"/labs/{classroom.offering_id}/").text
    assert "Each student is drawn one of these" in page
    assert "sin x" in page and "cos x" in page


def test_the_default_is_shown_too(
    lab: Assignment, make_member: Member, log_in: LogIn, classroom
) -> None:
    make_member("ada")
    page = log_in("ada").get(f"/labs/{classroom.offering_id}/").text
    assert "Your variant" in page and "sin x" in page and "cos x" not in page


@pytest.mark.parametrize(
    ("slug", "names", "complaint"),
    [
        ("2026-autumn", ["cosin"], "did you mean 'cosine'"),
        ("2026-autumn", ["sine,cosine"], "no variant 'sine,cosine'"),
        ("1999", ["sine"], "no term '1999'"),
    ],
)
def test_a_choice_that_cannot_be_is_refused(
    engine: Engine, lab: Assignment, term: Term, slug: str, names: list[str], complaint: str
) -> None:
    with write_session(engine) as session, pytest.raises(Invalid, match=complaint):
        choose_variants(session, slug, lab, names)


def test_a_lab_of_teams_has_one_variant(site: Site, term: Term, lab: Assignment) -> None:
    site.change_offering(team_size=2)
    with pytest.raises(Invalid, match="members of one would be drawn several variants"):
        choose(site.engine, lab, "sine", "cosine")
    choose(site.engine, lab, "cosine")


def test_variants_do_not_change_under_scores(
    engine: Engine, lab: Assignment, make_member: Member, classroom
) -> None:
    choose(engine, lab, "cosine")
    choose(engine, lab)
    with read_session(engine) as session:
        assert session.get_one(Offering, classroom.offering_id).variant is None
    classroom.send(make_member("ada"), 14)
    with pytest.raises(Invalid, match="handed in"):
        choose(engine, lab, "cosine")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(6.283185307179586, "6.28319"), (1.0, "1"), (True, "yes"), (False, "no"), (3, "3"),
     ([0.5, 2.0], "0.5, 2"), (["cora", "ppi"], "cora, ppi"), ("<b>", "<b>")],
)  # fmt: skip
def test_settings_are_written_for_people(value: object, shown: str) -> None:
    assert setting(value) == shown
