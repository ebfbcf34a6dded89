"""The network and its training: structure, recipe, and images nobody has seen.

Every network here is read by its parameters and computed again by the reference. Training images
go in; held-out images stay out, where the reference predicts with the student's parameters.
"""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from grader.suite import (
    as_number,
    as_object,
    as_tensor,
    assert_matches,
    attribute,
    expect_raises,
    gradients,
    parameters,
    require,
    set_training,
)

SIZE = 15  # pixels a side; odd, as a stride of 2 must cope with
EPOCHS = 5
SEEDS = 3  # of the accuracy, whose mean is judged: one network's varies by more than a point
PATTERNS = 4  # sets of textures: how hard one is varies much
TRAIN_CPU_SECONDS = 60  # the reference takes 5: no time is wasted on slow code, or a slow machine
KINDS = [
    pytest.param({"depth": 8}, id="residual-8"),
    pytest.param({"depth": 14, "residual": False}, id="plain-14"),
    pytest.param({"depth": 8, "norm": "none", "classes": 3}, id="no-norm"),
    pytest.param({"depth": 8, "norm": "layer", "width": 8}, id="layer"),
    pytest.param({"depth": 8, "norm": "group", "residual": False}, id="group"),
    pytest.param({"depth": 20, "classes": 4, "width": 8}, id="residual-20"),
]


def pictures(rng, n, height=SIZE, width=SIZE):
    """Draw images of noise: uint8 [N, 3, H, W]."""
    return torch.tensor(rng.integers(0, 256, (n, 3, height, width)), dtype=torch.uint8)


def answers(module, images):
    """Return a student's logits for one batch."""
    return as_tensor(module(images), (len(images), None), torch.float32)


# ------------------------------------------------------------------------------ the network


@pytest.mark.item("network")
@pytest.mark.hint("Count convolutions: 1, then 2 in each of 3 n blocks; norms; one linear layer.")
@pytest.mark.parametrize("options", KINDS)
def test_parameters_of_the_network(student, twin, options):
    """The parameters are those of the asked network, in the order of their use."""
    twin(student, student.model.build(**options), **options)


@pytest.mark.item("network", weight=0.5)
@pytest.mark.visibility("visible")
@pytest.mark.hint("Depth 8, width 16, 10 classes: convolutions without bias, a norm after each.")
def test_the_network_has_75290_parameters(student):
    """The network of depth 8 has 75,290 parameters."""
    found = parameters(as_object(student.model.build(8))).values()
    count = sum(as_tensor(p).numel() for p in found)
    require(count == 75_290, f"it has {count} parameters")


@pytest.mark.item("network", weight=2)
@pytest.mark.depends("test_parameters_of_the_network")
@pytest.mark.hint("relu(f + shortcut): the ReLU after the addition; option A: [:, :, ::2, ::2].")
@pytest.mark.parametrize("options", KINDS)
def test_output_of_the_network(student, twin, rng, require_same, options):
    """In training and evaluation the output is that of a network of these parameters."""
    module = student.model.build(**options)
    for training in (True, False):
        set_training(module, training)
        for height, width in ((SIZE, SIZE), (16, 12)):
            ours = twin(student, module, **options)
            require_same(module, ours.train(training), pictures(rng, 6, height, width))


@pytest.mark.item("network")
@pytest.mark.depends("test_parameters_of_the_network")
@pytest.mark.hint("Do not detach; no parameter may be left out of the computation.")
@pytest.mark.parametrize("options", KINDS[:3])
def test_every_parameter_gets_its_gradient(student, twin, rng, any_draw, options):
    """Gradients arrive at every parameter and equal the reference's."""
    module = student.model.build(**options)
    set_training(module, True)

    def agree():
        # Few pixels: of 100,000 ReLUs one so near to 0 that rounding decides is nothing rare, and
        # another order of sums then gives another gradient.
        ours = twin(student, module, **options).train()
        images, classes = pictures(rng, 4, 8, 8), options.get("classes", 10)
        dy = torch.tensor(rng.normal(0, 1, (4, classes)), dtype=torch.float32)
        ours(images).backward(dy)
        found = list(gradients(module, images, dy).values())
        for gradient, mine in zip(found, ours.parameters(), strict=True):
            require(gradient is not None, "a parameter has no gradient")
            assert_matches(gradient, mine.grad, rtol=1e-2, atol=1e-6)

    any_draw(agree)


@pytest.mark.item("network", weight=2)
@pytest.mark.depends("test_parameters_of_the_network")
@pytest.mark.hint("nn.BatchNorm2d keeps running statistics in training, for evaluation.")
def test_running_statistics_belong_to_evaluation(student, twin, rng, require_same):
    """Passes in training move the running statistics, and evaluation uses them."""
    module = as_object(student.model.build(8))
    ours = twin(student, module, 8).train()
    set_training(module, True)
    for _ in range(3):
        images = pictures(rng, 16) // 3
        answers(module, images)
        with torch.no_grad():
            ours(images)
    set_training(module, False)
    require_same(module, ours.eval(), images)
    before = answers(module, images)
    assert_matches(answers(module, images), before, rtol=1e-5)


@pytest.mark.item("network")
@pytest.mark.hint("In evaluation nothing depends on the batch, whatever normalises.")
@pytest.mark.parametrize("norm", ["batch", "layer", "none"])
def test_an_image_does_not_see_its_neighbours(student, rng, norm):
    """In evaluation an image gets the same logits alone and among others, in any order."""
    module = as_object(student.model.build(8, norm))
    set_training(module, True)
    images = pictures(rng, 12) // torch.arange(1, 13)[:, None, None, None]
    answers(module, images)
    set_training(module, False)
    together = answers(module, images)
    require(float((together - together[0]).abs().max()) > 1e-4, "the same logits for all images")
    alone = torch.cat([answers(module, images[n : n + 1]) for n in range(12)])
    scale = float(together.abs().max())
    assert_matches(alone, together, atol=1e-4 * scale)
    order = torch.tensor(rng.permutation(12))
    assert_matches(answers(module, images[order]), together[order], atol=1e-4 * scale)


@pytest.mark.item("network", weight=2)
@pytest.mark.hint("nn.Dropout on the mean over H and W, before the linear layer, nowhere else.")
def test_dropout_stands_before_the_linear_layer(student, rng):
    """In training dropout of p = 1 leaves the last bias alone, p = 0.5 the right mean."""
    images = pictures(rng, 1).repeat(400, 1, 1, 1)
    module = as_object(student.model.build(8, "none", 1.0))
    bias = as_tensor(list(parameters(module).values())[-1], (10,), torch.float32).detach()
    set_training(module, True)
    assert_matches(answers(module, images[:3]), bias.repeat(3, 1), rtol=1e-5)
    module = as_object(student.model.build(8, "none", 0.5))
    set_training(module, True)
    dropped = answers(module, images).detach()
    set_training(module, False)
    kept = answers(module, images[:1]).detach()[0]
    spread = dropped.std(dim=0)
    require(float(spread.max()) > 0, "dropout does nothing in training")
    # Means of 400 draws: eight standard errors are beyond any chance.
    allowed = 8 * spread / 20 + 1e-5
    require(bool(((dropped.mean(dim=0) - kept).abs() <= allowed).all()), "the mean is another")
    assert_matches(answers(module, images[:1]).detach()[0], kept, rtol=1e-5)


@pytest.mark.item("network")
@pytest.mark.hint("Leave initial weights to nn.Conv2d and nn.Linear: U(-a, a), a = 1/sqrt(fan in).")
def test_initial_weights_are_those_of_torch(student, twin):
    """Weights start random, no two filters equal, as spread as torch's layers make them."""
    module = student.model.build(14, "none")
    twin(student, module, 14, "none")
    for tensor in parameters(module).values():
        if tensor.ndim < 2:
            continue
        rows = tensor.detach().reshape(len(tensor), -1).double()
        require(len(torch.unique(rows, dim=0)) == len(rows), "two filters start equal")
        wanted = 1 / np.sqrt(3 * rows.shape[1])
        # The smallest tensor has 432 numbers: its spread is known to 2.2 %, and 20 % is far off.
        require(abs(float(rows.std()) / wanted - 1) < 0.2, "weights start with another spread")


@pytest.mark.item("network", weight=0.5)
@pytest.mark.depends("test_the_network_has_75290_parameters")
@pytest.mark.hint("Depths are 8, 14, 20, ...; raise ValueError for others and for unknown norms.")
def test_impossible_networks_are_refused(student):
    """A depth that is not 6n + 2 and an unknown norm raise ValueError."""
    for arguments in ((9,), (2,), (18,), (8, "instant")):
        with expect_raises(ValueError):
            student.model.build(*arguments)


# ------------------------------------------------------------------------------ the recipe


@pytest.mark.item("training", weight=0.5)
@pytest.mark.hint("epoch counts from 0: cosine starts at the base rate; step drops at 1/2 and 3/4.")
@pytest.mark.parametrize("decay", ["none", "step", "cosine"])
def test_learning_rate(student, reference, rng, decay):
    """The learning rate of every epoch."""
    for epochs in (1, 4, 5, 30):
        base = float(rng.uniform(0.01, 1))
        for epoch in range(epochs):
            expected = reference.model.learning_rate(epoch, epochs, base, decay)
            found = student.model.learning_rate(epoch, epochs, base, decay)
            assert_matches(as_number(found), expected, rtol=1e-9)


@pytest.mark.item("training", weight=0.5)
@pytest.mark.depends("test_learning_rate")
@pytest.mark.hint("Raise ValueError in learning_rate; train calls it, so it raises too.")
def test_unknown_decay_is_refused(student, rng):
    """An unknown decay raises ValueError, in train as well."""
    with expect_raises(ValueError):
        student.model.learning_rate(0, 5, 0.1, "linear")
    module, labels = student.model.build(8), torch.zeros(4, dtype=torch.int64)
    with expect_raises(ValueError):
        student.model.train(module, pictures(rng, 4), labels, 0, epochs=1, decay="linear")


@pytest.mark.item("training", weight=2.5)
@pytest.mark.depends("test_learning_rate")
@pytest.mark.parametrize(
    "decay",
    [
        pytest.param(
            "none",
            marks=pytest.mark.hint(
                "SGD(momentum=0.9, weight_decay=5e-4) in batches of 64 and a rest, one optimiser "
                "for all epochs. The tests of single ideas tell which of them is another."
            ),
        ),
        pytest.param("step", marks=pytest.mark.hint("Set the rate of `step` once an epoch.")),
        pytest.param("cosine", marks=pytest.mark.hint("Set the rate of `cosine` once an epoch.")),
    ],
)
def test_training_takes_the_steps_of_the_recipe(student, reference, twin, rng, any_draw, decay):
    """On images that are all alike every order gives the reference's network and losses."""
    labels = torch.full((150,), 2)
    options = {"epochs": 5, "base_rate": 0.02, "decay": decay}

    def agree():
        # 150 copies of one image: batches of 64, 64 and 22 that no order can change. But a ReLU
        # near 0 then falls to the other side in all of them, by rounding or by the other divisor
        # of the variance, which is as right: one image in ten parts two right networks.
        images = pictures(rng, 1, 8, 8).repeat(150, 1, 1, 1)
        module = student.model.build(8, "none", classes=4)
        ours = twin(student, module, 8, "none", classes=4)
        before = [p.detach().clone() for p in ours.parameters()]
        losses = student.model.train(module, images, labels, 3, **options)
        expected = reference.model.train(ours, images, labels, 3, **options)
        require(type(losses) is list and len(losses) == 5, "expected a list of 5 losses")
        assert_matches([as_number(loss) for loss in losses], expected, rtol=1e-3)
        after = twin(student, module, 8, "none", classes=4)
        for start, mine, theirs in zip(before, ours.parameters(), after.parameters(), strict=True):
            # Steps of float32 differ by rounding alone; another recipe is per cents off.
            moved = (mine - start).detach()
            assert_matches((theirs - start).detach(), moved, rtol=5e-3, atol=1e-6)

    any_draw(agree)


@pytest.mark.item("training", weight=1.5)
@pytest.mark.hint("The mean and standard deviation of each channel over all training images.")
def test_images_are_scaled_by_the_training_images(student, rng, split, variant):
    """The buffers mean and std are those of the training images."""
    data = split(int(rng.integers(2**31)), 70, 5, SIZE)
    module = student.model.build(8)
    student.model.train(module, data.train_x, data.train_y, 0, epochs=1)
    pixels = data.train_x.double()
    for name, expected in (
        ("mean", pixels.mean(dim=(0, 2, 3))),
        ("std", pixels.std(dim=(0, 2, 3))),
    ):
        # 1e-3: float32 sums of many pixels, and either divisor of the variance, will do.
        assert_matches(attribute(module, name), expected.float(), rtol=1e-3)


@pytest.mark.item("training", weight=2)
@pytest.mark.hint("Seed torch with the seed you are given; draw a new order in each epoch from it.")
def test_the_seed_decides_the_order(student, rng):
    """Equal seeds and initial weights give equal networks, other seeds another order."""
    images, labels = pictures(rng, 100, 8, 8), torch.tensor(rng.integers(0, 10, 100))
    start = as_object(student.model.build(8))

    def trained(seed, dropout):
        module = as_object(student.model.build(8, dropout=dropout))
        module.load_state_dict(start.state_dict())
        student.model.train(module, images, labels, seed, epochs=2)
        return torch.cat([as_tensor(p).detach().ravel() for p in parameters(module).values()])

    assert_matches(trained(5, 0.3), trained(5, 0.3), rtol=1e-4)
    apart = float((trained(5, 0.0) - trained(6, 0.0)).abs().max())
    require(apart > 1e-4, "two seeds gave one network: are the images shuffled?")


@pytest.mark.item("training")
@pytest.mark.hint("Forward, zero_grad, backward, step; the labels belong to the same images.")
def test_a_batch_can_be_learnt_by_heart(student, twin, rng):
    """Sixteen images of noise with random labels are learnt by heart."""
    images, labels = pictures(rng, 16, 8, 8), torch.tensor(rng.integers(0, 4, 16))
    module = student.model.build(8, classes=4)
    with student.budget(cpu_seconds=30):
        student.model.train(module, images, labels, 0, epochs=60)
    with torch.no_grad():
        loss = float(F.cross_entropy(twin(student, module, 8, classes=4).eval()(images), labels))
    require(loss < 0.3, f"the loss is still {loss:.2f}, where guessing has 1.39")


@pytest.mark.item("training")
@pytest.mark.hint("Do not stop at NaN; call model.eval() at the end.")
def test_training_ends_in_evaluation_even_if_it_diverges(student, rng):
    """Train leaves the model in evaluation mode, also after an absurd learning rate."""
    images, labels = pictures(rng, 80, 8, 8), torch.tensor(rng.integers(0, 10, 80))
    for rate in (0.01, 1e20):
        module = student.model.build(8)
        losses = student.model.train(module, images, labels, 0, epochs=3, base_rate=rate)
        require(type(losses) is list and len(losses) == 3, "expected a loss for each epoch")
        require(attribute(module, "training") is False, "the model is left in training mode")


# ------------------------------------------------------------------------------ unseen images


@pytest.mark.item("accuracy", weight=0.5)
@pytest.mark.depends(
    "test_the_network_has_75290_parameters",
    "test_corners.py::test_training_goes_on_from_the_weights_it_is_given",
)
@pytest.mark.hint("Weights are learnt in the run: hand in code, no tables of numbers.")
def test_the_files_hold_code_and_no_weights(submission, require_code_alone):
    """All Python files together have 60 kB at most: trained weights do not fit in."""
    require_code_alone(submission)


@pytest.fixture(scope="module")
def data(split, shared_seed, variant):
    """Give the images of this submission."""
    return split(shared_seed, variant["train"], variant["test"], SIZE)


@pytest.fixture(scope="module")
def trained(shared_student, shared_seed, data):
    """Give ``trained(number)``: the network of build and train on the n-th seed, made once."""
    made = {}

    def get(number):
        if number not in made:
            model = shared_student.model
            module = model.build(8, classes=len(data.names))
            with shared_student.budget(cpu_seconds=TRAIN_CPU_SECONDS):
                seed = (shared_seed + number) % 2**31
                losses = model.train(module, data.train_x, data.train_y, seed, epochs=EPOCHS)
            made[number] = as_object(module), losses
        return made[number]

    return get


def confusion(axes, data, found):
    """Draw how often each class was taken for each."""
    k = len(data.names)
    table = np.zeros((k, k), int)
    np.add.at(table, (data.test_y.numpy(), found.numpy()), 1)
    axes.imshow(
        table / np.maximum(table.sum(axis=1, keepdims=True), 1), cmap="Blues", vmin=0, vmax=1
    )
    for row, column in np.ndindex(k, k):
        if table[row, column]:
            axes.text(column, row, table[row, column], ha="center", va="center", fontsize=6)
    axes.set_xticks(range(k), data.names, rotation=90, fontsize=7)
    axes.set_yticks(range(k), data.names, fontsize=7)
    axes.set_xlabel("the network says")
    axes.set_ylabel("it is")


def worst(axes, data, scores, found):
    """Show the images that the network was surest about and wrong."""
    lost = torch.log_softmax(scores, dim=1)[torch.arange(len(scores)), data.test_y]
    order = lost.argsort()[:18]
    tiles = data.test_x[order].permute(0, 2, 3, 1).numpy()
    rows = [np.concatenate(list(tiles[start : start + 6]), axis=1) for start in range(0, 18, 6)]
    axes.imshow(np.concatenate(rows, axis=0))
    axes.set_axis_off()
    for place, index in enumerate(order.tolist()):
        left, top = place % 6 * SIZE, place // 6 * SIZE
        label = f"{data.names[found[index]]}, not {data.names[data.test_y[index]]}"
        axes.text(left, top, label, fontsize=4, va="top", color="white", backgroundcolor="black")


@pytest.mark.item("accuracy", weight=4)
@pytest.mark.depends("test_the_files_hold_code_and_no_weights")
@pytest.mark.limits(cpu_seconds=20)
@pytest.mark.hint("Look at the confusion matrix and the losses: are labels and images in step?")
def test_accuracy_on_unseen_images(
    trained, shared_student, twin, data, bar, measured, figure, require_same
):
    """Three networks of depth 8, trained by the recipe, reach the bar on images held back."""
    reached = []
    for number in range(SEEDS):
        module, _ = trained(number)
        ours = twin(shared_student, module, 8, classes=len(data.names)).eval()
        require_same(module, ours, data.train_x[:32])
        with torch.no_grad():
            scores = torch.cat([ours(part) for part in data.test_x.split(250)])
        found = scores.argmax(dim=1)
        reached.append(float((found == data.test_y).double().mean()))
    axes = figure("confusion", "What the last of the three networks took each class for")
    confusion(axes, data, found)
    worst(figure("worst", "Where it was surest and wrong"), data, scores, found)
    measured("accuracy-sd", float(np.std(reached, ddof=1)))
    bar("accuracy", float(np.mean(reached)))


@pytest.mark.item("accuracy")
@pytest.mark.depends("test_accuracy_on_unseen_images")
@pytest.mark.limits(cpu_seconds=20)
@pytest.mark.hint("Return the mean loss of each epoch: it falls while the network learns.")
def test_the_loss_falls_while_it_learns(trained, data):
    """The loss starts near that of guessing and falls."""
    _, losses = trained(0)
    require(type(losses) is list and len(losses) == EPOCHS, "expected a loss for each epoch")
    first, last = as_number(losses[0]), as_number(losses[-1])
    require(first < 2 * np.log(len(data.names)), f"the first epoch's loss is {first:.2f}")
    require(last < first, f"the loss goes from {first:.2f} to {last:.2f}")


@pytest.mark.item("accuracy", weight=2)
@pytest.mark.depends("test_accuracy_on_unseen_images")
@pytest.mark.limits(cpu_seconds=20)
@pytest.mark.hint("train must learn from the images and labels it is given, whatever they are.")
def test_training_learns_patterns_nobody_has_seen(student, twin, rng, bar):
    """The same training learns to tell patterns that were drawn for this submission."""
    shares = []
    for _ in range(PATTERNS):
        images, labels = unseen_patterns(rng, 600)
        train_x, test_x = images[:300], images[300:]
        seed = int(rng.integers(2**31))
        module = student.model.build(8, classes=4)
        with student.budget(cpu_seconds=TRAIN_CPU_SECONDS):
            student.model.train(module, train_x, labels[:300], seed, epochs=EPOCHS)
        ours = twin(student, module, 8, classes=4).eval()
        with torch.no_grad():
            found = ours(test_x).argmax(dim=1)
        shares.append(float((found == labels[300:]).double().mean()))
    bar("patterns", sum(shares) / len(shares))


def unseen_patterns(rng, n):
    """Draw images of four classes, each a small texture of its own, in noise of random brightness.

    The textures are drawn for this run, so no weights learnt before know them.
    """
    textures = rng.normal(0, 1, (4, 3, 4, 4))
    labels = rng.integers(0, 4, n)
    images = np.empty((n, 3, 16, 16))
    for number, label in enumerate(labels):
        tiled = np.tile(textures[label], (1, 4, 4))
        shift = rng.integers(0, 4, 2)
        images[number] = np.roll(tiled, tuple(shift), axis=(1, 2)) * rng.uniform(15, 40)
    images += rng.uniform(90, 160, (n, 3, 1, 1)) + rng.normal(0, 20, images.shape)
    return (
        torch.tensor(images.round().clip(0, 255).astype(np.uint8)),
        torch.tensor(labels),
    )
