"""Convolution, pooling, batch normalisation, dropout, loss: by hand, by numbers, by slope."""

import numpy as np
import pytest
import torch

from grader.suite import as_number, as_tensor, assert_matches, expect_raises, require

STEP = 1e-5  # of central differences in float64: their error is about 1e-9 for values near 1
IMAGE = torch.tensor([[1, 2, 3, 0], [0, 1, 2, 3], [3, 0, 1, 2], [2, 3, 0, 1]], dtype=torch.float64)
KERNEL = torch.tensor([[2, 0, 1], [0, 1, 2], [1, 0, 2]], dtype=torch.float64)


def geometry(stride, padding, dilation, hint):
    """Return a geometry as parameters of a test, with the hint that fits it."""
    name = f"{stride}-{padding}-{dilation}"
    return pytest.param(stride, padding, dilation, marks=pytest.mark.hint(hint), id=name)


def normal(rng, *shape, dtype=torch.float64):
    """Draw a tensor."""
    return torch.tensor(rng.normal(0, 1, shape)).to(dtype)


def wide(matrix):
    """Turn a matrix into a batch of one image or kernel of one channel: [1, 1, H, W]."""
    return torch.tensor(matrix, dtype=torch.float64)[None, None]


def slopes(function, at):
    """Return central differences of a number with respect to every entry of a tensor."""
    result = torch.zeros_like(at)
    for index in np.ndindex(tuple(at.shape)):
        nudge = torch.zeros_like(at)
        nudge[index] = STEP
        result[index] = (function(at + nudge) - function(at - nudge)) / (2 * STEP)
    return result


def assert_numbers(found, expected):
    """Assert that numbers agree as float32 does: dtype and precision have tests of their own."""
    found = as_tensor(found, tuple(expected.shape))
    require(found.dtype in (torch.float32, torch.float64), "neither float32 nor float64")
    assert_matches(found, expected.to(found.dtype), rtol=1e-4)


def several(answer, count, names):
    """Take an answer for a tuple of so many values."""
    require(type(answer) in (tuple, list) and len(answer) == count, f"expected ({names})")
    return tuple(answer)


# ------------------------------------------------------------------------------ sizes and counts


@pytest.mark.item("convolution", weight=0.5)
@pytest.mark.visibility("visible")
@pytest.mark.hint("floor((n + 2 padding - k) / stride) + 1 on each axis, for dilation 1.")
def test_out_size_by_hand(student):
    """28 x 31 pixels, padding 2, stride 3, kernel 5: 10 x 11."""
    found = [student.layers.out_size(n, 5, padding=2, stride=3) for n in (28, 31)]
    require([as_number(size) for size in found] == [10, 11], f"got {found}, expected [10, 11]")


@pytest.mark.item("convolution")
@pytest.mark.hint("The kernel reaches over dilation (k - 1) + 1 pixels. Use // and not /.")
def test_out_size_counts_positions(student, rng):
    """out_size is the number of positions at which the kernel fits."""
    for _ in range(30):
        k, p, s, d = (int(v) for v in rng.integers((1, 0, 1, 1), (6, 4, 5, 4)))
        n = int(rng.integers(d * (k - 1) + 1, 30))
        fitting = len([i for i in range(0, n + 2 * p, s) if i + d * (k - 1) < n + 2 * p])
        found = student.layers.out_size(n, k, p, s, d)
        require(type(found) is int, f"expected an int, got a {type(found).__name__}")
        require(found == fitting, f"out_size({n}, {k}, {p}, {s}, {d}) gives {found}, not {fitting}")


@pytest.mark.item("convolution", weight=0.5)
@pytest.mark.depends("test_out_size_by_hand")
@pytest.mark.hint("Raise ValueError where the padded image is smaller than the kernel's reach.")
def test_a_kernel_that_does_not_fit_is_refused(student, rng):
    """A kernel larger than the padded image raises ValueError, for pooling too."""
    x, w = normal(rng, 1, 1, 4, 9), normal(rng, 1, 1, 3, 3)
    for call in (
        lambda: student.layers.out_size(4, 7, 1),
        lambda: student.layers.out_size(4, 3, 0, 1, 2),
        lambda: student.layers.conv2d(x, w, None, 1, 0, 2),
        lambda: student.layers.maxpool2d(x, 5),
    ):
        with expect_raises(ValueError):
            call()
    for n, padding in ((4, 0), (2, 1)):
        size = as_number(student.layers.out_size(n, 4, padding))
        require(size == 1, "a kernel as large as the padded image fits once")
    with expect_raises(ValueError):
        student.layers.out_size(2, 4)


LENET = [
    ("conv", 1, 6, 5),
    ("conv", 6, 16, 5),
    ("conv", 16, 120, 5),
    ("linear", 120, 84),
    ("linear", 84, 10),
]
VGG = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 256), (256, 512)]
VGG += [(512, 512)] * 5


@pytest.mark.item("convolution", weight=0.5)
@pytest.mark.hint("A kernel has c_in k k weights and one bias, and there are c_out of them.")
def test_parameters_of_lenet_and_vgg(student):
    """LeNet-5 has 61,706 parameters, VGG-16 has 138,357,544; a norm has two for each channel."""

    def counts(layers):
        found = student.layers.parameter_count(layers)
        require(type(found) is list, "expected a list of numbers")
        return [as_number(count) for count in found]

    found = counts(LENET)
    require(found == [156, 2416, 48120, 10164, 850], f"LeNet-5: {found}")
    layers = [("conv", a, b, 3) for a, b in VGG]
    layers += [("linear", 512 * 7 * 7, 4096), ("linear", 4096, 4096), ("linear", 4096, 1000)]
    require(sum(counts(layers)) == 138_357_544, "VGG-16 has another number in all")
    require(counts([("norm", 16)]) == [32], "a norm has gamma and beta")
    with expect_raises(ValueError):
        student.layers.parameter_count([("pool", 2, 2)])


# ------------------------------------------------------------------------------ convolution


@pytest.mark.item("convolution")
@pytest.mark.visibility("visible")
@pytest.mark.hint(
    "Each window times the kernel as it stands (not flipped), summed; plus the bias; padding puts "
    "zeros around the image. Shape [N, O, H', W'], dtype of x."
)
def test_convolution_by_hand(student):
    """A 4 x 4 image and a 3 x 3 kernel: plain, with a bias of 3, with padding 1."""
    x, w = wide(IMAGE), wide(KERNEL)
    assert_numbers(student.layers.conv2d(x, w), wide([[15, 16], [6, 15]]))
    bias = torch.tensor([3.0], dtype=torch.float64)
    assert_numbers(student.layers.conv2d(x, w, bias), wide([[18, 19], [9, 18]]))
    padded = wide([[7, 12, 10, 2], [4, 15, 16, 10], [10, 6, 15, 6], [8, 10, 4, 3]])
    assert_numbers(student.layers.conv2d(x, w, padding=1), padded)


@pytest.mark.item("convolution")
@pytest.mark.hint("Cross-correlation: w[u, v] meets x[i + u, j + v], counted from 0; dtype of x.")
def test_the_kernel_is_not_flipped(student, rng):
    """A kernel with a single 1 picks its own pixel out of every window."""
    x = normal(rng, 1, 1, 5, 6)
    for u, v in ((0, 0), (0, 2), (1, 0), (1, 2)):
        w = torch.zeros(1, 1, 2, 3, dtype=torch.float64)
        w[0, 0, u, v] = 1
        assert_numbers(student.layers.conv2d(x, w), x[:, :, u : u + 4, v : v + 4].contiguous())


@pytest.mark.item("convolution", weight=2)
@pytest.mark.parametrize(
    ("stride", "padding", "dilation"),
    [
        geometry(1, 0, 1, "y sums over channels too, and kernels may be 1 x 2 or 3 x 1."),
        geometry(2, 1, 1, "Window (i, j) begins at row s i - p and column s j - p; 0 outside."),
        geometry(3, 2, 1, "Stride 3, padding 2: windows begin 3 apart, the first at pixel -2."),
        geometry(1, 2, 2, "Entries of the kernel meet pixels that are `dilation` apart."),
        geometry(2, 3, 2, "w[u, v] meets x[s i + d u - p, s j + d v - p]: s for i, d for u."),
    ],
)
def test_convolution(student, reference, rng, stride, padding, dilation):
    """A convolution of several images, channels and odd kernels equals the definition."""
    for kh, kw in ((3, 3), (1, 2), (3, 1)):
        x, w, b = normal(rng, 2, 3, 9, 12), normal(rng, 4, 3, kh, kw), normal(rng, 4)
        expected = reference.layers.conv2d(x, w, b, stride, padding, dilation)
        assert_numbers(student.layers.conv2d(x, w, b, stride, padding, dilation), expected)


@pytest.mark.item("convolution")
@pytest.mark.hint("Keep the dtype of x: make buffers with x.new_zeros or zeros_like.")
def test_convolution_keeps_the_dtype(student, reference, rng):
    """float32 in gives float32 out, and float64 float64, without a bias too."""
    for dtype in (torch.float32, torch.float64):
        x, w = normal(rng, 2, 2, 6, 6, dtype=dtype), normal(rng, 3, 2, 3, 3, dtype=dtype)
        b = normal(rng, 3, dtype=dtype)
        for bias in (None, b):
            expected = reference.layers.conv2d(x, w, bias, 1, 1)
            assert_matches(student.layers.conv2d(x, w, bias, 1, 1), expected)


@pytest.mark.item("convolution", weight=0.5)
@pytest.mark.hint("The last entry of the kernel meets the present value, the others the past.")
def test_a_causal_filter_is_a_convolution(student):
    """The filter 1, 1/2, 1/4 of 1..5 gives 1, 2.5, 4.25, 6, 7.75."""
    x = wide([[0.0, 0, 1, 2, 3, 4, 5]])
    found = student.layers.conv2d(x, wide([[0.25, 0.5, 1.0]]))
    assert_numbers(found, wide([[1.0, 2.5, 4.25, 6.0, 7.75]]))


@pytest.mark.item("convolution")
@pytest.mark.hint("Images of a batch do not meet, and a shifted image gives a shifted output.")
def test_convolution_is_linear_and_moves_with_the_image(student, rng):
    """A convolution is linear in the image, the same for each image, and moves with it."""
    x, z, w = normal(rng, 2, 2, 8, 8), normal(rng, 2, 2, 8, 8), normal(rng, 3, 2, 3, 3)

    def conv(images):
        return as_tensor(student.layers.conv2d(images, w), (None, 3, 6, None), torch.float64)

    whole = conv(x)
    require(float(whole.abs().max()) > 0, "the output is 0 everywhere")
    assert_matches(conv(2 * x - z), 2 * whole - conv(z), rtol=1e-8)
    assert_matches(conv(x[1:].clone()), whole[1:].clone(), rtol=1e-8)
    assert_matches(conv(x[..., 1:].contiguous()), whole[..., 1:].contiguous(), rtol=1e-8)


# ------------------------------------------------------------------------------ its gradients


@pytest.mark.item("convolution-backward", weight=2)
@pytest.mark.parametrize(
    ("stride", "padding", "dilation"),
    [
        geometry(1, 0, 1, "(dx, dw, db): the pairs of pixel and weight that meet in forward."),
        geometry(2, 1, 1, "dx has x's shape: what fell on the padding is no input and is left."),
        geometry(3, 2, 1, "A pixel that no window meets has the gradient 0; others add up."),
        geometry(1, 2, 2, "Entries of the kernel meet pixels that are `dilation` apart."),
        geometry(2, 3, 2, "dy[i, j] w[u, v] goes to x[s i + d u - p, s j + d v - p], added up."),
    ],
)
def test_convolution_backward(student, reference, rng, stride, padding, dilation):
    """dL/dx, dL/dw and dL/db equal the reference's."""
    x, w = normal(rng, 2, 3, 9, 12), normal(rng, 4, 3, 3, 2)
    dy = normal(rng, *reference.layers.conv2d(x, w, None, stride, padding, dilation).shape)
    answer = student.layers.conv2d_backward(dy, x, w, stride, padding, dilation)
    expected = reference.layers.conv2d_backward(dy, x, w, stride, padding, dilation)
    for found, wanted in zip(several(answer, 3, "dx, dw, db"), expected, strict=True):
        assert_numbers(found, wanted)


@pytest.mark.item("convolution-backward")
@pytest.mark.hint("Compare conv2d_backward with (L(x + h) - L(x - h)) / 2h, entry by entry.")
def test_convolution_gradients_are_slopes_of_the_own_forward(student, rng):
    """The gradients are the slopes of the submission's own convolution."""
    x, w, b = normal(rng, 1, 2, 4, 5), normal(rng, 2, 2, 3, 2), normal(rng, 2)

    def forward(x, w, b):
        answer = student.layers.conv2d(x, w, b, 2, 1)
        return as_tensor(answer, (1, 2, 2, 3), torch.float64)

    dy = normal(rng, 1, 2, 2, 3)
    require(float(forward(x, w, b).abs().max()) > 0, "the output is 0 everywhere")
    found = several(student.layers.conv2d_backward(dy, x, w, 2, 1), 3, "dx, dw, db")
    expected = (
        slopes(lambda t: float((forward(t, w, b) * dy).sum()), x),
        slopes(lambda t: float((forward(x, t, b) * dy).sum()), w),
        slopes(lambda t: float((forward(x, w, t) * dy).sum()), b),
    )
    for gradient, slope in zip(found, expected, strict=True):
        assert_matches(gradient, slope, rtol=1e-6, atol=1e-8)


@pytest.mark.item("convolution-backward", weight=0.5)
@pytest.mark.hint("1/N is already in dy: sum over the batch and do not divide again.")
def test_convolution_gradients_add_up_over_the_batch(student, rng):
    """The gradient of a batch is the sum over its images."""
    x, w, dy = normal(rng, 3, 2, 5, 5), normal(rng, 2, 2, 3, 3), normal(rng, 3, 2, 3, 3)
    whole = several(student.layers.conv2d_backward(dy, x, w), 3, "dx, dw, db")
    parts = [
        several(
            student.layers.conv2d_backward(dy[n : n + 1].clone(), x[n : n + 1].clone(), w), 3, ""
        )
        for n in range(3)
    ]
    for place, shape in ((1, tuple(w.shape)), (2, (2,))):
        added = sum(as_tensor(part[place], shape, torch.float64) for part in parts)
        require(float(added.abs().max()) > 0, "the gradient is 0 everywhere")
        assert_numbers(whole[place], added)


@pytest.mark.item("convolution-backward", weight=0.5)
@pytest.mark.hint("Keep the dtype of x: make buffers with torch.zeros_like(x) and zeros_like(w).")
def test_convolution_gradients_keep_the_dtype(student, reference, rng):
    """float32 in gives float32 gradients, and float64 float64."""
    for dtype in (torch.float32, torch.float64):
        x, w = normal(rng, 2, 2, 6, 6, dtype=dtype), normal(rng, 3, 2, 3, 3, dtype=dtype)
        dy = normal(rng, 2, 3, 6, 6, dtype=dtype)
        answer = student.layers.conv2d_backward(dy, x, w, 1, 1)
        expected = reference.layers.conv2d_backward(dy, x, w, 1, 1)
        for found, wanted in zip(several(answer, 3, "dx, dw, db"), expected, strict=True):
            assert_matches(found, wanted)


# ------------------------------------------------------------------------------ pooling


def pooled(k, stride, hint):
    """Return a window and its stride as parameters of a test, with the hint that fits them."""
    return pytest.param(k, stride, marks=pytest.mark.hint(hint), id=f"{k}-{stride}")


@pytest.mark.item("pooling")
@pytest.mark.visibility("visible")
@pytest.mark.hint("The largest value of each window; windows are k apart unless stride says so.")
def test_pooling_by_hand(student):
    """2 x 2 windows of a 4 x 4 image, side by side and overlapping."""
    x = wide(IMAGE)
    assert_numbers(student.layers.maxpool2d(x, 2), wide([[2.0, 3.0], [3.0, 2.0]]))
    overlapping = wide([[2.0, 3, 3], [3, 2, 3], [3, 3, 2]])
    assert_numbers(student.layers.maxpool2d(x, 2, 1), overlapping)


@pytest.mark.item("pooling")
@pytest.mark.parametrize(
    ("k", "stride"),
    [
        pooled(2, 2, "Negative images too: nothing is padded with 0. What is left over is left."),
        pooled(3, 2, "Windows of 3 that begin 2 apart overlap: stride is not k."),
        pooled(2, 3, "Windows of 2 that begin 3 apart leave pixels between them out."),
        pooled(3, 1, "With stride 1 a window begins at every pixel at which it fits."),
    ],
)
def test_pooling(student, reference, rng, k, stride):
    """Pooling equals the definition, on negative images and sizes that do not divide."""
    for shift in (0.0, -10.0):
        x = normal(rng, 2, 3, 7, 10) + shift
        expected = reference.layers.maxpool2d(x, k, stride)
        assert_numbers(student.layers.maxpool2d(x, k, stride), expected)


@pytest.mark.item("pooling")
@pytest.mark.parametrize(
    ("k", "stride"),
    [
        pooled(2, 2, "dy goes to the largest pixel of its window alone; dx has x's shape."),
        pooled(3, 2, "Windows overlap: a pixel that wins in several gets the sum, += and not =."),
        pooled(2, 3, "Pixels between the windows, and those left over, have the gradient 0."),
        pooled(3, 1, "Windows overlap: a pixel that wins in several gets the sum, += and not =."),
    ],
)
def test_pooling_backward(student, reference, rng, k, stride):
    """Gradients go to the largest pixel of each window and add up where windows overlap."""
    x = normal(rng, 2, 3, 7, 10)
    dy = normal(rng, *reference.layers.maxpool2d(x, k, stride).shape)
    expected = reference.layers.maxpool2d_backward(dy, x, k, stride)
    assert_numbers(student.layers.maxpool2d_backward(dy, x, k, stride), expected)


@pytest.mark.item("pooling", weight=2)
@pytest.mark.hint("Of several equal pixels one takes the gradient: the first, row by row.")
def test_of_equal_pixels_the_first_takes_the_gradient(student, rng):
    """Windows of equal pixels hand their gradient to the first of them."""
    x = torch.ones(1, 2, 4, 4, dtype=torch.float64)
    x[0, 1, 0, 0] = 0.5  # here the window's first largest is the second pixel
    dy = normal(rng, 1, 2, 2, 2)
    expected = torch.zeros_like(x)
    expected[:, :, ::2, ::2] = dy
    expected[0, 1, 0, 0], expected[0, 1, 0, 1] = 0, dy[0, 1, 0, 0]
    assert_numbers(student.layers.maxpool2d_backward(dy, x, 2), expected)


@pytest.mark.item("pooling", weight=0.5)
@pytest.mark.hint("Keep the dtype of x: make buffers with torch.zeros_like(x) and new_zeros.")
def test_pooling_keeps_the_dtype(student, reference, rng):
    """float32 in gives float32 out, and float64 float64, forward and backward."""
    for dtype in (torch.float32, torch.float64):
        x, dy = normal(rng, 2, 2, 6, 6, dtype=dtype), normal(rng, 2, 2, 3, 3, dtype=dtype)
        assert_matches(student.layers.maxpool2d(x, 2), reference.layers.maxpool2d(x, 2))
        expected = reference.layers.maxpool2d_backward(dy, x, 2)
        assert_matches(student.layers.maxpool2d_backward(dy, x, 2), expected)


# ------------------------------------------------------------------------------ batch norm


def fresh(channels, dtype=torch.float64):
    """Return running statistics before any batch: mean 0, variance 1."""
    return torch.zeros(channels, dtype=dtype), torch.ones(channels, dtype=dtype)


def norm(student, x, gamma, beta, running, training, **options):
    """Call the student's batchnorm and take its answer apart: y, mean, variance."""
    answer = student.layers.batchnorm(x, gamma, beta, running, training, **options)
    y, stats = several(answer, 2, "y, running")
    return (y, *several(stats, 2, "mean, variance"))


@pytest.mark.item("batch-norm")
@pytest.mark.visibility("visible")
@pytest.mark.hint("Subtract each column's mean and divide by its standard deviation (over N).")
def test_batch_norm_by_hand(student):
    """Three rows (1, 2), (3, 6), (5, 10) become -1.22474, 0, 1.22474 in each column."""
    x = torch.tensor([[1.0, 2.0], [3.0, 6.0], [5.0, 10.0]], dtype=torch.float64)
    one, zero = torch.ones(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    y, _, _ = norm(student, x, one, zero, fresh(2), True)
    column = torch.tensor([-1.22474487, 0.0, 1.22474487], dtype=torch.float64)
    assert_matches(y, torch.stack([column, column], dim=1), atol=1e-5)


@pytest.mark.item("batch-norm", weight=2)
@pytest.mark.hint("Statistics run over all axes but the channel's: (0,) or (0, 2, 3).")
@pytest.mark.parametrize("shape", [(7, 3), (4, 3, 5, 2)], ids=["vectors", "images"])
def test_batch_norm_in_training(student, reference, rng, shape):
    """In training the batch's own biased statistics normalise it; gamma and beta follow."""
    x, gamma, beta = 3 * normal(rng, *shape) + 2, normal(rng, 3), normal(rng, 3)
    expected, _ = reference.layers.batchnorm(x, gamma, beta, fresh(3), True)
    assert_matches(norm(student, x, gamma, beta, fresh(3), True)[0], expected)


@pytest.mark.item("batch-norm")
@pytest.mark.hint("running <- (1 - momentum) running + momentum batch; divide by m - 1 here.")
@pytest.mark.parametrize("shape", [(7, 3), (4, 3, 5, 2)], ids=["vectors", "images"])
def test_running_statistics(student, reference, rng, shape):
    """Running statistics move by momentum towards the batch's, the variance unbiased."""
    running = normal(rng, 3), normal(rng, 3).square()
    for momentum in (0.1, 0.3, 1.0):
        x, one = 2 * normal(rng, *shape) - 1, torch.ones(3, dtype=torch.float64)
        _, expected = reference.layers.batchnorm(x, one, one, running, True, momentum)
        _, mean, variance = norm(student, x, one, one, running, True, momentum=momentum)
        assert_matches(mean, expected[0])
        assert_matches(variance, expected[1])


@pytest.mark.item("batch-norm")
@pytest.mark.hint("With momentum 1 the running variance is the batch's own: 4 and 16, not 8/3.")
def test_the_running_variance_is_unbiased(student):
    """Rows (1, 2), (3, 6), (5, 10) have the unbiased variances 4 and 16."""
    x = torch.tensor([[1.0, 2.0], [3.0, 6.0], [5.0, 10.0]], dtype=torch.float64)
    one, zero = torch.ones(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    _, mean, variance = norm(student, x, one, zero, fresh(2), True, momentum=1.0)
    assert_matches(mean, torch.tensor([3.0, 6.0], dtype=torch.float64))
    assert_matches(variance, torch.tensor([4.0, 16.0], dtype=torch.float64))


@pytest.mark.item("batch-norm", weight=1.5)
@pytest.mark.hint("Outside training use the running statistics and hand them back as they are.")
@pytest.mark.parametrize("shape", [(5, 3), (2, 3, 4, 3)], ids=["vectors", "images"])
def test_batch_norm_in_evaluation(student, reference, rng, shape):
    """In evaluation the running statistics normalise, and stay."""
    running = normal(rng, 3), normal(rng, 3).square() + 0.1
    x, gamma, beta = 5 * normal(rng, *shape), normal(rng, 3), normal(rng, 3)
    expected, _ = reference.layers.batchnorm(x, gamma, beta, running, False)
    y, mean, variance = norm(student, x, gamma, beta, running, False)
    assert_matches(y, expected)
    assert_matches(mean, running[0])
    assert_matches(variance, running[1])


@pytest.mark.item("batch-norm")
@pytest.mark.depends("test_batch_norm_in_evaluation")
@pytest.mark.hint("In evaluation nothing may depend on the batch.")
def test_in_evaluation_a_row_does_not_see_its_neighbours(student, rng):
    """In evaluation a row gets the same output alone, where in training it would not."""
    x, gamma, beta = normal(rng, 6, 3), normal(rng, 3), normal(rng, 3)
    running = normal(rng, 3), normal(rng, 3).square() + 0.1
    whole = as_tensor(norm(student, x, gamma, beta, running, False)[0], (6, 3), torch.float64)
    alone, _, _ = norm(student, x[2:3].clone(), gamma, beta, running, False)
    assert_matches(alone, whole[2:3].clone())
    trained = as_tensor(norm(student, x, gamma, beta, running, True)[0], (6, 3), torch.float64)
    require(float((trained - whole).abs().max()) > 1e-6, "training and evaluation do not differ")


@pytest.mark.item("batch-norm", weight=0.5)
@pytest.mark.hint("eps stands under the root: sqrt(variance + eps). Raise ValueError if m is 1.")
def test_small_variances_and_single_numbers(student, reference, rng):
    """Eps stands under the root; a batch of one number a channel raises ValueError."""
    gamma, beta = normal(rng, 2), normal(rng, 2)
    x = 1e-3 * normal(rng, 4, 2)
    for eps in (1e-5, 1e-3):
        expected, _ = reference.layers.batchnorm(x, gamma, beta, fresh(2), True, eps=eps)
        assert_matches(norm(student, x, gamma, beta, fresh(2), True, eps=eps)[0], expected)
    with expect_raises(ValueError):
        student.layers.batchnorm(normal(rng, 1, 2), gamma, beta, fresh(2), True)


@pytest.mark.item("batch-norm")
@pytest.mark.hint("Mean and variance depend on every x: dL/dx has three terms, not one.")
@pytest.mark.parametrize("shape", [(7, 3), (4, 3, 5, 2)], ids=["vectors", "images"])
def test_batch_norm_backward(student, reference, rng, shape):
    """dL/dx, dL/dgamma and dL/dbeta equal the reference's."""
    x, gamma, dy = 2 * normal(rng, *shape) + 1, normal(rng, 3), normal(rng, *shape)
    answer = student.layers.batchnorm_backward(dy, x, gamma)
    expected = reference.layers.batchnorm_backward(dy, x, gamma)
    for found, wanted in zip(several(answer, 3, "dx, dgamma, dbeta"), expected, strict=True):
        assert_matches(found, wanted)


@pytest.mark.item("batch-norm")
@pytest.mark.hint("Compare batchnorm_backward with central differences of batchnorm in training.")
def test_batch_norm_gradients_are_slopes_of_the_own_forward(student, rng):
    """The gradients are the slopes of the submission's own batch normalisation."""
    x, gamma, beta = normal(rng, 3, 2, 2, 1), normal(rng, 2), normal(rng, 2)
    dy = normal(rng, *x.shape)

    def loss(x, gamma, beta):
        y, _, _ = norm(student, x, gamma, beta, fresh(2), True)
        return float((as_tensor(y, tuple(x.shape), torch.float64) * dy).sum())

    require(loss(x, gamma, beta) != 0, "the output is 0")
    found = several(student.layers.batchnorm_backward(dy, x, gamma), 3, "dx, dgamma, dbeta")
    expected = (
        slopes(lambda t: loss(t, gamma, beta), x),
        slopes(lambda t: loss(x, t, beta), gamma),
        slopes(lambda t: loss(x, gamma, t), beta),
    )
    for gradient, slope in zip(found, expected, strict=True):
        assert_matches(gradient, slope, rtol=1e-5, atol=1e-7)


# ------------------------------------------------------------------------------ dropout


@pytest.mark.item("dropout")
@pytest.mark.hint("Outside training, and for p = 0, return x as it is.")
def test_dropout_rests_in_evaluation(student, rng):
    """In evaluation dropout changes nothing, in training it does."""
    x = normal(rng, 40, 50)
    for p, training in ((0.5, False), (1.0, False), (0.0, True)):
        found = student.layers.dropout(x, p, training, student.torch_generator(1))
        assert_matches(found, x)
    found = as_tensor(student.layers.dropout(x, 0.5, True, student.torch_generator(1)), x.shape)
    require(bool((found == 0).any()), "dropout drops nothing in training")


@pytest.mark.item("dropout")
@pytest.mark.depends("test_dropout_rests_in_evaluation")
@pytest.mark.hint("p is the probability of a zero; what stays is divided by 1 - p.")
@pytest.mark.parametrize("p", [0.2, 0.75])
def test_dropout_zeroes_a_share_and_scales_the_rest(student, rng, p):
    """A share p becomes 0 and the others are divided by 1 - p."""
    x = normal(rng, 200, 200)
    seed = int(rng.integers(2**31))
    found = as_tensor(
        student.layers.dropout(x, p, True, student.torch_generator(seed)), x.shape, torch.float64
    )
    kept = found != 0
    assert_matches(found[kept], x[kept] / (1 - p))
    # 40,000 draws: the share's sd is at most 0.0022, and 0.015 is beyond six of them.
    share = 1 - float(kept.double().mean())
    require(abs(share - p) < 0.015, f"{share:.3f} of the numbers are 0, expected {p}")
    rows = kept.double().mean(dim=1)
    require(0 < float(rows.std()) < 0.06, "numbers are not dropped one by one")


@pytest.mark.item("dropout")
@pytest.mark.depends("test_dropout_zeroes_a_share_and_scales_the_rest")
@pytest.mark.hint("Draw from the generator you are given: torch.rand(..., generator=generator).")
def test_dropout_draws_from_its_generator_alone(student, rng):
    """Equal generators drop the same numbers, others do not; p = 1 leaves nothing."""
    x = normal(rng, 30, 30)

    def dropped(seed, p=0.5):
        answer = student.layers.dropout(x, p, True, student.torch_generator(seed))
        return as_tensor(answer, (30, 30), torch.float64)

    require(torch.equal(dropped(3), dropped(3)), "one generator state gave two results")
    require(not torch.equal(dropped(3), dropped(4)), "two generator states gave one result")
    generator = student.torch_generator(3)
    first, second = (student.layers.dropout(x, 0.5, True, generator) for _ in range(2))
    first, second = (as_tensor(t, (30, 30), torch.float64) for t in (first, second))
    require(not torch.equal(first, second), "the same numbers are dropped at every call")
    assert_matches(dropped(3, 1.0), torch.zeros_like(x))


@pytest.mark.item("dropout", weight=0.5)
@pytest.mark.depends("test_dropout_zeroes_a_share_and_scales_the_rest")
@pytest.mark.hint("Raise ValueError unless 0 <= p <= 1.")
def test_an_impossible_probability_is_refused(student, rng):
    """A p below 0 or above 1 raises ValueError."""
    for p in (-0.1, 1.1):
        with expect_raises(ValueError):
            student.layers.dropout(normal(rng, 2, 2), p, True, student.torch_generator(0))


# ------------------------------------------------------------------------------ the loss


def loss_of(student, logits, labels, eps):
    """Call the student's loss and take its answer apart: a number and a gradient."""
    answer = student.layers.smoothed_cross_entropy(logits, labels, eps)
    loss, gradient = several(answer, 2, "loss, dlogits")
    return as_number(loss), as_tensor(gradient, tuple(logits.shape), logits.dtype)


@pytest.mark.item("loss")
@pytest.mark.visibility("visible")
@pytest.mark.hint("The other K - 1 classes share eps; torch's own label_smoothing differs.")
def test_label_smoothing_by_hand(student):
    """Logits (1, 2, 0, -1), class 1, eps 0.1: 0.640190; without smoothing 0.440190."""
    logits, label = torch.tensor([[1.0, 2.0, 0.0, -1.0]], dtype=torch.float64), torch.tensor([1])
    for eps, expected in ((0.1, 0.640189699), (0.0, 0.440189699)):
        loss, _ = loss_of(student, logits, label, eps)
        assert_matches(loss, expected, rtol=1e-8)


@pytest.mark.item("loss", weight=2)
@pytest.mark.hint("q is 1 - eps at the label and eps / (K - 1) elsewhere; mean over the batch.")
def test_smoothed_cross_entropy(student, reference, rng):
    """Loss and gradient equal the reference's, for several eps and sizes."""
    for n, k, eps in ((6, 4, 0.0), (1, 3, 0.2), (5, 10, 0.1), (4, 2, 0.5)):
        logits, labels = 3 * normal(rng, n, k), torch.tensor(rng.integers(0, k, n))
        expected = reference.layers.smoothed_cross_entropy(logits, labels, eps)
        loss, gradient = loss_of(student, logits, labels, eps)
        assert_matches(loss, float(expected[0]), rtol=1e-8)
        assert_matches(gradient, expected[1])


@pytest.mark.item("loss")
@pytest.mark.hint("Subtract logsumexp; do not take the log of softmax, which is 0 there.")
def test_the_loss_survives_large_logits(student, reference, rng):
    """Logits near 1000 and thousands apart give a finite loss and gradient."""
    labels = torch.tensor(rng.integers(0, 4, 5))
    for logits in (normal(rng, 5, 4) + 1000, torch.tensor(rng.uniform(-4000, 4000, (5, 4)))):
        expected = reference.layers.smoothed_cross_entropy(logits, labels, 0.1)
        loss, gradient = loss_of(student, logits, labels, 0.1)
        assert_matches(loss, float(expected[0]), rtol=1e-8)
        assert_matches(gradient, expected[1], atol=1e-12)


@pytest.mark.item("loss")
@pytest.mark.hint("dL/dlogits = (softmax - q) / N: with the 1/N of the mean, once.")
def test_the_gradient_is_the_slope_of_the_own_loss(student, rng):
    """The gradient is the slope of the submission's own loss, and adds up to 0 in each row."""
    logits, labels = 2 * normal(rng, 3, 4), torch.tensor(rng.integers(0, 4, 3))
    loss, gradient = loss_of(student, logits, labels, 0.1)
    require(loss > 0, f"a cross-entropy is positive, got {loss:.3g}")
    slope = slopes(lambda z: loss_of(student, z, labels, 0.1)[0], logits)
    assert_matches(gradient, slope, rtol=1e-6, atol=1e-8)
    require(float(gradient.sum(dim=1).abs().max()) < 1e-9, "the rows do not add up to 0")
