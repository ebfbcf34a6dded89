"""A season through the pages with the clock set, and what attacks on the board are worth."""

import random
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select
from support.competition import CLASSES, PUBLIC, ROWS, Arena, as_csv, truth
from support.portal import open_site
from support.season import make_players, ordered_by_chance, ordered_right, play, results

from grader.api import Catalogue, Ladder
from portal.competition.finish import result_of
from portal.competition.opening import competition_of, judge_of
from portal.courses.models import Offering
from portal.platform.db import read_session
from portal.standings.models import ManualMark

TEAMS, DAYS = 12, 8
MANY_TEAMS, WHOLE_DAYS = 40, 21
PRIVATE = ROWS - PUBLIC


@pytest.fixture
def judge(arena, site):
    """The judge of the competition, to compare the pages with."""
    return judge_at(arena, site)


def judge_at(arena, site):
    """Return the judge of a portal's competition."""
    with read_session(site.engine) as session:
        offering = session.get_one(Offering, arena.offering_id)
        return judge_of(site.config, competition_of(Catalogue(site.config.home), offering))


def test_a_season_ends_in_the_order_of_skill_and_pages_say_what_the_engine_says(arena, tess, judge):
    skills = [0.45 + 0.045 * number for number in range(TEAMS)]
    players = make_players(arena, skills, pairs=2, seed=1)
    play(arena, players, days=DAYS, a_day=1)
    shown = players[0].who.board()
    frozen = {}
    for player in players:  # the last day's entry came after the freeze
        scores = [judge.scores(judge.read(data)) for data in player.sent]
        frozen[player.name] = Ladder(0.01).shown([one.public for one in scores[:-1]])
        assert float(shown[player.name][1]) == pytest.approx(frozen[player.name])
    for player in players:
        better = sum(number > frozen[player.name] for number in frozen.values())
        assert int(shown[player.name][0]) == 1 + better
    found = results(arena, tess)
    assert ordered_right(players, found) > 0.9
    places = [place for place, _ in found.values()]
    assert places == sorted(places) and places[0] == 1
    for player in players:
        best = max(
            judge.scores(judge.read(data)).private
            for data in (player.sent[-1], player.sent[_moved_last(judge, player.sent[:-1])])
        )
        assert found[player.name][1] == pytest.approx(best, abs=1e-4)
    expected = {one.team: one.rank for one in judge.standings(_finals(judge, players))}
    assert {name: place for name, (place, _) in found.items()} == expected


@dataclass(frozen=True)
class WholeSeason:
    """What came of a season: what is written down, and what pages and simulation are held to."""

    places: tuple  # of each team: its name, place, whether tied, score, points
    marks: tuple  # of each student: the points that were written down
    ordered: float


def whole_season(folder):
    """Play 40 teams of two through 21 days, and check what is shown and written down."""
    folder.mkdir()
    with open_site(folder) as site:
        arena = Arena(site)
        site.make_member("tess", "ta")
        players = make_players(arena, SKILLS, pairs=MANY_TEAMS, seed=1)
        play(arena, players, days=WHOLE_DAYS, a_day=1)
        assert len(arena.entries()) == MANY_TEAMS * WHOLE_DAYS
        shown = results(arena, site.log_in("tess"))
        judge = judge_at(arena, site)
        standings = judge.standings(_finals(judge, players))
        with read_session(site.engine) as session:
            result = result_of(session, arena.offering_id)
            places = tuple((p.name, p.place, p.tied, p.score, p.points) for p in result.places)
            marks = select(ManualMark.enrolment_id, ManualMark.points)
            marks = tuple(sorted(tuple(one) for one in session.execute(marks)))
        assert [one[:4] for one in places] == [(s.team, s.rank, s.tied, s.score) for s in standings]
        assert shown == {name: (place, round(score, 4)) for name, place, _, score, _ in places}
        check_points(places, marks)
        return WholeSeason(places, marks, ordered_right(players, shown))


def check_points(places, marks):
    """Hold points to the printed rule, worked out by hand, and marks to the points."""
    for _, place, _, score, points in places:
        fall = Decimal(10) * (place - 1) / (MANY_TEAMS - 1)
        by_rule = 25 - fall if score >= 0.4 else Decimal(12)
        assert points == by_rule.quantize(Decimal("0.01"))
    both = sorted(points for *_, points in places for _ in range(2))
    assert sorted(points for _, points in marks) == both


SKILLS = [0.45 + 0.5 * number / MANY_TEAMS for number in range(MANY_TEAMS)]


@pytest.mark.nightly
@pytest.mark.timeout(6000)
def test_40_teams_for_21_days_end_as_the_simulation_says_and_the_same_twice(tmp_path):
    first, second = (whole_season(tmp_path / name) for name in ("first", "second"))
    assert first == second
    mean, sd = ordered_by_chance(SKILLS, days=WHOLE_DAYS, seasons=300, seed=2)
    assert abs(first.ordered - mean) < 3 * sd, (first.ordered, mean, sd)


def _moved_last(judge, sent):
    """Return which entry gave a team its number."""
    scores = [judge.scores(judge.read(data)).public for data in sent]
    shown = [Ladder(0.01).shown(scores[: count + 1]) for count in range(len(scores))]
    return max(
        place for place, now in enumerate(shown) if now != (shown[place - 1] if place else None)
    )


def _finals(judge, players):
    """Return the better final of each team, by the rule and not by the portal's code."""
    found = {}
    for player in players:
        candidates = [player.sent[_moved_last(judge, player.sent[:-1])], player.sent[-1]]
        found[player.name] = max(
            candidates, key=lambda data: judge.scores(judge.read(data)).private
        )
    return found


@pytest.mark.parametrize("blocks", [False, True], ids=["coin flips", "blocks"])
def test_whoever_probes_the_board_gains_nothing_on_the_private_rows(arena, site, judge, blocks):
    """Keep what the board says is better, entry by entry, and compare with where it began."""
    mal, draw = arena.student("mal"), random.Random(5)
    best = [animal if draw.random() < 0.5 else draw.choice(CLASSES) for animal in truth()]
    start = judge.scores(judge.read(as_csv(best)))
    mal.enter(as_csv(best))
    number = float(mal.number())
    for day in range(1, 7):
        site.clock.instant = arena.opens + timedelta(days=day)
        for turn in range(5):
            tried = list(best)
            size = 60 if blocks else ROWS // 10
            first = (5 * day + turn) % 10 * 60
            rows = range(first, first + size) if blocks else draw.sample(range(ROWS), size)
            for row in rows:
                tried[row] = draw.choice(CLASSES)
            assert mal.enter(as_csv(tried)).status_code == 303
            now = float(mal.number())
            if now > number:
                best, number = tried, now
    end = judge.scores(judge.read(as_csv(best)))
    luck = (0.25 / PRIVATE) ** 0.5
    assert end.private <= start.private + 2 * luck


def test_a_second_account_is_a_team_of_its_own_and_gives_its_entries_to_nobody(arena):
    """Its owner reads two boards' numbers, and is ranked by the entries of one of them."""
    mal, second = arena.student("mal"), arena.student("second")
    for number in range(5):
        mal.enter(as_csv(truth()[:-1] + [CLASSES[number % 4]]))
        second.enter(as_csv(truth()[:-1] + [CLASSES[number % 4]]))
    assert mal.post("finals", final=[arena.entries()[1].id]).status_code == 422
    mal.invite(second)
    assert second.answer().status_code == 422, "ten entries on a day of five"


def test_the_pages_hold_no_score_that_the_board_does_not_show(arena, site, judge):
    """Of any file, neither page nor script nor header has a digit of its score too many."""
    ada = arena.student("ada")
    draw, looked_for = random.Random(3), 0
    for _ in range(5):
        animals = [one if draw.random() < 0.7 else draw.choice(CLASSES) for one in truth()]
        answer = ada.enter(as_csv(animals))
        page = ada.page()
        scores = judge.scores(judge.read(as_csv(animals)))
        told = f"{answer.headers}{answer.text}{page}"
        assert f"{scores.private:.4f}" not in told
        if len(repr(scores.private)) > len("0.85"):  # a rounder one may stand there by chance
            assert repr(scores.private) not in told
            looked_for += 1
    assert looked_for > 1
    shown = Ladder(0.01).shown([one.public_score for one in arena.entries()])
    assert ada.number() == f"{shown:.2f}"
