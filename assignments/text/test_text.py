"""Public tests of the lab text: run ``python -m pytest test_text.py`` beside the folder ``text``.

They need the student's package, NumPy, torch, tokenizers and pytest, and show small examples worked
by hand. Passing them is a good start, not full marks: the hidden tests ask for more.
"""

import functools

import pytest
import torch
from text import layers, model, study


def told(test):
    """Say in one line which function is not written yet, instead of a traceback."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        try:
            return test(*args, **kwargs)
        except NotImplementedError as missing:
            reason = str(missing)
        pytest.fail(reason, pytrace=False)

    return run


def close(actual, expected, tolerance=1e-5):
    """Assert equal shapes and nearly equal values."""
    actual, expected = torch.as_tensor(actual), torch.as_tensor(expected)
    torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance, check_dtype=False)


K = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
V = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


def column(*numbers):
    """Return a state or a word of one text."""
    return torch.tensor([numbers])


def texts(count=40, seed=3):
    """Return texts of two classes: each favours one half of the words."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(count) % 2
    ids = torch.randint(1, 20, (count, 6), generator=generator)
    ids = torch.where(torch.rand(ids.shape, generator=generator) < 0.6, ids + 20 * y[:, None], ids)
    return ids, torch.ones_like(ids, dtype=torch.bool), y


def small_encoder():
    """Return an encoder of one layer, 8 wide, for 40 words: all numbers are small."""
    shapes = {
        "embeddings.word_embeddings.weight": (40, 8),
        "embeddings.position_embeddings.weight": (16, 8),
        "embeddings.token_type_embeddings.weight": (2, 8),
        "embeddings.LayerNorm.weight": (8,),
        "embeddings.LayerNorm.bias": (8,),
    }
    modules = {
        "attention.self.query": (8, 8),
        "attention.self.key": (8, 8),
        "attention.self.value": (8, 8),
        "attention.output.dense": (8, 8),
        "attention.output.LayerNorm": (8,),
        "intermediate.dense": (12, 8),
        "output.dense": (8, 12),
        "output.LayerNorm": (8,),
    }
    for name, shape in modules.items():
        shapes[f"encoder.layer.0.{name}.weight"] = shape
        shapes[f"encoder.layer.0.{name}.bias"] = shape[:1]
    generator = torch.Generator().manual_seed(1)
    tensors = {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    return {**tensors, "heads": 2, "eps": 1e-12}


@told
def test_rnn_cell():
    """One step from 0 on the word 1, then one on the word 0."""
    u, w, b = torch.tensor([[0.5]]), torch.tensor([[1.0]]), torch.zeros(1)
    h = layers.rnn_cell(column(1.0), column(0.0), u, w, b)
    close(h, [[0.761594]])
    close(layers.rnn_cell(column(0.0), h, u, w, b), [[0.363399]])


@told
def test_lstm_cell():
    """All weights 0.5."""
    h, c = layers.lstm_cell(
        column(1.0), column(0.1), column(0.2), torch.full((4, 2), 0.5), torch.zeros(4)
    )
    close(c, [[0.444225]])
    close(h, [[0.264523]])


@told
def test_gru_cell():
    """All weights 0.5, the candidate's bias 0.3; PyTorch's own form would give 0.493793."""
    w, w_h = torch.full((2, 2), 0.5), torch.full((1, 2), 0.5)
    found = layers.gru_cell(column(1.0), column(0.4), w, torch.zeros(2), w_h, torch.tensor([0.3]))
    close(found, [[0.510256]])


@told
def test_unroll_copies_the_state_over_padding():
    """The second text has one word: its state stays."""
    x = torch.tensor([[[1.0], [0.0]], [[1.0], [9.0]]])
    mask = torch.tensor([[True, True], [True, False]])
    weights = torch.tensor([[0.5]]), torch.tensor([[1.0]]), torch.zeros(1)
    out, (last,) = layers.unroll("rnn", x, mask, (torch.zeros(2, 1),), weights)
    close(out[:, :, 0], [[0.761594, 0.363399], [0.761594, 0.761594]])
    close(last, [[0.363399], [0.761594]])


@told
def test_attention():
    """Two queries and three keys; then the third key is hidden."""
    out, _ = layers.attention(torch.eye(2), K, V, torch.ones(1, 3, dtype=torch.bool))
    close(out, [[2.593327, 3.593327], [3.406673, 4.406673]])
    out, weights = layers.attention(torch.eye(2), K, V, torch.tensor([[True, True, False]]))
    close(out[0], [2.0, 3.0])
    close(weights[0], [0.5, 0.5, 0.0])


@told
def test_multi_head_attention():
    """Two words of two numbers, two heads of one."""
    x, unit, none = torch.tensor([[[1.0, 2.0], [3.0, -1.0]]]), torch.eye(2), torch.zeros(2)
    mask = torch.ones(1, 1, 2, dtype=torch.bool)
    out = layers.multi_head_attention(x, unit, unit, unit, unit, (none,) * 4, 2, mask)
    close(out, [[[2.761594, 1.992582], [2.995055, -0.857722]]])


@told
def test_positional_encoding():
    """The second row at d = 4."""
    close(layers.positional_encoding(2, 4)[1], [0.841471, 0.540302, 0.01, 0.99995])


@told
def test_layer_norm():
    """The vector (1, 2, 3, 6)."""
    x = torch.tensor([1.0, 2, 3, 6])
    wanted = [-1.069045, -0.534522, 0, 1.603567]
    close(layers.layer_norm(x, torch.ones(4), torch.zeros(4), 0.0), wanted)


@told
def test_masked_mean():
    """Padding is left out."""
    x = torch.tensor([[[1.0], [3.0], [99.0]]])
    close(layers.masked_mean(x, torch.tensor([[True, True, False]])), [[2.0]])


@told
def test_mask_tokens():
    """About 15 % are selected, special words never."""
    ids = torch.randint(4, 50, (50, 40), generator=torch.Generator().manual_seed(2))
    ids[:, 0] = 1
    special = torch.tensor([0, 1, 2, 3])
    inputs, labels = layers.mask_tokens(ids, special, 50, 3, torch.Generator().manual_seed(0))
    selected = labels != layers.IGNORED
    assert 200 < int(selected.sum()) < 400, f"{int(selected.sum())} of 1950 words are selected"
    assert not selected[:, 0].any(), "a special word is selected"
    close(inputs[~selected], ids[~selected])


@told
def test_mlm_loss():
    """A uniform guess among eight words costs log 8."""
    labels = torch.tensor([[layers.IGNORED, 3]])
    close(layers.mlm_loss(torch.zeros(1, 2, 8), labels), 2.079442)


@told
def test_mix_layers():
    """Layers 1, 2 and 4 by s = (0, log 2, 0), gamma 2."""
    s = torch.tensor([0.0, 0.693147, 0.0])
    close(layers.mix_layers(torch.tensor([[1.0], [2.0], [4.0]]), s, 2.0), [4.5])


@told
def test_learning_rate():
    """Warm-up of 10 steps of 100."""
    found = [layers.learning_rate(step, 10, 100) for step in (0, 4, 9, 50, 99)]
    close(found, [0.1, 0.48, 0.91, 0.5, 0.01])


@pytest.mark.parametrize("method", ["rnn", "transformer"])
@told
def test_a_network_from_scratch_learns_which_words_a_class_favours(method):
    """Forty short texts, two classes."""
    ids, mask, y = texts()
    network = model.from_scratch(method, 40, ids, mask, y, 2, 0, steps=60)
    assert not network.training, "return the network in evaluation mode"
    right = (study.predict(network, ids, mask) == y).double().mean()
    assert right > 0.9, f"{right:.2f} of the texts that were trained on are right"


@told
def test_fine_tuning_starts_from_the_pretrained_weights():
    """No step: the encoder is the pretrained one."""
    pretrained, (ids, mask, y) = small_encoder(), texts()
    network = model.finetune(pretrained, ids, mask, y, 2, 0, steps=0)
    close(network.encoder.layers[0].key.weight.detach(),
          pretrained["encoder.layer.0.attention.self.key.weight"])  # fmt: skip
    close(network(ids, mask).detach(), network(ids, mask).detach())


@told
def test_best_gives_a_network_of_the_same_form():
    """Labels for a few texts, more texts without."""
    ids, mask, y = texts()
    network = model.best(small_encoder(), ids[:8], mask[:8], y[:8], 2, 0, ids[8:], mask[8:])
    assert network(ids, mask).shape == (40, 2)


@told
def test_few_labels():
    """Two texts of each of two classes, of those to train on."""
    y, train = torch.tensor([0, 1, 0, 1, 0, 1]), torch.tensor([5, 4, 3, 2])
    found = study.few_labels(y, train, 2, 0).tolist()
    assert sorted(found[:2]) == [2, 4] and sorted(found[2:]) == [3, 5]


@told
def test_run_cell_gives_the_same_number_for_the_same_seed():
    """A cell can be run again."""
    ids, mask, y = texts()
    data = {"pretrained": small_encoder(), "ids": ids, "mask": mask, "y": y, "classes": 2}
    data |= {"train": torch.arange(20), "test": torch.arange(20, 40)}
    first, again = (study.run_cell("finetuned", 5, 1, data) for _ in range(2))
    assert 0 <= first <= 1
    assert abs(first - again) < 1e-6
