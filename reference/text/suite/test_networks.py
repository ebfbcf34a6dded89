"""The classifiers compute what their parameters say, whatever a text is filled up with.

The parameters are drawn for this submission and given to the network by name.
"""

import pytest
import torch

from grader.suite import as_object, expect_raises, require, set_training

VOCAB, CLASSES = 30, 3
SMALL = {"dim": 8, "dropout": 0.0}


def rnn_of(module, cell="gru", **options):
    """Make an RNNClassifier with sizes that all differ."""
    return module.model.RNNClassifier(VOCAB, CLASSES, cell=cell, hidden=6, **SMALL, **options)


def transformer_of(module, **options):
    """Make a TransformerClassifier with sizes that all differ."""
    chosen = {"layers": 2, "heads": 2, "ff": 12, **SMALL, **options}
    return module.model.TransformerClassifier(VOCAB, CLASSES, **chosen)


KINDS = {
    "rnn": lambda module, **options: rnn_of(module, "rnn", **options),
    "lstm": lambda module, **options: rnn_of(module, "lstm", **options),
    "gru": lambda module, **options: rnn_of(module, "gru", **options),
    "both-ways": lambda module, **options: rnn_of(module, "lstm", bidirectional=True, **options),
    "transformer": transformer_of,
}


@pytest.fixture
def still(student, reference, dressed, rng):
    """Give ``still(kind)``: a network of the student's, in evaluation mode, and our twin of it."""

    def make(kind, **options):
        module = as_object(KINDS[kind](student, **options))
        set_training(module, False)
        return module, dressed(module, KINDS[kind](reference, **options), rng)

    return make


@pytest.mark.item("networks", weight=3)
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("rnn", marks=pytest.mark.hint("The mean of the states, then head.")),
        pytest.param("lstm", marks=pytest.mark.hint("The mean of the states h, not of c.")),
        pytest.param("gru", marks=pytest.mark.hint("The mean of the states, then head.")),
        pytest.param(
            "both-ways",
            marks=pytest.mark.hint(
                "Turn words and mask round, run the second cell, and turn its states back."
            ),
        ),
        pytest.param(
            "transformer",
            marks=pytest.mark.hint(
                "norm(words + places), then each layer once, in order; padding is seen by none."
            ),
        ),
    ],
)
def test_output_of_a_classifier(still, require_twin, rng, batch, kind):
    """Logits are what the parameters give, on texts of several lengths."""
    require_twin(*still(kind), *batch(rng, 6, 9, VOCAB), CLASSES)


@pytest.mark.item("networks")
@pytest.mark.depends("test_output_of_a_classifier")
@pytest.mark.hint("No state, no query and no mean may take part of padding.")
@pytest.mark.parametrize("kind", list(KINDS))
def test_padding_changes_nothing(still, output_of, rng, batch, kind):
    """More padding, other numbers in it and other texts beside it change no logit."""
    module, _ = still(kind)
    ids, mask = batch(rng, 5, 7, VOCAB)
    plain = output_of(module, ids, mask, CLASSES)
    more = torch.cat([ids, torch.tensor(rng.integers(1, VOCAB, (5, 4)))], dim=1)
    wide = torch.cat([mask, torch.zeros(5, 4, dtype=torch.bool)], dim=1)
    filled = torch.where(mask, ids, int(rng.integers(1, VOCAB)))
    alone = [output_of(module, ids[n : n + 1], mask[n : n + 1], CLASSES) for n in range(len(ids))]
    found = {
        "more padding": output_of(module, more, wide, CLASSES),
        "other numbers in it": output_of(module, filled, mask, CLASSES),
        "a text alone": torch.cat(alone),
    }
    for what, other in found.items():
        error = float((other - plain).abs().max())
        require(error < 1e-4 * (1 + float(plain.abs().max())), f"{what}: {error:.2g} off")


@pytest.mark.item("networks")
@pytest.mark.depends("test_output_of_a_classifier")
@pytest.mark.hint("Without positions a Transformer is blind to order, with them it is not.")
def test_order_matters_with_positions_alone(still, output_of, rng):
    """Words in another order give the same logits without positions, and others with them."""
    ids = torch.tensor(rng.permutation(VOCAB - 1)[:12] + 1)[None]
    mask = torch.ones_like(ids, dtype=torch.bool)
    turned = ids.flip(1)
    for positions in (True, False):
        module, _ = still("transformer", positions=positions)
        one, other = (output_of(module, given, mask, CLASSES) for given in (ids, turned))
        far = float((one - other).abs().max())
        if positions:
            require(far > 1e-4, "the order of words changes nothing")
        else:
            require(far < 1e-4, f"{far:.2g} off: where do places come in?")


@pytest.mark.item("networks")
@pytest.mark.hint("Use nn.Dropout, or self.training: nothing is dropped in evaluation mode.")
@pytest.mark.parametrize("kind", ["gru", "transformer"])
def test_dropout_is_for_training(
    student, reference, dressed, output_of, require_twin, rng, batch, kind
):
    """In evaluation mode nothing is dropped; in training mode something is."""
    options = {**SMALL, "dropout": 0.5, "layers": 1, "heads": 2} if kind == "transformer" else {}

    def make(module):
        if kind == "transformer":
            return module.model.TransformerClassifier(VOCAB, CLASSES, **options)
        return module.model.RNNClassifier(VOCAB, CLASSES, dim=8, hidden=6, dropout=0.5)

    module = as_object(make(student))
    texts = batch(rng, 8, 6, VOCAB)
    set_training(module, False)
    require_twin(module, dressed(module, make(reference), rng), *texts, CLASSES)
    set_training(module, True)
    one, two = (output_of(module, *texts, CLASSES) for _ in range(2))
    require(not torch.equal(one, two), "in training mode dropout changes nothing")


@pytest.mark.item("networks", weight=0.5)
@pytest.mark.depends("test_output_of_a_classifier")
@pytest.mark.hint("A text without words: the mean over no words is 0, not NaN.")
@pytest.mark.parametrize("kind", ["both-ways", "transformer"])
def test_a_text_without_words(still, require_twin, rng, batch, kind):
    """A text of padding alone gets finite logits: those of head on zeros."""
    ids, mask = batch(rng, 3, 5, VOCAB)
    mask[1] = False
    require_twin(*still(kind), ids, mask, CLASSES)


@pytest.mark.item("networks", weight=0.5)
@pytest.mark.depends("test_output_of_a_classifier")
@pytest.mark.hint("Keep the given constructor: it raises ValueError for an unknown cell.")
def test_unknown_cells_make_no_network(student):
    """An unknown cell raises ValueError."""
    with expect_raises(ValueError):
        student.model.RNNClassifier(VOCAB, CLASSES, cell="no such cell")
