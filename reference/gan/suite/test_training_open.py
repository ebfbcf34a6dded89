"""The open part: the student's own settings of a game on images, played by the student's own code.

Settings come out as plain numbers; the game they name is played piece by piece as that of the
model part is, so that what is scored is what training gives. It is played by more than one seed:
FID of one and the same game differs by a fifth from seed to seed.
"""

from statistics import geometric_mean

import numpy as np
import pytest

from grader.suite import as_number, require

# What may be chosen: its type, its least and its largest value.
RANGES = {
    "z": (int, 1, 64),
    "hidden": (int, 1, 256),
    "scale": (float, 0.0, 100.0),
    "critic_steps": (int, 1, 10),
    "weight": (float, 0.0, 1000.0),
    "clip": (float, 0.0, 100.0),
    "learning_rate": (float, 0.0, 1.0),
    "batch": (int, 1, 256),
    "total": (int, 10, 3000),
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
GAMES = 2  # that are played with the settings, by seeds of their own
# Numbers that pass through all layers of the critic: 2,400 steps of the default are allowed.
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
def best_fid(shared_student, reference, twin_of, images, judge, play, pictures_of, shared_seed):
    """Give the FID of the game with the student's settings, as the mean of games in logarithms."""
    rng = np.random.default_rng(shared_seed)
    chosen = read_settings(shared_student.model.best_settings())
    pictures, steps = images(rng), chosen["total"] // 10 * 10
    statistics = reference.metrics.statistics
    real = statistics(judge.features(pictures.held_x))

    def fid_of(seed):
        twin = twin_game(shared_student, reference, twin_of, pictures, seed, chosen)
        generator = play(shared_student, twin, pictures.x, pictures.y, steps, rng, chosen["z"])
        fake = pictures_of(generator, rng, len(pictures.held_y), chosen["z"], pictures.held_y)
        return reference.metrics.fid(*real, *statistics(judge.features(fake)))

    seeds = rng.permutation(1000)[:GAMES]
    return geometric_mean(fid_of(int(seed)) for seed in seeds)


@pytest.mark.item("best")
@pytest.mark.depends("test_training.py::test_images_are_near_the_held_out_ones")
@pytest.mark.limits(cpu_seconds=180)
@pytest.mark.hint("Longer, wider, another rate or batch: compare FID over several seeds at home.")
def test_the_best_game(best_fid, bar):
    """FID of games with your own settings, in the features of a hidden network."""
    bar("open-fid", best_fid)
