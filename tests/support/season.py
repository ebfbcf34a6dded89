"""A whole competition played through the portal's pages: teams that learn, day by day."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from flask.testing import FlaskClient

from support.competition import (
    CLASSES,
    PUBLIC,
    ROWS,
    STEP,
    Arena,
    Competitor,
    as_csv,
    board_of,
    truth,
)


@dataclass
class Player:
    """A team with a skill that it reaches in the end."""

    name: str
    skill: float  # the share of rows that are right in its last entry
    who: Competitor
    draw: random.Random
    sent: list[bytes] = field(default_factory=list)

    def enter(self, progress: float) -> None:
        """Send predictions as good as the team is by now: it begins at half of its skill."""
        share = self.skill * (0.5 + 0.5 * progress)
        animals = [
            animal if self.draw.random() < share else self.draw.choice(CLASSES)
            for animal in truth()
        ]
        self.sent.append(as_csv(animals))
        answer = self.who.enter(self.sent[-1])
        assert answer.status_code == 303, answer.text


def make_players(arena: Arena, skills: Sequence[float], *, pairs: int, seed: int) -> list[Player]:
    """Enrol a team for each skill; the first `pairs` of them are two people."""
    players = []
    for number, skill in enumerate(skills):
        who = arena.student(f"first{number}")
        if number < pairs:
            who.team_with(arena.student(f"second{number}"))
        who.post("team/name", name=f"Team {number}")
        draw = random.Random(seed * 1000 + number)
        players.append(Player(f"Team {number}", skill, who, draw))
    return players


def play(arena: Arena, players: Sequence[Player], *, days: int, a_day: int) -> None:
    """Let every team send so many entries on every day of a competition of so many days."""
    arena.change(due_at=arena.opens + timedelta(days=days, minutes=-1))
    for day in range(days):
        arena.site.clock.instant = arena.opens + timedelta(days=day, hours=1)
        for player in players:
            for _ in range(a_day):
                player.enter(day / (days - 1))
    arena.site.clock.instant = arena.opens + timedelta(days=days)


def results(arena: Arena, staff: FlaskClient) -> dict[str, tuple[int, float]]:
    """Write the result down; return place and score by team, as a page shows them."""
    assert arena.finish(staff).status_code == 303
    shown = board_of(staff.get(arena.address).text)
    return {name: (int(place), float(score)) for name, (place, score) in shown.items()}


def ordered_right(players: Sequence[Player], found: dict[str, tuple[int, float]]) -> float:
    """Return the share of pairs of teams of which the better one scored more."""
    pairs = [
        (found[better.name][1] > found[worse.name][1])
        for better in players
        for worse in players
        if better.skill > worse.skill
    ]
    return sum(pairs) / len(pairs)


def ordered_by_chance(
    skills: Sequence[float], *, days: int, seasons: int, seed: int
) -> tuple[float, float]:
    """Return mean and standard deviation of `ordered_right` over seasons that are only numbers.

    A team enters once a day; right answers are binomial. Knows none of the portal's code: its
    number on the board, its two finals by default and the better of them are worked out here.
    """
    draw = np.random.default_rng(seed)
    shares = []
    for _ in range(seasons):
        final = [_final_score(skill, days, draw) for skill in skills]
        pairs = [
            final[better] > final[worse]
            for better in range(len(skills))
            for worse in range(len(skills))
            if skills[better] > skills[worse]
        ]
        shares.append(sum(pairs) / len(pairs))
    return float(np.mean(shares)), float(np.std(shares))


def _final_score(skill: float, days: int, draw: np.random.Generator) -> float:
    """Return one team's score on the private rows."""
    share = skill * (0.5 + 0.5 * np.arange(days) / (days - 1))
    right = share + (1 - share) / len(CLASSES)
    public = draw.binomial(PUBLIC, right) / PUBLIC
    private = draw.binomial(ROWS - PUBLIC, right) / (ROWS - PUBLIC)
    shown, best = -math.inf, 0
    for day in range(days - 1):  # the last day's entry comes after the freeze
        if public[day] - shown > STEP + 1e-9:
            shown, best = STEP * math.floor(public[day] / STEP + 0.5), day
    return float(max(private[best], private[-1]))
