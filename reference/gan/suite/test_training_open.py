"""The open part: the student's own settings of a game on images, played by the student's own code.

Settings come out as plain numbers; the game they name is played piece by piece as that of the
model part is, so that what is scored is what training gives. It is played by two seeds: FID of one
and the same game differs by a fifth from seed to seed. Each has a test of its own, for a test reads
no more of a game than one of the largest.
"""

import math

import numpy as np
import pytest

from grader.suite import as_number, require

# What may be chosen: its type, its least and its largest value. A game is read in pieces of ten
# steps, so that `hidden` and `total` bound what is read: 440 MB of networks in float64.
RANGES = {
    "z": (int, 1, 64),
    "hidden": (int, 1, 192),
    "scale": (float, 0.0, 100.0),
    "critic_steps": (int, 1, 10),
    "weight": (float, 0.0, 1000.0),
    "clip": (float, 0.0, 100.0),
    "learning_rate": (float, 0.0, 1.0),
    "batch": (int, 1, 256),
    "total": (int, 10, 800),
}
LOSSES = ("saturating", "non_saturating", "lsgan", "wgan", "hinge")
DEFAULTS = {
    "kind": "wgan",
    "z": 16,
    "hidden": 128,
    "scale": 4.0,
    "critic_steps": 3,
    "weight": 1.0,
    "clip": 0.0,
    "learning_rate": 3e-3,
    "batch": 64,
    "total": 400,
}
# Numbers that pass through all layers of the critic: six times those of the default are allowed.
MOST_WORK = 6 * 400 * 3 * 64 * (206 * 128 + 128 * 128)


def read_settings(answer):
    """Return all settings of the student's game, checked to be ones that we can play."""
    require(type(answer) is dict, "best_settings returns a dict")
    unknown = sorted(set(map(str, answer)) - DEFAULTS.keys())
    require(not unknown, f"unknown settings {unknown}")
    chosen = {**DEFAULTS, **answer}
    require(chosen["kind"] in LOSSES, "a kind that is not in LOSSES")
    for name, (kind, least, most) in RANGES.items():
        value = as_number(chosen[name])
        require(kind is float or value == int(value), f"{name} must be a whole number")
        require(least <= value <= most, f"{name} = {value} lies outside {least} to {most}")
        chosen[name] = kind(value)
    layers = (206 + chosen["hidden"]) * chosen["hidden"]
    work = chosen["total"] * chosen["critic_steps"] * chosen["batch"] * layers
    require(work <= MOST_WORK, f"{work / MOST_WORK:.1f} times the work that the handout allows")
    return chosen


def twin_game(student, reference, twin_of, pictures, seed, chosen):
    """Return the student's game with these settings before its first step, and ours beside it."""
    model, rest = reference.model, dict(chosen)
    kind, z, hidden, scale = (rest.pop(name) for name in ("kind", "z", "hidden", "scale"))
    networks = (
        model.Generator(z, hidden, 196, 10, scale, bounded=True),
        model.Critic(196, hidden, 10, scale),
    )
    theirs = student.model.train_images(pictures.x, pictures.y, seed, 0, **chosen)
    return twin_of(theirs, model.Game(kind, *networks, seed=seed, **rest))


@pytest.fixture(scope="module")
def play_own(shared_student, reference, twin_of, images, judge, play, pictures_of, shared_seed):
    """Give ``play_own(number)``: the FID of a game with the student's settings, by its own seed."""
    rng = np.random.default_rng(shared_seed)
    pictures, seeds = images(rng), rng.permutation(1000)
    statistics = reference.metrics.statistics

    def measure(number):
        chosen = read_settings(shared_student.model.best_settings())
        seed, steps = int(seeds[number]), chosen["total"] // 10 * 10
        twin = twin_game(shared_student, reference, twin_of, pictures, seed, chosen)
        generator = play(shared_student, twin, pictures.x, pictures.y, steps, rng, chosen["z"])
        fake = pictures_of(generator, rng, len(pictures.held_y), chosen["z"], pictures.held_y)
        real, drawn = (statistics(judge.features(x)) for x in (pictures.held_x, fake))
        return reference.metrics.fid(*real, *drawn)

    return measure


@pytest.fixture(scope="module")
def first_fid(play_own):
    """Give the FID of the first game with the student's settings."""
    return play_own(0)


@pytest.mark.item("best", weight=0.1)
@pytest.mark.depends("test_training.py::test_images_are_near_the_held_out_ones")
@pytest.mark.limits(cpu_seconds=90)
@pytest.mark.hint("Settings are numbers within the handout's bounds; the game is train_images'.")
def test_own_settings_can_be_played(first_fid):
    """The game with your own settings makes the steps of its draws, all the way."""
    require(math.isfinite(first_fid), f"its FID is {first_fid}")


@pytest.mark.item("best", weight=2)
@pytest.mark.depends("test_own_settings_can_be_played")
@pytest.mark.limits(cpu_seconds=90)
@pytest.mark.hint("Longer, wider, another rate or batch: compare FID over several seeds at home.")
def test_the_best_game(first_fid, play_own, bar):
    """FID of two games with your own settings, in the features of a hidden network."""
    bar("open-fid", math.sqrt(first_fid * play_own(1)))
