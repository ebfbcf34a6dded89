"""Single steps of the game, against those of Adam from the very state that a game is in."""

import pytest
import torch

from grader.suite import as_object, attribute, expect_raises, require

KINDS = ("saturating", "non_saturating", "lsgan", "wgan", "hinge", "kl", "js", "pearson")
CLASSES = 3
Z, D, HIDDEN, BATCH = 2, 3, 16, 24


def begin(model, kind, classes=CLASSES, **options):
    """Return a game of small networks by a student's or by our module."""
    generator = model.Generator(Z, HIDDEN, D, classes, 2.0)
    critic = model.Critic(D, HIDDEN, classes, 2.0)
    return model.Game(kind, generator, critic, learning_rate=0.01, **options)


@pytest.fixture
def twin(student, reference, twin_of):
    """Give ``twin(kind, ...)``: a game of the student's and ours beside it."""

    def make(kind, classes=CLASSES, **options):
        return twin_of(
            as_object(begin(student.model, kind, classes, **options)),
            begin(reference.model, kind, classes, **options),
        )

    return make


@pytest.fixture
def inputs(normal, rng):
    """Give ``inputs(k)``: real, y, z and eps of k critic steps and one of the generator."""

    def draw(k):
        real = 1 + normal(rng, k, BATCH, D)
        y = torch.tensor(rng.integers(0, CLASSES, (k + 1, BATCH)))
        eps = torch.tensor(rng.random((k, BATCH))).float()
        return real, y, normal(rng, k + 1, BATCH, Z), eps

    return draw


@pytest.mark.item("game", weight=2)
@pytest.mark.hint(
    "Fakes of the data's labels, the loss of the game's kind, zero_grad, backward, Adam(0.5, 0.9)."
)
@pytest.mark.parametrize("kind", KINDS)
def test_steps_of_the_critic(twin, inputs, kind):
    """The critic moves as Adam moves it, and nothing of the generator moves."""
    # Adam's first step knows signs alone: the sizes of slopes show in the next ones.
    drawn = list(zip(*inputs(3), strict=False))
    twin(kind).require_same_move(lambda game: [game.d_step(*one) for one in drawn])


@pytest.mark.item("game", weight=2)
@pytest.mark.hint("The generator's own loss; only its optimiser steps.")
@pytest.mark.parametrize("kind", KINDS)
def test_steps_of_the_generator(twin, inputs, kind):
    """The generator moves as Adam moves it, and nothing of the critic moves."""
    _, y, z, _ = inputs(2)
    drawn = list(zip(z, y, strict=True))
    twin(kind).require_same_move(lambda game: [game.g_step(*one) for one in drawn])


@pytest.mark.item("game")
@pytest.mark.hint("Slopes that the other player's step has left are to be set to zero first.")
def test_steps_in_turn(twin, inputs):
    """Several steps of both, in turn, are Adam's, each on its own slope alone."""
    game = twin("lsgan")

    def act(played):
        for real, y, z, eps in steps:
            played.d_step(real[0], y[0], z[0], eps[0])
            played.g_step(z[1], y[1])

    steps = [inputs(1) for _ in range(4)]
    game.require_same_move(act)
    game.require_same_move(act)  # Adam's moments are those of the steps before


@pytest.mark.item("game")
@pytest.mark.hint("Return the loss before the step, as a number: that of the player who moved.")
def test_losses_that_steps_return(twin, inputs, as_real):
    """d_step and g_step return their player's loss before the step, the penalty included."""
    for kind, options in (("non_saturating", {}), ("wgan", {"weight": 3.0}), ("kl", {})):
        real, y, z, eps = inputs(1)
        game = twin(kind, **options)
        game.follow()
        for name, args in (("d_step", (real[0], y[0], z[0], eps[0])), ("g_step", (z[1], y[1]))):
            found = as_real(getattr(game.theirs, name)(*args))
            wanted = getattr(game.ours, name)(*args)
            near = abs(found - wanted) <= 1e-3 * (1 + abs(wanted))
            require(near, f"{kind}, {name}: a loss of {found:.5f}, expected {wanted:.5f}")
            game.follow()


@pytest.mark.item("game", weight=2)
@pytest.mark.hint("Critic step i takes real[i], y[i], z[i], eps[i]; the generator's z[k] and y[k].")
@pytest.mark.parametrize("k", [1, 3])
def test_a_whole_step(twin, inputs, as_real, k):
    """Several critic steps and then one of the generator, each with inputs of its own."""
    drawn = inputs(k)
    game = twin("wgan", weight=1.0, critic_steps=k)
    game.require_same_move(lambda played: played.step(*drawn))
    require(int(attribute(game.theirs, "t")) == 1, "a step counts once in t")
    drawn = inputs(k)
    game.follow()
    found = game.theirs.step(*drawn)
    require(type(found) in (tuple, list) and len(found) == 2, "expected two losses")
    for theirs, ours in zip(map(as_real, found), game.ours.step(*drawn), strict=True):
        require(abs(theirs - ours) <= 1e-2 * (1 + abs(ours)), f"a loss of {theirs:.5f}")


@pytest.mark.item("game")
@pytest.mark.hint("Clip after the critic's step, not before it, and the critic alone.")
def test_clipping_comes_after_the_step(student, reference, twin, inputs, copied):
    """After every step of the critic all of its parameters lie within the bound."""
    c, game = 0.02, twin("wgan", clip=0.02)
    for _ in range(2):
        real, y, z, eps = inputs(1)
        game.require_same_move(lambda played, a=(real[0], y[0], z[0], eps[0]): played.d_step(*a))
        critic = copied(
            attribute(game.theirs, "critic"), reference.model.Critic(D, HIDDEN, CLASSES, 2.0)
        )
        most = max(float(p.detach().abs().max()) for p in critic.parameters())
        require(most <= c + 1e-6, f"a parameter of {most:.4f} after clipping to {c}")
    start = copied(
        attribute(game.theirs, "generator"), reference.model.Generator(Z, HIDDEN, D, CLASSES, 2.0)
    )
    widest = max(float(p.detach().abs().max()) for p in start.parameters())
    require(widest > 2 * c, "the generator was clipped, too")


@pytest.mark.item("game")
@pytest.mark.hint("lr = learning_rate * (1 - t / total) in both optimisers, set before the step.")
def test_the_rate_falls_along_a_line(twin, inputs):
    """With `total` the rate falls to 0 along a line; without it, it is held."""
    for total in (4, 0):
        game = twin("lsgan", total=total)
        for _ in range(4):
            drawn = inputs(1)
            game.require_same_move(lambda played, drawn=drawn: played.step(*drawn))


@pytest.mark.item("game", weight=2)
@pytest.mark.hint("draw(x, y, seed, t, critic_steps, batch, z) for step t, whatever ran before.")
@pytest.mark.parametrize("labelled", [True, False], ids=["labels", "no-labels"])
def test_runs_go_on_where_they_stopped(twin, normal, rng, labelled):
    """A run makes the steps of its draws; after 3 steps it goes on with the fourth."""
    classes = CLASSES if labelled else 0
    seed = int(rng.integers(1000))
    game = twin("wgan", classes, weight=0.5, critic_steps=2, seed=seed, total=40, batch=16)
    x = 1 + normal(rng, 50, D)
    y = torch.tensor(rng.integers(0, CLASSES, 50)) if labelled else None
    for steps in (3, 5):
        game.require_same_move(lambda played, n=steps: played.run(x, y, n, Z))
    require(int(attribute(game.theirs, "t")) == 8, "3 steps and 5 more are 8")


@pytest.mark.item("game", weight=0.5)
@pytest.mark.depends("test_steps_of_the_critic")
@pytest.mark.hint("Raise ValueError in Game.__init__ for a kind that is in neither list.")
def test_unknown_games_are_refused(student):
    """An unknown kind of game raises ValueError."""
    with expect_raises(ValueError):
        begin(student.model, "no such game")
