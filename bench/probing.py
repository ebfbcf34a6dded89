"""What attacks on a competition's board gain, on the board and on the private rows.

    python bench/probing.py
    python bench/probing.py --seasons 50 --entries 105

A team's model is sure of 60 rows in 100, and right in 70 % of them. In the others it wavers between
two answers, each of which is right in 32 %: nowhere has an attack more to gain. It may send so many
files, and sees what the board tells after each. Every attack is played against three boards, with
the same luck: one that tells each score, one that rounds to 0.001, and the Ladder with a step of
0.005. Printed is what it gains by that against sending the model's answers once: on the board, in
how many seasons there, and on the private rows, where a gain is worth points.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from grader.competition import Ladder

ROWS, PUBLIC, STEP = 10_000, 3_000, 0.005
SURE, RIGHT, WAVERING = 0.6, 0.7, 0.32  # share of rows; how often an answer is right, and where not
ENTRIES = 105
BLOCK = 100  # rows that are tried together
FLIPPED = 0.05  # of the rows that it wavers in, in one file

Flags = NDArray[np.bool_]  # [rows]
Tell = Callable[[list[float]], float]


def ladder(scores: list[float]) -> float:
    """Tell a team its number, which stays where nothing is surely better."""
    return Ladder(STEP).history(scores)[-1]


BOARDS: dict[str, Tell] = {  # what a team is told after its last entry
    "plain": lambda scores: scores[-1],
    "rounded": lambda scores: round(scores[-1], 3),
    "Ladder": ladder,
}


@dataclass
class Game:
    """One team before one board; it knows what it sent and what it was shown, and no label."""

    first: Flags  # where the model is right
    second: Flags  # where the other answer is
    wavers: Flags
    public: Flags
    tell: Tell
    draw: np.random.Generator
    scores: list[float] = field(default_factory=list)  # of this account's entries
    told: list[float] = field(default_factory=list)  # of all accounts

    def right(self, taken: Flags) -> Flags:
        """Return where a file is right that takes the second answer in some rows."""
        return np.where(taken, self.second, self.first)

    def flips(self, share: float) -> Flags:
        """Choose rows in which it wavers, by chance."""
        return self.wavers & (self.draw.random(ROWS) < share)

    def enter(self, taken: Flags) -> float:
        """Send a file and return what the board tells the team then."""
        self.scores.append(float(self.right(taken)[self.public].mean()))
        self.told.append(self.tell(self.scores))
        return self.told[-1]

    def private(self, taken: Flags) -> float:
        """Return what a file is worth in the end."""
        return float(self.right(taken)[~self.public].mean())


def new_game(seed: int, board: str) -> Game:
    """Draw rows, labels and split; the same seed draws the same for every board."""
    draw = np.random.default_rng(seed)
    luck, wavers = draw.random(ROWS), draw.random(ROWS) >= SURE
    public = np.zeros(ROWS, dtype=np.bool_)
    public[draw.permutation(ROWS)[:PUBLIC]] = True
    first = luck < np.where(wavers, WAVERING, RIGHT)
    second = wavers & (luck >= WAVERING) & (luck < 2 * WAVERING)
    return Game(first, second, wavers, public, BOARDS[board], draw)


def honest(game: Game, entries: int) -> Flags:
    """Improve the model by a hundredth of the rows, once: nothing is learnt from the board."""
    none = np.zeros(ROWS, dtype=np.bool_)
    game.enter(none)
    better = none.copy()
    better[game.draw.permutation(np.flatnonzero(game.second))[: ROWS // 100]] = True
    game.enter(better)
    return better


def coin_flips(game: Game, entries: int) -> Flags:
    """Take the other answer in rows by chance, and keep what moves the number up."""
    return _climb(game, (game.flips(FLIPPED) for _ in range(entries - 1)))


def blocks(game: Game, entries: int) -> Flags:
    """Take the other answer in one block of rows after another; keep what moves it up."""
    block = np.arange(ROWS) // BLOCK
    turns = (turn % (ROWS // BLOCK) for turn in range(entries - 1))
    return _climb(game, (game.wavers & (block == turn) for turn in turns))


def single_rows(game: Game, entries: int) -> Flags:
    """Change one row in each file: a board that shows every score tells whether it is right."""
    rows = game.draw.permutation(np.flatnonzero(game.wavers))[: entries - 1]
    return _climb(game, (np.arange(ROWS) == row for row in rows))


def by_vote(game: Game, entries: int) -> Flags:
    """Flip a fair coin for each such row of each file; let files vote by what they were told."""
    tries = [game.flips(0.5) for _ in range(entries - 1)]
    told = np.array([game.enter(taken) for taken in tries])
    moved = np.diff(told, prepend=told[0]) if game.tell is ladder else told - told.mean()
    votes = sum(move * (taken - 0.5) for move, taken in zip(moved, tries, strict=True))
    last: Flags = game.wavers & (votes > 0)
    game.enter(last)
    return last


def best_of_many(game: Game, entries: int) -> Flags:
    """Send as many models of the same worth, and let the board choose: the winner's curse."""
    best, number = np.zeros(ROWS, dtype=np.bool_), -1.0
    for _ in range(entries):
        taken = game.flips(0.5)
        shown = game.enter(taken)
        if shown > number:
            best, number = taken, shown
    return best


def second_account(game: Game, entries: int) -> Flags:
    """Go on from what one account has learnt with another one, whose Ladder begins anew."""
    found = coin_flips(game, entries)
    game.scores.clear()
    return _climb(game, (game.flips(FLIPPED) for _ in range(entries - 1)), found)


ATTACKS: dict[str, Callable[[Game, int], Flags]] = {
    "honest, a point better": honest,
    "coin flips": coin_flips,
    "blocks": blocks,
    "one row at a time": single_rows,
    "vote of coin flips": by_vote,
    "best of equals": best_of_many,
    "second account": second_account,
}


def _climb(game: Game, tries: Iterator[Flags], begin: Flags | None = None) -> Flags:
    best = np.zeros(ROWS, dtype=np.bool_) if begin is None else begin
    number = game.enter(best)
    for tried in tries:
        shown = game.enter(best ^ tried)
        if shown > number:
            best, number = best ^ tried, shown
    return best


@dataclass(frozen=True)
class Gain:
    """What an attack gained in some seasons, in shares of rows."""

    shown: NDArray[np.float64]
    private: NDArray[np.float64]

    @property
    def error(self) -> float:
        """The standard error of the mean private gain."""
        return float(self.private.std() / math.sqrt(len(self.private)))


def play(attack: str, board: str, *, seasons: int, entries: int) -> Gain:
    """Play an attack in so many seasons, seeds 0, 1, ..."""
    shown, private = [], []
    for seed in range(seasons):
        game = new_game(seed, board)
        nothing = np.zeros(ROWS, dtype=np.bool_)
        alone = game.tell([float(game.right(nothing)[game.public].mean())])
        found = ATTACKS[attack](game, entries)
        shown.append(max(game.told) - alone)
        private.append(game.private(found) - game.private(nothing))
    return Gain(np.array(shown), np.array(private))


def main() -> None:
    """Print a table of all attacks on all boards."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seasons", type=int, default=100)
    parser.add_argument("--entries", type=int, default=ENTRIES)
    chosen = parser.parse_args()
    print("| play | board | gained on it | in seasons | gained on private rows |")
    print("|---|---|---|---|---|")
    for attack in ATTACKS:
        for board in BOARDS:
            gain = play(attack, board, seasons=chosen.seasons, entries=chosen.entries)
            private = f"{gain.private.mean():+.4f} ± {gain.error:.4f}"
            seen = f"{100 * (gain.shown > 0).mean():.0f} %"
            print(
                f"| {attack} | {board} | {gain.shown.mean():+.4f} | {seen} | {private} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
