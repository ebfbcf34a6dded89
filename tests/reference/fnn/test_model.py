"""The network, its training and the study of the reference."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import torch

REFERENCE = Path(__file__).parents[3] / "reference" / "fnn"


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def points(function, n=512):
    x = torch.linspace(0, 2 * math.pi, n)[:, None]
    return x, function(x)


@pytest.mark.parametrize(("depth", "width", "count"), [(1, 4, 13), (2, 64, 4353), (3, 8, 169)])
def test_parameter_count(fnn, depth, width, count):
    assert sum(p.numel() for p in fnn.model.FNN(depth, width, "tanh").parameters()) == count


@pytest.mark.parametrize("name", ["identity", "sigmoid", "relu", "softplus", "swish", "gelu"])
def test_network_agrees_with_the_numpy_layers(fnn, name):
    network = fnn.model.FNN(2, 5, name).double()
    mlp = fnn.layers.MLP((1, 5, 5, 1), name, np.random.default_rng(0))
    mlp.set_parameters([p.detach().numpy() for p in network.parameters()])
    x = np.linspace(-3, 3, 11)[:, None]
    found = network(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(found, mlp.forward(x), rtol=1e-9)


@pytest.mark.parametrize("variant", ["sincos", "log2cos", "sin"])
def test_fit_meets_the_bar_on_every_variant(fnn, variant):
    low, high = fnn.study.DOMAINS[variant]
    x = np.linspace(low, high, 512, endpoint=False)[:, None]
    between = x + (high - low) / 1024
    data = [torch.tensor(v, dtype=torch.float32) for v in (x, fnn.study.target(variant, x))]
    model = fnn.model.fit(*data, seed=3)
    with torch.no_grad():
        found = model(torch.tensor(between, dtype=torch.float32)).numpy()
    error = found - fnn.study.target(variant, between)
    assert np.mean(error**2) <= 1e-5  # ten times better than the bar
    assert np.abs(error).max() <= 0.03


def test_equal_seeds_give_equal_networks(fnn):
    x, y = points(torch.sin, 64)
    one, same, other = (
        torch.cat([p.flatten() for p in fnn.model.fit(x, y, s, steps=3).parameters()])
        for s in (1, 1, 2)
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_scaling_constants_are_buffers_and_come_from_training_points(fnn):
    x, y = points(lambda x: 5 * torch.sin(x) + 100, 64)
    model = fnn.model.fit(x, y, 0, steps=0)
    names = {name for name, _ in model.named_buffers()}
    assert names == {"x_centre", "x_radius", "y_mean", "y_std"}
    assert model.y_mean.item() == pytest.approx(y.mean().item())
    assert model.x_centre.item() == pytest.approx(math.pi, rel=1e-5)


def test_no_steps_leave_the_network_untrained(fnn):
    x, y = points(torch.sin, 64)
    untrained = fnn.model.fit(x, y, 0, steps=0)
    assert ((untrained(x) - y) ** 2).mean() > 0.05


def test_unknown_activation_is_refused_with_the_known_ones(fnn):
    with pytest.raises(ValueError, match="softplus"):
        fnn.model.FNN(1, 4, "tan")


def test_a_cell_is_decided_by_its_seed(fnn):
    one, same, other = (fnn.study.run_cell("width", 4, seed) for seed in (1, 1, 2))
    assert one == same != other


def test_a_diverging_cell_is_three(fnn):
    assert fnn.study.run_cell("learning_rate", 1e30, 0) == fnn.study.DIVERGED == 3.0


def test_unknown_factor_is_refused_with_the_known_ones(fnn):
    with pytest.raises(ValueError, match="learning_rate"):
        fnn.study.run_cell("rate", 0.1, 0)


def test_results_hold_every_cell_of_the_sweep(fnn):
    with (REFERENCE / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == fnn.study.COLUMNS
    found = {(row["factor"], row["value"], int(row["seed"])) for row in rows}
    expected = {
        (factor, str(value), seed)
        for factor, values in fnn.study.SWEEP.items()
        for value in values
        for seed in fnn.study.SEEDS
    }
    assert found == expected


def test_a_claimed_cell_comes_out_again(fnn):
    with (REFERENCE / "results.csv").open(encoding="utf-8", newline="") as file:
        (row,) = (r for r in csv.DictReader(file) if r["value"] == "16" and r["seed"] == "1")
    assert fnn.study.run_cell("width", 16, 1) == pytest.approx(float(row["metric"]), abs=0.5)


def test_the_sweep_is_written_as_a_table_and_a_picture(fnn, tmp_path):
    rows = [
        (factor, value, seed, -1.0, 0.1)
        for factor, values in fnn.study.SWEEP.items()
        for value in values
        for seed in (0, 1)
    ]
    fnn.study.write_csv(rows, tmp_path / "results.csv")
    assert (tmp_path / "results.csv").read_text().splitlines()[1] == "depth,1,0,-1.0000,0.10"
    fnn.study.draw(rows, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
