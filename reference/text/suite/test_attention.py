"""Attention with one head and with several, against numbers by hand and the reference."""

import math

import pytest
import torch

from grader.suite import as_tensor, assert_matches, require, require_unchanged

EXACT = 1e-5
K = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
V = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


def normal(rng, *shape):
    """Return normal numbers."""
    return torch.tensor(rng.normal(0, 1, shape), dtype=torch.float32)


def seen(*rows):
    """Return a mask."""
    return torch.tensor(rows, dtype=torch.bool)


def attend(student, q, k, v, mask, *, finite=True):
    """Let the student's attention answer; return outputs and weights, checked for form."""
    answer = student.layers.attention(q, k, v, mask)
    require(type(answer) in (tuple, list) and len(answer) == 2, "expected (out, weights)")
    out = as_tensor(answer[0], (*q.shape[:-1], v.shape[-1]), torch.float32, finite=finite)
    weights = as_tensor(answer[1], (*q.shape[:-1], k.shape[-2]), torch.float32, finite=finite)
    return out.detach(), weights.detach()


@pytest.mark.item("attention")
@pytest.mark.visibility("visible")
@pytest.mark.hint("Divide scores by sqrt(d), here sqrt(2), and take the softmax over the keys.")
def test_attention_by_hand(student):
    """Two queries, three keys: outputs and the weights of the first query."""
    out, weights = attend(student, torch.eye(2), K, V, torch.ones(2, 3, dtype=torch.bool))
    assert_matches(out, torch.tensor([[2.593327, 3.593327], [3.406673, 4.406673]]), atol=1e-5)
    assert_matches(weights[0], torch.tensor([0.401112093, 0.401112093, 0.197775815]), rtol=EXACT)


@pytest.mark.item("attention")
@pytest.mark.hint("Hidden keys get no weight, and the others' weights sum to 1: mask first.")
def test_a_hidden_key_by_hand(student):
    """Without the third key the first query sees two equal keys: (2, 3)."""
    out, weights = attend(student, torch.eye(2), K, V, seen([1, 1, 0]))
    assert_matches(out, torch.tensor([[2.0, 3.0], [2.3395231, 3.3395231]]), rtol=EXACT)
    assert_matches(weights[:, 2], torch.zeros(2))


@pytest.mark.item("attention")
@pytest.mark.hint("mask is True where a query may look: row t, column s.")
def test_causal_attention_by_hand(student):
    """Three words that see themselves and those before them."""
    x = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    out, _ = attend(student, x, x, x, torch.ones(3, 3, dtype=torch.bool).tril())
    wanted = [[1.0, 0.0], [0.330238451, 0.669761549], [0.751744922, 0.751744922]]
    assert_matches(out, torch.tensor(wanted), rtol=EXACT)


@pytest.mark.item("attention", weight=2)
@pytest.mark.hint("Work on the last two axes, whatever stands before them.")
def test_attention_of_random_batches(student, reference, rng):
    """Batches, heads, sizes that all differ, and masks with one row or one for each query."""
    for lead, t, s, d, e, rows in (
        ((), 3, 4, 5, 2, 3),
        ((2,), 4, 6, 3, 5, 1),
        ((2, 3), 5, 4, 6, 2, 5),
    ):
        mask = torch.tensor(rng.random((*lead, rows, s)) < 0.6)
        mask[..., 0] = True
        given = normal(rng, *lead, t, d), normal(rng, *lead, s, d), normal(rng, *lead, s, e), mask
        wanted = reference.layers.attention(*given)
        assert_matches(attend(student, *given), wanted, rtol=EXACT)


@pytest.mark.item("attention")
@pytest.mark.hint("A row of -inf gives NaN in softmax: fill with the least number, then clear it.")
def test_a_query_that_sees_nothing_gets_zeros(student, rng):
    """Where nothing may be seen, weights and outputs are 0, not NaN."""
    mask = seen([1, 0, 1, 1], [0, 0, 0, 0])
    out, weights = attend(student, *(normal(rng, n, 3) for n in (2, 4, 4)), mask)
    assert_matches(out[1], torch.zeros(3))
    assert_matches(weights[1], torch.zeros(4))


@pytest.mark.item("attention")
@pytest.mark.hint("Fill hidden scores with the least number: -1 or -100 is not out of reach.")
def test_hidden_keys_stay_hidden_however_badly_the_others_fit(student, reference, rng):
    """Keys that fit badly get all the weight where no other may be seen."""
    q, k, v = 1 + normal(rng, 3, 4).abs(), normal(rng, 5, 4), normal(rng, 5, 2)
    k[:3] = -200 - k[:3]  # scores of these are below -300
    wanted, _ = reference.layers.attention(q, k[:3], v[:3], seen([1, 1, 1]))
    found, weights = attend(student, q, k, v, seen([1, 1, 1, 0, 0]))
    assert_matches(found, wanted, rtol=1e-4)
    assert_matches(weights[:, 3:], torch.zeros(3, 2))


@pytest.mark.item("attention", weight=0.5)
@pytest.mark.depends("test_attention_of_random_batches")
@pytest.mark.hint("Use masked_fill, not masked_fill_: scores and inputs are the caller's.")
def test_attention_changes_no_tensor_it_is_given(student, rng):
    """Attention leaves queries, keys, values and mask as they were."""
    q, k, v = normal(rng, 2, 3, 4), normal(rng, 2, 5, 4), normal(rng, 2, 5, 3)
    require_unchanged(student, student.layers.attention, q, k, v, seen([1, 1, 0, 1, 0]))


# ------------------------------------------------------------------------------ several heads


def small(heads, student):
    """Ask for the hand-worked example: two words, unit matrices, no biases."""
    x = torch.tensor([[[1.0, 2.0], [3.0, -1.0]]])
    unit, none = torch.eye(2), torch.zeros(2)
    mask = torch.ones(1, 1, 2, dtype=torch.bool)
    answer = student.layers.multi_head_attention(x, *[unit] * 4, (none,) * 4, heads, mask)
    return as_tensor(answer, (1, 2, 2), torch.float32).detach()[0]


def random_heads(rng, n, t, d):
    """Draw words, weights and biases."""
    weights = [normal(rng, d, d) / math.sqrt(d) for _ in range(4)]
    return normal(rng, n, t, d), weights, tuple(normal(rng, d) for _ in range(4))


@pytest.mark.item("heads")
@pytest.mark.hint("Each head takes its own columns and is scaled by the root of their number.")
@pytest.mark.parametrize(
    ("heads", "wanted"),
    [
        pytest.param(1, [[1.11161444, 1.83257834], [2.99656086, -0.994841295]], id="one"),
        pytest.param(2, [[2.76159416, 1.99258213], [2.99505475, -0.85772238]], id="two"),
    ],
)
def test_heads_by_hand(student, heads, wanted):
    """Two words of two numbers, unit matrices: one head of two, two heads of one."""
    assert_matches(small(heads, student), torch.tensor(wanted), rtol=EXACT)


@pytest.mark.item("heads", weight=3)
@pytest.mark.hint("Cut [B, T, d] into [B, T, H, d/H], then swap T and H: a view alone mixes words.")
def test_random_heads(student, reference, rng, batch):
    """Several heads on padded texts, with weights, biases and sizes that all differ."""
    for n, t, d, heads in ((3, 5, 12, 3), (2, 7, 8, 4), (2, 4, 6, 1)):
        x, weights, biases = random_heads(rng, n, t, d)
        mask = batch(rng, n, t, 9)[1][:, None]
        wanted = reference.layers.multi_head_attention(x, *weights, biases, heads, mask)
        found = student.layers.multi_head_attention(x, *weights, biases, heads, mask)
        assert_matches(as_tensor(found).detach(), wanted, rtol=EXACT)


@pytest.mark.item("heads")
@pytest.mark.hint(
    "Rows of the weights: in_proj of PyTorch is W_q, W_k and W_v one below the other."
)
def test_heads_are_those_of_pytorch(student, rng):
    """With copied weights the result is that of torch.nn.MultiheadAttention."""
    d, heads, (x, weights, biases) = 12, 4, random_heads(rng, 2, 6, 12)
    theirs = torch.nn.MultiheadAttention(d, heads, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat(weights[:3]))
        theirs.in_proj_bias.copy_(torch.cat(biases[:3]))
        theirs.out_proj.weight.copy_(weights[3])
        theirs.out_proj.bias.copy_(biases[3])
        wanted, _ = theirs(x, x, x)
    mask = torch.ones(2, 1, 6, dtype=torch.bool)
    found = student.layers.multi_head_attention(x, *weights, biases, heads, mask)
    assert_matches(as_tensor(found).detach(), wanted, rtol=1e-4)


@pytest.mark.item("heads")
@pytest.mark.hint("mask [B, T, T] has a row for each query, [B, 1, T] one for all.")
def test_heads_obey_a_mask_for_each_query(student, reference, rng):
    """A causal mask is obeyed by every head."""
    x, weights, biases = random_heads(rng, 2, 5, 8)
    mask = torch.ones(2, 5, 5, dtype=torch.bool).tril()
    wanted = reference.layers.multi_head_attention(x, *weights, biases, 2, mask)
    found = student.layers.multi_head_attention(x, *weights, biases, 2, mask)
    assert_matches(as_tensor(found).detach(), wanted, rtol=EXACT)


@pytest.mark.item("heads", weight=0.5)
@pytest.mark.depends("test_random_heads")
@pytest.mark.hint("Without positions attention does not know the order of words.")
def test_words_in_another_order_give_the_same_vectors(student, rng):
    """Words in another order get their vectors in that order."""
    x, weights, biases = random_heads(rng, 2, 6, 8)
    mask, order = torch.ones(2, 1, 6, dtype=torch.bool), torch.tensor(rng.permutation(6))
    plain, moved = (
        as_tensor(student.layers.multi_head_attention(given, *weights, biases, 2, mask)).detach()
        for given in (x, x[:, order])
    )
    require(plain.shape == x.shape, "a vector for each word is expected")
    assert_matches(moved, plain[:, order], rtol=1e-4)
