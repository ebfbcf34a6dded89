"""Staff's page of teams: whose teams a lab may copy, and what it reads to know."""

from itertools import pairwise

import pytest
from sqlalchemy import event, select
from support.portal import START

from portal.courses.models import Offering, OfferingKind, Term
from portal.labs import teaming
from portal.platform.db import read_session, write_session
from portal.teams import service as teams
from portal.teams.models import Team, TeamMove


@pytest.fixture
def offerings(site):
    """The ids of the term's labs, of which none takes teams yet, and of its competition."""
    with read_session(site.engine) as session:
        found = session.get_one(Term, site.term.id).offerings
        labs = [one.id for one in found if one.kind is OfferingKind.LAB]
        (competition,) = [one.id for one in found if one.kind is OfferingKind.COMPETITION]
    return labs, competition


def open_to_teams(site, *offering_ids):
    with write_session(site.engine) as session:
        for number in offering_ids:
            session.get_one(Offering, number).team_size = 2


def form_teams(site, offering_id, pairs, first=0):
    """Form a team of each two people, numbered from `first`; return the teams' ids."""
    with write_session(site.engine) as session:
        found = [
            Team(offering_id=offering_id, name=f"team {number}", created_at=START)
            for number in range(first, first + len(pairs))
        ]
        session.add_all(found)
        session.flush()
        for team, pair in zip(found, pairs, strict=True):
            for one in pair:
                move = {"enrolment_id": one.id, "author_id": one.user_id, "at": START}
                session.add(TeamMove(team_id=team.id, **move))
        return [team.id for team in found]


def listed(site):
    with read_session(site.engine) as session:
        return teaming.teams_of_labs(session, session.get_one(Term, site.term.id))


def earlier_of(site):
    """Return whose teams each lab may copy."""
    return {one.offering.id: [other.id for other in one.earlier] for one in listed(site)}


def test_a_lab_may_copy_the_teams_of_all_that_have_any_the_newest_first(site, offerings):
    (first, second, third, fourth, *_), competition = offerings
    assert earlier_of(site) == {}
    open_to_teams(site, first, second, third)
    assert earlier_of(site) == {first: [], second: [], third: []}
    pair = [site.make_member(name) for name in ("ada", "bo")]
    form_teams(site, first, [pair])
    form_teams(site, competition, [pair])
    form_teams(site, fourth, [pair])  # which everybody hands in alone by now
    assert earlier_of(site) == {
        first: [competition],
        second: [competition, first],
        third: [competition, first],
    }
    old, new = form_teams(site, second, [[], pair])
    with write_session(site.engine) as session:
        session.get_one(Team, old).merged_into_id = new
    assert earlier_of(site)[first] == [competition, second]


def test_a_team_that_everybody_left_is_a_team_and_another_terms_is_none(site, offerings):
    (first, second, *_), _ = offerings
    open_to_teams(site, first, second)
    form_teams(site, first, [[]])
    other = site.make_term("2027-spring")
    with read_session(site.engine) as session:
        there = session.scalars(select(Offering.id).where(Offering.term_id == other.id)).all()
    open_to_teams(site, *there)
    form_teams(site, there[0], [[site.make_member("zoe", term=other)]])
    assert earlier_of(site) == {first: [], second: [first]}


def test_the_page_names_them(site, offerings):
    (first, second, *_), _ = offerings
    open_to_teams(site, first, second)
    form_teams(site, first, [[site.make_member(name) for name in ("ada", "bo")]])
    site.make_member("cy")
    site.make_member("tess", "ta")
    page = site.log_in("tess").get(f"/staff/{site.term.slug}/teams").text
    one, two = page.partition(f'id="lab-{first}"')[2].split(f'id="lab-{second}"')
    assert "team 0" in one and "1 team" in one and "1 student hands in alone" in one
    assert 'name="earlier"' not in one
    assert "3 students hand in alone" in two
    assert f'name="earlier" required><option value="{first}">' in two


def cost(site, monkeypatch):
    """List the teams; return how many queries that took, and how many teams and people it read."""
    queries, read = [], []
    real = teams.roll_of

    def roll_of(*arguments, **options):
        roll = real(*arguments, **options)
        read.append(len(roll.teams) + len(roll.place_of))
        return roll

    def note(_connection, _cursor, statement, *_):
        queries.append(statement)

    with monkeypatch.context() as patch, read_session(site.engine) as session:
        term = session.get_one(Term, site.term.id)
        patch.setattr(teams, "roll_of", roll_of)
        event.listen(site.engine, "before_cursor_execute", note)
        teaming.teams_of_labs(session, term)
        event.remove(site.engine, "before_cursor_execute", note)
    return len(queries), sum(read)


def test_what_it_reads_grows_as_teams_and_labs_do(site, offerings, monkeypatch):
    labs, _ = offerings
    people = [site.make_member(f"student{number}") for number in range(100)]
    pairs = list(zip(people[::2], people[1::2], strict=True))
    asked = []
    for number, lab in enumerate(labs[:4], start=1):
        open_to_teams(site, lab)
        form_teams(site, lab, pairs[:5])
        queries, read = cost(site, monkeypatch)
        assert read == number * (5 + 10)
        asked.append(queries)
    more = {after - before for before, after in pairwise(asked)}
    assert more == {2}, "who went where, and the teams"
    for lab in labs[:4]:
        form_teams(site, lab, pairs[5:], first=5)
    assert cost(site, monkeypatch) == (asked[-1], 4 * (50 + 100))
