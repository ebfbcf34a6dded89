"""The pretrained encoder: loaded as it was published, fine-tuned as it is told.

The encoders are drawn for this submission: nobody trained them, and every part of them matters.
"""

import pytest
import torch

from grader.suite import as_object, as_tensor, assert_matches, expect_raises, require, set_training

CLOSE = 1e-4  # float32 through a few layers in another order of sums
WIDTH, VOCAB, CLASSES = 24, 40, 3


def encoder_of(student):
    """Return the student's class Encoder."""
    return as_object(student.model.Encoder.fetch())


def loaded(student, pretrained, layers=None, **options):
    """Let the student's Encoder take up the weights, in evaluation mode."""
    module = as_object(encoder_of(student).load(pretrained, layers, **options))
    set_training(module, False)
    return module


def read(module, ids, mask):
    """Return what stands for each word of the texts; padding is cleared."""
    answer = as_tensor(as_object(module)(ids, mask), (*ids.shape, WIDTH)).detach()
    return answer.float() * mask[:, :, None]


@torch.no_grad()
def published(reference, pretrained, layers, ids, mask):
    """Return what our encoder gives for each word."""
    encoder = reference.model.Encoder.load(pretrained, layers).eval()
    return encoder(ids, mask) * mask[:, :, None]


@pytest.mark.item("finetuned", weight=2)
@pytest.mark.hint(
    "Words, places from 0, kind 0 and the norm; then each layer with its own weights, in order."
)
def test_the_loaded_encoder_is_the_published_one(student, reference, drawn_encoder, rng, batch):
    """Vectors of words are those of the published encoder, with all its parts."""
    for eps, heads in ((0.05, 3), (1e-12, 4)):
        pretrained = drawn_encoder(rng, eps=eps, heads=heads)
        ids, mask = batch(rng, 4, 9, VOCAB)
        wanted = published(reference, pretrained, None, ids, mask)
        assert_matches(read(loaded(student, pretrained), ids, mask), wanted, rtol=CLOSE)


@pytest.mark.item("finetuned")
@pytest.mark.depends("test_the_loaded_encoder_is_the_published_one")
@pytest.mark.hint("`layers` takes the first ones; ValueError below 1 and above all that there are.")
def test_the_first_layers_can_be_taken(student, reference, drawn_encoder, rng, batch):
    """One and two of three layers are the first ones; more than there are raises ValueError."""
    pretrained = drawn_encoder(rng)
    ids, mask = batch(rng, 4, 9, VOCAB)
    for layers in (1, 2, 3):
        wanted = published(reference, pretrained, layers, ids, mask)
        assert_matches(read(loaded(student, pretrained, layers), ids, mask), wanted, rtol=CLOSE)
    for layers in (0, 4):
        with expect_raises(ValueError):
            encoder_of(student).load(pretrained, layers)


@pytest.mark.item("finetuned")
@pytest.mark.depends("test_the_loaded_encoder_is_the_published_one")
@pytest.mark.hint("The head gets the mean over words, padding left out.")
def test_output_of_the_fine_tuned_network(
    student, reference, drawn_encoder, twin, require_twin, rng, batch
):
    """Logits are head of the mean of the words' vectors; padding changes nothing."""
    pretrained = drawn_encoder(rng, layers=2)
    encoder = as_object(encoder_of(student).load(pretrained))
    module = as_object(student.model.FineTuned(encoder, CLASSES))
    set_training(module, False)
    ours = twin(
        module, reference.model.FineTuned(reference.model.Encoder.load(pretrained), CLASSES)
    )
    ids, mask = batch(rng, 5, 8, VOCAB)
    require_twin(module, ours, ids, mask, CLASSES)
    more = torch.cat([ids, torch.full((5, 3), 7)], dim=1)
    wide = torch.cat([mask, torch.zeros(5, 3, dtype=torch.bool)], dim=1)
    found = as_tensor(module(more, wide), (5, CLASSES)).detach().float()
    with torch.no_grad():
        assert_matches(found, ours(ids, mask), rtol=CLOSE)


@pytest.mark.item("finetuned", weight=0.5)
@pytest.mark.depends("test_output_of_the_fine_tuned_network")
@pytest.mark.hint("Dropout behind the embeddings' norm and in each layer, in training mode alone.")
def test_the_encoder_drops_in_training_alone(student, drawn_encoder, rng, batch):
    """In training mode two passes differ, in evaluation mode they do not."""
    module = as_object(encoder_of(student).load(drawn_encoder(rng), None, 0.5))
    texts = batch(rng, 4, 6, VOCAB)
    for training in (True, False):
        set_training(module, training)
        one, two = (read(module, *texts) for _ in range(2))
        require(torch.equal(one, two) != training, "dropout is on in the wrong mode")


# ------------------------------------------------------------------------------ fine-tuning


def copies(rng, count=6, words=7):
    """Return one text, many times: no order of batches matters."""
    ids = torch.tensor(rng.integers(1, VOCAB, (1, words))).repeat(count, 1)
    return ids, torch.ones_like(ids, dtype=torch.bool), torch.full((count,), 2)


@pytest.fixture
def tune(student, reference, twin):
    """Give ``tune(pretrained, texts, **options)``: our twin of a fine-tuned network."""

    def run(pretrained, texts, seed=5, classes=CLASSES, **options):
        module = student.model.finetune(pretrained, *texts, classes, seed, **options)
        encoder = reference.model.Encoder.load(pretrained, dropout=0.0)
        return twin(module, reference.model.FineTuned(encoder, classes, 0.0))

    return run


def state_of(ours):
    """Return a copy of a network's parameters by name."""
    return {name: p.detach().clone() for name, p in ours.named_parameters()}


@pytest.mark.item("finetuned")
@pytest.mark.hint("steps = 0 returns the network as it starts: pretrained weights, a new head.")
def test_fine_tuning_starts_from_the_pretrained_weights(tune, reference, drawn_encoder, rng):
    """After no step the encoder is the pretrained one; seeds give different heads."""
    pretrained, texts = drawn_encoder(rng, layers=2), copies(rng)
    wanted = state_of(reference.model.Encoder.load(pretrained))
    one, same, other = (state_of(tune(pretrained, texts, seed, steps=0)) for seed in (1, 1, 2))
    for name, tensor in wanted.items():
        assert_matches(one[f"encoder.{name}"], tensor, rtol=1e-6)
    head = "head.weight"
    require(torch.equal(one[head], same[head]), "one seed gave two heads")
    require(not torch.equal(one[head], other[head]), "two seeds gave one head")


@pytest.mark.item("finetuned", weight=2)
@pytest.mark.depends("test_fine_tuning_starts_from_the_pretrained_weights")
@pytest.mark.hint("All layers are trained, the tables and their norm are not; head has its rate.")
def test_fine_tuning_trains_the_layers(tune, reference, drawn_encoder, rng):
    """Steps on one text are those of `train`, on the layers and the head; tables stay."""
    pretrained, texts = drawn_encoder(rng, layers=2), copies(rng)
    plan = {"steps": 5, "batch": 3, "rate": 1e-3, "head_rate": 1e-2, "decay": 0.02, "warmup": 0.4}
    plan["clip"] = 0.5
    ours = tune(pretrained, texts, steps=0, dropout=0.0)
    before = state_of(ours)
    for part in (ours.encoder.words, ours.encoder.places, ours.encoder.kinds, ours.encoder.norm):
        part.requires_grad_(False)
    reference.model.train(ours, *texts, 0, **plan)
    wanted, found = state_of(ours), state_of(tune(pretrained, texts, dropout=0.0, **plan))
    for name, start in before.items():
        if name.endswith("key.bias"):
            continue  # it adds the same to all scores of a query: its gradient is rounding alone
        move, theirs = wanted[name] - start, found[name] - start
        scale = float(move.abs().max())
        if scale == 0:
            require(float(theirs.abs().max()) == 0, f"{name} must not move")
            continue
        clear = move.abs() > 0.3 * scale
        off = float(((theirs - move)[clear].abs() / move[clear].abs()).median())
        require(off < 0.02, f"the moves of {name} are {off:.1%} off")


@pytest.mark.item("finetuned")
@pytest.mark.depends("test_fine_tuning_trains_the_layers")
@pytest.mark.hint("freeze = k: the first k layers keep their weights.")
def test_frozen_layers_keep_their_weights(tune, drawn_encoder, rng):
    """With freeze the first layers stay, the others and the head are trained."""
    pretrained, texts = drawn_encoder(rng), copies(rng)
    before = state_of(tune(pretrained, texts, steps=0))
    for freeze in (1, 3):
        after = state_of(tune(pretrained, texts, steps=2, freeze=freeze))
        for layer in range(3):
            name = f"encoder.layers.{layer}.query.weight"
            moved = not torch.equal(before[name], after[name])
            require(moved == (layer >= freeze), f"layer {layer} with freeze={freeze}")
        require(not torch.equal(before["head.weight"], after["head.weight"]), "head is frozen")


@pytest.mark.item("finetuned")
@pytest.mark.depends("test_fine_tuning_starts_from_the_pretrained_weights")
@pytest.mark.hint("torch.manual_seed(seed) at the start; dropout is on while training.")
def test_the_seed_decides_fine_tuning(tune, drawn_encoder, rng, batch):
    """Equal seeds give equal networks, other seeds others; dropout changes what is learnt."""
    pretrained, (ids, mask) = drawn_encoder(rng, layers=2), batch(rng, 9, 7, VOCAB)
    texts = ids, mask, torch.arange(9) % CLASSES

    def network(seed, **options):
        parameters = tune(pretrained, texts, seed, steps=3, rate=1e-3, **options).parameters()
        return torch.cat([p.detach().flatten() for p in parameters])

    one, same, other, dry = (
        network(7), network(7), network(8), network(7, dropout=0.0),
    )  # fmt: skip
    require(float((one - same).abs().max()) < 1e-5, "one seed gave two networks")
    require(float((one - other).abs().max()) > 1e-4, "two seeds gave one network")
    require(float((one - dry).abs().max()) > 1e-4, "dropout changes nothing")


@pytest.mark.item("finetuned", weight=0.5)
@pytest.mark.depends("test_fine_tuning_trains_the_layers")
@pytest.mark.hint("Copy the weights: torch.nn.Parameter(tensor) shares its memory.")
def test_pretrained_weights_are_not_changed(student, drawn_encoder, rng):
    """Loading and fine-tuning leave the pretrained tensors as they were."""
    pretrained, texts = drawn_encoder(rng, layers=2), copies(rng)
    names = [name for name in pretrained if "." in name]
    held = {name: student.hold(pretrained[name]) for name in names}
    given = {**pretrained, **held}
    student.model.finetune(given, *texts, CLASSES, 1, steps=2, rate=0.1)
    for name in names:
        now = as_tensor(held[name].ask("held"), tuple(pretrained[name].shape))
        require(torch.equal(now, pretrained[name]), f"{name} was changed in place")
