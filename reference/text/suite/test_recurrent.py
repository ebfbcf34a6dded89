"""The three cells, against numbers by hand and the reference, and how they read padded texts."""

import pytest
import torch

from grader.suite import as_tensor, assert_matches, expect_raises, require, require_unchanged

EXACT = 1e-5  # float32 keeps 7 digits; no other formula comes this near
CELLS = ("rnn", "lstm", "gru")


def ones(*rows):
    """Return a tensor of the rows."""
    return torch.tensor(rows, dtype=torch.float32)


def normal(rng, *shape):
    """Return normal numbers."""
    return torch.tensor(rng.normal(0, 0.7, shape), dtype=torch.float32)


def weights_of(rng, cell, d, h):
    """Draw the weights of a cell, in the order of its arguments."""
    shapes = {
        "rnn": ((h, h), (h, d), (h,)),
        "lstm": ((4 * h, h + d), (4 * h,)),
        "gru": ((2 * h, h + d), (2 * h,), (h, h + d), (h,)),
    }
    return tuple(normal(rng, *shape) for shape in shapes[cell])


def states_of(rng, cell, n, h):
    """Draw a state of a cell: (h,), of an LSTM (h, c)."""
    return tuple(normal(rng, n, h) for _ in range(2 if cell == "lstm" else 1))


def as_states(answer, n, h, count):
    """Take an answer for a tuple of `count` states."""
    require(type(answer) in (tuple, list) and len(answer) == count, "expected a tuple of states")
    return tuple(as_tensor(state, (n, h), torch.float32).detach() for state in answer)


@pytest.mark.item("recurrent")
@pytest.mark.visibility("visible")
@pytest.mark.hint("h' = tanh(U h + W x + b); U acts on the state, W on the word.")
def test_rnn_by_hand(student):
    """Three steps with U = 0.5 and W = 1 on the words 1, 0, 0."""
    h = ones([0.0])
    for x, wanted in ((1.0, 0.761594), (0.0, 0.363399), (0.0, 0.179726)):
        h = student.layers.rnn_cell(ones([x]), h, ones([0.5]), ones([1.0]), ones(0.0))
        assert_matches(h, ones([wanted]), atol=2e-6)


@pytest.mark.item("recurrent")
@pytest.mark.hint("The new memory is f c + i tanh(a), the state sigmoid(o) tanh(c').")
def test_lstm_by_hand(student):
    """One step with all weights 0.5: c = 0.4442, h = 0.2645."""
    w, b = torch.full((4, 2), 0.5), torch.zeros(4)
    answer = student.layers.lstm_cell(ones([1.0]), ones([0.1]), ones([0.2]), w, b)
    h, c = as_states(answer, 1, 1, 2)
    assert_matches(c, ones([0.444224798]), rtol=EXACT)
    assert_matches(h, ones([0.264523473]), rtol=EXACT)


@pytest.mark.item("recurrent")
@pytest.mark.hint("Rows in the order candidate, output, input, forget, columns h before x.")
def test_lstm_of_four_gates_by_hand(student):
    """Each gate with weights of its own: they stand in the order of the slide."""
    # f = s(x + 1), i = s(-x), o = s(h), candidate tanh(2x - 1); columns [h; x].
    w = ones([0.0, 2.0], [1.0, 0.0], [0.0, -1.0], [0.0, 1.0])
    b = ones(-1.0, 0.0, 0.0, 1.0)
    h, c = ones([0.1]), ones([0.2])
    for x, c_next, h_next in ((1.0, 0.38098363, 0.190862163), (0.0, -0.102275727, -0.055808787)):
        h, c = as_states(student.layers.lstm_cell(ones([x]), h, c, w, b), 1, 1, 2)
        assert_matches(c, ones([c_next]), rtol=EXACT)
        assert_matches(h, ones([h_next]), rtol=EXACT)


@pytest.mark.item("recurrent")
@pytest.mark.hint("h' = z h + (1 - z) a: z keeps the old state.")
def test_gru_by_hand(student):
    """One step with all weights 0.5 and a candidate's bias of 0.3: h = 0.5103."""
    w, w_h = torch.full((2, 2), 0.5), torch.full((1, 2), 0.5)
    found = student.layers.gru_cell(ones([1.0]), ones([0.4]), w, torch.zeros(2), w_h, ones(0.3))
    assert_matches(found, ones([0.510256339]), rtol=EXACT)


@pytest.mark.item("recurrent")
@pytest.mark.hint("r multiplies h before W_h does; PyTorch's own GRU does it after.")
def test_reset_gate_acts_before_the_matrix(student):
    """Two units that change places: the reset gate acts on the old state, then the matrix."""
    w = torch.zeros(4, 3)
    b = ones(-30.0, -30.0, 1.0, -1.0)  # z = 0, r = sigmoid(1, -1)
    w_h = ones([0.0, 1.0, 0.0], [1.0, 0.0, 0.0])
    h = ones([0.4, -0.2])
    found = student.layers.gru_cell(torch.zeros(1, 1), h, w, b, w_h, torch.zeros(2))
    assert_matches(found, ones([-0.0537364712, 0.28436381]), rtol=EXACT)


@pytest.mark.item("recurrent", weight=2)
@pytest.mark.hint("Weights stand as [out, in]: x W^T.")
@pytest.mark.parametrize("cell", CELLS)
def test_a_step_of_random_batches(student, reference, rng, cell):
    """A step of each cell on batches, with all sizes different."""
    for n, d, h in ((4, 3, 5), (1, 6, 2)):
        state, weights = states_of(rng, cell, n, h), weights_of(rng, cell, d, h)
        name, x = f"{cell}_cell", normal(rng, n, d)
        wanted = getattr(reference.layers, name)(x, *state, *weights)
        answer = getattr(student.layers, name)(x, *state, *weights)
        if cell == "lstm":
            answer = as_states(answer, n, h, 2)
        assert_matches(answer, wanted, rtol=EXACT)


@pytest.mark.item("recurrent", weight=2)
@pytest.mark.depends("test_a_step_of_random_batches")
@pytest.mark.hint("Where the mask is False keep the whole state: h, and c of an LSTM.")
@pytest.mark.parametrize("cell", CELLS)
def test_unrolling_copies_the_state_over_padding(student, reference, rng, batch, cell):
    """Outputs after every step and the last state, on texts of several lengths."""
    _, mask = batch(rng, 5, 7, 9)
    mask[2, 1] = False  # padding may stand anywhere
    x, state = normal(rng, 5, 7, 3), states_of(rng, cell, 5, 4)
    weights = weights_of(rng, cell, 3, 4)
    answer = student.layers.unroll(cell, x, mask, state, weights)
    require(type(answer) in (tuple, list) and len(answer) == 2, "expected (outputs, state)")
    outputs, last = reference.layers.unroll(cell, x, mask, state, weights)
    assert_matches(as_tensor(answer[0]).detach(), outputs, rtol=EXACT)
    assert_matches(as_states(answer[1], 5, 4, len(last)), last, rtol=EXACT)


@pytest.mark.item("recurrent")
@pytest.mark.depends("test_unrolling_copies_the_state_over_padding")
@pytest.mark.hint("The content of padding must not get into the state, not even multiplied by 0.")
@pytest.mark.parametrize("cell", CELLS)
def test_what_stands_in_padding_changes_nothing(student, rng, batch, cell):
    """Other numbers in padding, and more of it, give the same last state."""
    _, mask = batch(rng, 4, 6, 9)
    x, state = normal(rng, 4, 6, 3), states_of(rng, cell, 4, 4)
    weights = weights_of(rng, cell, 3, 4)
    other = torch.where(mask[:, :, None], x, 1e6)
    longer = torch.cat([other, normal(rng, 4, 3, 3)], dim=1)
    more = torch.cat([mask, torch.zeros(4, 3, dtype=torch.bool)], dim=1)
    found = [
        as_states(student.layers.unroll(cell, *pair, state, weights)[1], 4, 4, len(state))
        for pair in ((x, mask), (other, mask), (longer, more))
    ]
    for states in found[1:]:
        assert_matches(states, found[0], rtol=EXACT)


@pytest.mark.item("recurrent", weight=0.5)
@pytest.mark.depends("test_unrolling_copies_the_state_over_padding")
@pytest.mark.hint("Raise ValueError for a cell that is none of rnn, lstm and gru.")
def test_unknown_cells_are_refused(student, rng):
    """An unknown cell raises ValueError."""
    x, mask = normal(rng, 2, 3, 3), torch.ones(2, 3, dtype=torch.bool)
    with expect_raises(ValueError):
        student.layers.unroll("no such cell", x, mask, states_of(rng, "rnn", 2, 4), ())


@pytest.mark.item("recurrent", weight=0.5)
@pytest.mark.depends("test_a_step_of_random_batches")
@pytest.mark.hint("Return new tensors: the caller's states stay as they are.")
def test_cells_change_no_tensor_they_are_given(student, rng):
    """Cells and unroll leave words, states and weights as they were."""
    for cell in CELLS:
        state, weights = states_of(rng, cell, 3, 4), weights_of(rng, cell, 2, 4)
        function = getattr(student.layers, f"{cell}_cell")
        require_unchanged(student, function, normal(rng, 3, 2), *state, *weights)
        mask = torch.ones(3, 5, dtype=torch.bool)
        x = normal(rng, 3, 5, 2)
        require_unchanged(student, student.layers.unroll, cell, x, mask, state, weights)
