"""The parts of the reference, against PyTorch's own and against properties."""

import math

import pytest
import torch
from torch import nn


def normal(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_an_lstm_is_that_of_pytorch_with_its_rows_in_another_order(text):
    d, h = 3, 5
    theirs = nn.LSTM(d, h, batch_first=True)
    x = normal(4, 7, d)
    w = torch.cat([theirs.weight_hh_l0, theirs.weight_ih_l0], dim=1)
    i, f, a, o = w.chunk(4)
    bi, bf, ba, bo = (theirs.bias_hh_l0 + theirs.bias_ih_l0).chunk(4)
    weights = torch.cat([a, o, i, f]), torch.cat([ba, bo, bi, bf])
    state = torch.zeros(4, h), torch.zeros(4, h)
    mask = torch.ones(4, 7, dtype=torch.bool)
    found, (last, memory) = text.layers.unroll("lstm", x, mask, state, weights)
    wanted, (hn, cn) = theirs(x)
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(last, hn[0])
    torch.testing.assert_close(memory, cn[0])


def test_an_rnn_is_that_of_pytorch(text):
    theirs = nn.RNN(3, 5, batch_first=True)
    x, mask = normal(4, 7, 3), torch.ones(4, 7, dtype=torch.bool)
    bias = theirs.bias_hh_l0 + theirs.bias_ih_l0
    weights = theirs.weight_hh_l0, theirs.weight_ih_l0, bias
    found, _ = text.layers.unroll("rnn", x, mask, (torch.zeros(4, 5),), weights)
    torch.testing.assert_close(found, theirs(x)[0])


def test_a_gru_differs_from_pytorchs_by_where_r_acts(text):
    w, w_h = torch.full((2, 2), 0.5), torch.full((1, 2), 0.5)
    one, h = torch.ones(1, 1), torch.full((1, 1), 0.4)
    found = text.layers.gru_cell(one, h, w, torch.zeros(2), w_h, torch.tensor([0.3]))
    assert found.item() == pytest.approx(0.510256339)


def test_attention_is_that_of_pytorch(text):
    q, k, v = normal(2, 3, 4, 5), normal(2, 3, 6, 5, seed=1), normal(2, 3, 6, 5, seed=2)
    mask = normal(2, 3, 4, 6, seed=3) > -1
    mask[..., 0] = True
    found, weights = text.layers.attention(q, k, v, mask)
    wanted = nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(2, 3, 4))


def test_gradients_are_finite_where_a_query_sees_nothing(text):
    q = normal(2, 3).requires_grad_()
    out, _ = text.layers.attention(q, normal(4, 3), normal(4, 3), torch.zeros(2, 4, dtype=bool))
    out.sum().backward()
    assert torch.equal(out, torch.zeros(2, 3)) and q.grad.isfinite().all()


def test_a_norm_is_that_of_pytorch(text):
    x, gamma, beta = normal(3, 4, 6), normal(6, seed=1), normal(6, seed=2)
    for eps in (1e-12, 0.1):
        wanted = nn.functional.layer_norm(x, (6,), gamma, beta, eps)
        torch.testing.assert_close(text.layers.layer_norm(x, gamma, beta, eps), wanted)


def test_inner_products_of_places_hang_on_their_distance_alone(text):
    pe = text.layers.positional_encoding(40, 4).double()
    products = pe @ pe.T
    for distance in range(10):
        along = products.diagonal(distance)
        torch.testing.assert_close(along, along[:1].expand_as(along), rtol=0, atol=1e-6)
    assert products[3, 5].item() == pytest.approx(0.58365317, abs=1e-6)


def test_the_masked_loss_is_cross_entropy_that_ignores(text):
    logits, labels = normal(3, 5, 7), torch.arange(15).reshape(3, 5) % 7
    labels[labels % 2 == 0] = text.layers.IGNORED
    wanted = nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
    torch.testing.assert_close(text.layers.mlm_loss(logits, labels), wanted)


def test_a_uniform_guess_of_bert_costs_the_logarithm_of_its_words(text):
    loss = text.layers.mlm_loss(torch.zeros(1, 1, 30522), torch.zeros(1, 1, dtype=torch.int64))
    assert loss.item() == pytest.approx(math.log(30522))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA: torch finds no GPU")
def test_everything_follows_its_input_to_the_gpu(text):
    ids = torch.randint(1, 30, (8, 6), device="cuda")
    mask, y = torch.ones_like(ids, dtype=torch.bool), torch.arange(8, device="cuda") % 2
    special = torch.tensor([0], device="cuda")
    inputs, labels = text.layers.mask_tokens(ids, special, 30, 1, torch.Generator().manual_seed(0))
    assert inputs.is_cuda and labels.is_cuda
    for method in ("rnn", "transformer"):
        model = text.model.from_scratch(method, 30, ids, mask, y, 2, 0, steps=2)
        assert model(ids, mask).is_cuda
