"""The layers by hand against torch's own, and numbers worked by hand."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

GEOMETRIES = [(1, 0, 1), (2, 1, 1), (3, 2, 1), (1, 2, 2), (2, 3, 3)]


def close(actual, expected, tolerance=1e-10):
    torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance)


def draw(*shape):
    return torch.randn(shape, dtype=torch.float64, requires_grad=True)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.mark.parametrize(("stride", "padding", "dilation"), GEOMETRIES)
@pytest.mark.parametrize("kernel", [(3, 3), (1, 2), (2, 1)], ids=str)
def test_convolution_and_its_gradients_agree_with_torch(cnn, stride, padding, dilation, kernel):
    x, w, b = draw(2, 3, 9, 11), draw(4, 3, *kernel), draw(4)
    expected = F.conv2d(x, w, b, stride, padding, dilation)
    dy = torch.randn_like(expected)
    expected.backward(dy)
    plain = [tensor.detach() for tensor in (x, w, b)]
    close(cnn.layers.conv2d(*plain, stride, padding, dilation), expected.detach())
    found = cnn.layers.conv2d_backward(dy, plain[0], plain[1], stride, padding, dilation)
    for gradient, tensor in zip(found, (x, w, b), strict=True):
        close(gradient, tensor.grad)


def test_convolutions_of_the_lecture(cnn):
    x = torch.tensor([[1.0, 2, 3, 0], [0, 1, 2, 3], [3, 0, 1, 2], [2, 3, 0, 1]])[None, None]
    w = torch.tensor([[2.0, 0, 1], [0, 1, 2], [1, 0, 2]])[None, None]
    assert cnn.layers.conv2d(x, w).tolist() == [[[[15, 16], [6, 15]]]]
    assert cnn.layers.conv2d(x, w, torch.tensor([3.0])).tolist() == [[[[18, 19], [9, 18]]]]
    assert cnn.layers.conv2d(x, w.flip(2, 3)).tolist() == [[[[11, 12], [10, 11]]]]


@pytest.mark.parametrize(("n", "expected"), [(28, 10), (31, 11)])
def test_out_size_of_the_lecture(cnn, n, expected):
    assert cnn.layers.out_size(n, 5, padding=2, stride=3) == expected


def test_a_kernel_that_does_not_fit_is_refused_with_the_sizes(cnn):
    with pytest.raises(ValueError, match="reaches over 5 does not fit 4"):
        cnn.layers.out_size(4, 3, dilation=2)


def test_parameter_counts_are_those_of_torch(cnn):
    layers = [("conv", 3, 5, 4), ("linear", 7, 2), ("norm", 6)]
    modules = [nn.Conv2d(3, 5, 4), nn.Linear(7, 2), nn.BatchNorm2d(6)]
    expected = [sum(p.numel() for p in module.parameters()) for module in modules]
    assert cnn.layers.parameter_count(layers) == expected
    with pytest.raises(ValueError, match="conv, linear, norm"):
        cnn.layers.parameter_count([("pool", 2)])


@pytest.mark.parametrize(("k", "stride"), [(2, None), (3, 2), (2, 3), (3, 1)])
def test_pooling_and_its_gradient_agree_with_torch(cnn, k, stride):
    x = draw(2, 3, 7, 10)
    expected = F.max_pool2d(x, k, stride)
    dy = torch.randn_like(expected)
    expected.backward(dy)
    close(cnn.layers.maxpool2d(x.detach(), k, stride), expected.detach())
    close(cnn.layers.maxpool2d_backward(dy, x.detach(), k, stride), x.grad)


def test_of_equal_pixels_the_first_gets_the_gradient_as_in_torch(cnn):
    x = torch.zeros(1, 1, 5, 5, dtype=torch.float64, requires_grad=True)
    F.max_pool2d(x, 3, 2).sum().backward()
    found = cnn.layers.maxpool2d_backward(torch.ones(1, 1, 2, 2).double(), x.detach(), 3, 2)
    close(found, x.grad)


@pytest.mark.parametrize("shape", [(7, 3), (4, 3, 5, 2)], ids=["vectors", "images"])
@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_agrees_with_torch(cnn, shape, training):
    x, gamma, beta = draw(*shape), draw(3), draw(3)
    mean, variance = torch.randn(3).double(), torch.rand(3).double() + 0.5
    theirs = mean.clone(), variance.clone()
    expected = F.batch_norm(x, *theirs, gamma, beta, training, momentum=0.3)
    plain = [tensor.detach() for tensor in (x, gamma, beta)]
    y, running = cnn.layers.batchnorm(*plain, (mean, variance), training, momentum=0.3)
    close(y, expected.detach())
    for ours, wanted in zip(running, theirs, strict=True):
        close(ours, wanted)


@pytest.mark.parametrize("shape", [(7, 3), (4, 3, 5, 2)], ids=["vectors", "images"])
def test_batch_norm_gradients_agree_with_autograd(cnn, shape):
    x, gamma, beta = draw(*shape), draw(3), draw(3)
    y = F.batch_norm(x, None, None, gamma, beta, training=True)
    dy = torch.randn_like(y)
    y.backward(dy)
    found = cnn.layers.batchnorm_backward(dy, x.detach(), gamma.detach())
    for gradient, tensor in zip(found, (x, gamma, beta), strict=True):
        close(gradient, tensor.grad)


def test_a_batch_of_one_number_has_no_variance(cnn):
    one = torch.ones(2)
    with pytest.raises(ValueError, match="larger batch"):
        cnn.layers.batchnorm(torch.zeros(1, 2), one, one, (one, one), True)


@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_dropout_zeroes_a_share_and_keeps_the_mean(cnn, p):
    x = torch.ones(300, 300)
    y = cnn.layers.dropout(x, p, True, torch.Generator().manual_seed(1))
    assert (y == 0).float().mean().item() == pytest.approx(p, abs=0.01)
    assert y.mean().item() == pytest.approx(1.0 if p < 1 else 0.0, abs=0.02)


def test_dropout_refuses_what_is_no_probability(cnn):
    with pytest.raises(ValueError, match="1.5"):
        cnn.layers.dropout(torch.ones(2), 1.5, True, torch.Generator())


def test_the_loss_without_smoothing_is_torchs(cnn):
    logits, labels = draw(6, 5), torch.tensor([0, 4, 2, 2, 1, 3])
    expected = F.cross_entropy(logits, labels)
    expected.backward()
    loss, gradient = cnn.layers.smoothed_cross_entropy(logits.detach(), labels)
    close(loss, expected.detach())
    close(gradient, logits.grad)


def test_smoothing_shares_eps_among_the_other_classes(cnn):
    logits, label = torch.tensor([[1.0, 2.0, 0.0, -1.0]]).double(), torch.tensor([1])
    loss, _ = cnn.layers.smoothed_cross_entropy(logits, label, 0.1)
    assert loss.item() == pytest.approx(0.640190, abs=1e-6)
    torchs = F.cross_entropy(logits, label, label_smoothing=0.1)
    assert torchs.item() == pytest.approx(0.590190, abs=1e-6)
    # Of torch's eps the label keeps eps / K: torch's eps is ours times K / (K - 1).
    assert F.cross_entropy(logits, label, label_smoothing=0.4 / 3).item() == pytest.approx(
        loss.item()
    )


def test_nothing_that_is_given_is_changed(cnn):
    x, w, running = (
        torch.randn(2, 2, 5, 5),
        torch.randn(3, 2, 3, 3),
        (torch.zeros(2), torch.ones(2)),
    )
    before = [t.clone() for t in (x, w, *running)]
    cnn.layers.conv2d_backward(cnn.layers.conv2d(x, w, padding=1), x, w, padding=1)
    cnn.layers.maxpool2d_backward(cnn.layers.maxpool2d(x, 2), x, 2)
    cnn.layers.batchnorm(x, torch.ones(2), torch.zeros(2), running, True)
    cnn.layers.dropout(x, 0.5, True, torch.Generator())
    assert all(torch.equal(a, b) for a, b in zip((x, w, *running), before, strict=True))


def test_the_layers_stay_on_the_device_of_their_input(cnn):
    """The device "meta" holds no numbers, and refuses to meet a tensor of the CPU."""
    layers = cnn.layers
    x, w, c = (torch.empty(shape, device="meta") for shape in ((2, 3, 6, 6), (4, 3, 3, 3), (3,)))
    y = layers.conv2d(x, w, None, 2, 1)
    small = layers.maxpool2d(x, 2)
    logits, labels = x[:, :, 0, 0], torch.empty(2, dtype=torch.int64, device="meta")
    found = [
        y,
        *layers.conv2d_backward(y, x, w, 2, 1),
        layers.maxpool2d_backward(small, x, 2),
        layers.batchnorm(x, c, c, (c, c), True)[0],
        *layers.batchnorm_backward(x, x, c),
        *layers.smoothed_cross_entropy(logits, labels, 0.1),
    ]
    assert {tensor.device.type for tensor in found} == {"meta"}
