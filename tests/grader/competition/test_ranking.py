"""Ranks count who is better beyond luck, turn nobody round, and become points as printed."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.competition import Ladder, public_rows, rank, score
from grader.competition.ranking import _better_by_resampling, _better_by_rows
from grader.lab.competition import CompetitionRules, MetricName

ACCURACY, RMSE = MetricName.ACCURACY, MetricName.RMSE
ROWS = 400


def entries(shares, rows=ROWS):
    """Return labels of zeros and a team for each share of rows that it has right."""
    draws = np.random.default_rng(7)
    labels = np.zeros((rows, 1))
    teams = {}
    for number, share in enumerate(shares):
        wrong = draws.permutation(rows) >= round(share * rows)
        teams[f"team{number:02}"] = wrong.astype(float).reshape(-1, 1)
    return teams, labels


def test_who_is_far_ahead_is_ahead_and_who_is_near_is_tied():
    teams, labels = entries([0.9, 0.5, 0.49, 0.1])
    found = {one.team: (one.rank, one.tied) for one in rank(ACCURACY, teams, labels)}
    assert found == {
        "team00": (1, False), "team01": (2, True), "team02": (2, True), "team03": (4, False),
    }  # fmt: skip


def test_one_team_is_first_and_no_team_is_no_list():
    teams, labels = entries([0.3])
    assert [one.rank for one in rank(ACCURACY, teams, labels)] == [1]
    assert rank(ACCURACY, {}, labels) == []


shares = st.lists(st.integers(0, 40).map(lambda number: number / 40), min_size=1, max_size=8)


@given(shares)
@settings(deadline=None)
def test_a_better_score_never_has_a_worse_rank_and_the_first_is_first(found):
    teams, labels = entries(found, rows=120)
    standings = rank(ACCURACY, teams, labels)
    scores = [one.score for one in standings]
    ranks = [one.rank for one in standings]
    assert scores == sorted(scores, reverse=True) and ranks == sorted(ranks)
    assert ranks[0] == 1 and all(1 <= place <= len(teams) for place in ranks)
    for one in standings:
        assert one.score == pytest.approx(score(ACCURACY, teams[one.team], labels))
        equal = [other for other in standings if other.score == one.score]
        assert {other.rank for other in equal} == {one.rank}
        assert one.tied == (ranks.count(one.rank) > 1)


def test_lower_is_better_for_an_error():
    draws = np.random.default_rng(1)
    labels = draws.normal(size=(200, 1))
    teams = {name: labels + size * draws.normal(size=(200, 1)) for name, size in
             (("rough", 2.0), ("fine", 0.1), ("middle", 0.7))}  # fmt: skip
    found = rank(RMSE, teams, labels)
    assert [(one.team, one.rank) for one in found] == [("fine", 1), ("middle", 2), ("rough", 3)]


def test_the_closed_form_agrees_with_resampling():
    teams, labels = entries([0.70, 0.68, 0.66, 0.6, 0.5, 0.69])
    right = np.stack([(team == labels)[:, 0].astype(float) for team in teams.values()])
    closed = _better_by_rows(right)
    drawn = _better_by_resampling(ACCURACY, list(teams.values()), labels)
    assert np.mean(closed == drawn) >= 0.9 and closed.any()
    assert not np.diag(closed).any() and not (closed & closed.T).any()


RULES = CompetitionRules(
    file="p.csv", predicted=("y",), metric="rmse", public=1, baseline=1, most=25, least=15,
    below_baseline=12,
)  # fmt: skip


@given(st.integers(1, 80))
def test_points_fall_evenly_from_first_to_last(teams):
    points = [RULES.points_of(place, teams) for place in range(1, teams + 1)]
    assert points[0] == 25 and points == sorted(points, reverse=True)
    assert teams == 1 or points[-1] == 15
    for place in (0, teams + 1):
        with pytest.raises(ValueError, match="no rank"):
            RULES.points_of(place, teams)


def test_points_are_to_hundredths():
    assert RULES.points_of(2, 4) == Decimal("21.67")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_the_ladder_climbs_by_steps_and_follows_from_the_scores_alone(scores):
    ladder = Ladder(0.005)
    seen = [ladder.shown(scores[: number + 1]) for number in range(len(scores))]
    assert seen == ladder.history(scores)
    assert seen == sorted(seen), "it never falls"
    assert all(abs(value / 0.005 - round(value / 0.005)) < 1e-9 for value in seen)
    assert abs(seen[-1] - max(scores)) <= 0.0075 + 1e-9
    assert Ladder(0.005).shown([]) is None


@given(st.lists(st.floats(0, 10), min_size=1, max_size=60))
def test_a_ladder_of_errors_falls(scores):
    ladder = Ladder(0.01, higher_is_better=False)
    seen = [ladder.shown(scores[: number + 1]) for number in range(len(scores))]
    assert seen == sorted(seen, reverse=True)


def test_small_changes_are_not_told():
    """Flipping one row at a time, which tells the labels of an exact board, moves nothing."""
    draws = np.random.default_rng(3)
    labels = draws.integers(0, 2, size=(3000, 1)).astype(float)
    guess = draws.integers(0, 2, size=(3000, 1)).astype(float)
    ladder, scores = Ladder(0.005), [score(ACCURACY, guess, labels)]
    for row in range(100):
        guess[row] = 1 - guess[row]
        scores.append(score(ACCURACY, guess, labels))
        guess[row] = 1 - guess[row]
    assert len({ladder.shown(scores[: number + 1]) for number in range(101)}) == 1


@given(st.binary(min_size=16, max_size=32), st.integers(2, 300), st.data())
def test_public_rows_are_drawn_from_the_secret(secret, rows, data):
    public = data.draw(st.integers(1, rows - 1))
    chosen = public_rows(secret, rows, public)
    assert chosen.sum() == public and np.array_equal(chosen, public_rows(secret, rows, public))


def test_another_secret_draws_other_rows_and_all_or_none_are_refused():
    first, second = (public_rows(key * 16, 1000, 300) for key in (b"a", b"b"))
    assert 0.1 < np.mean(first & second) / 0.3 < 0.5
    for public in (0, 1000, 1001):
        with pytest.raises(ValueError, match="cannot be public"):
            public_rows(b"a" * 16, 1000, public)
