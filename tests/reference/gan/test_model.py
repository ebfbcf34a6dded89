"""The game of the reference: whose parameters move, whose draws they are, what it ends with."""

import csv
from pathlib import Path

import pytest
import torch

REFERENCE = Path(__file__).parents[3] / "reference" / "gan"


def flat(network):
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


def game(gan, kind="wgan", **options):
    torch.manual_seed(0)
    model = gan.model
    return model.Game(kind, model.Generator(2, 8, 3), model.Critic(3, 8), **options)


@pytest.mark.parametrize("kind", ["saturating", "lsgan", "wgan", "kl", "reverse_kl", "hellinger"])
def test_a_step_moves_one_player(gan, kind):
    played = game(gan, kind, weight=1.0)
    before = flat(played.generator), flat(played.critic)
    played.d_step(torch.randn(9, 3), None, torch.randn(9, 2), torch.rand(9))
    assert torch.equal(flat(played.generator), before[0])
    assert not torch.equal(flat(played.critic), before[1])
    middle = flat(played.critic)
    played.g_step(torch.randn(9, 2), None)
    assert torch.equal(flat(played.critic), middle)


def test_a_run_in_pieces_is_one_run(gan):
    x = torch.randn(50, 3, generator=torch.Generator().manual_seed(1))
    whole, parts = (game(gan, weight=0.1, critic_steps=2, total=20, seed=4) for _ in range(2))
    whole.run(x, None, 9, 2)
    for steps in (4, 0, 5):
        parts.run(x, None, steps, 2)
    assert torch.equal(flat(whole.generator), flat(parts.generator))
    assert whole.t == parts.t == 9


def test_draws_hang_on_seed_and_number_alone(gan):
    x, y = torch.arange(40.0).reshape(20, 2), torch.arange(20)
    one, same = (gan.draws.draw(x, y, 3, 5, 2, 6, 4) for _ in range(2))
    other = gan.draws.draw(x, y, 3, 6, 2, 6, 4)
    assert torch.equal(one.z, same.z) and not torch.equal(one.z, other.z)
    assert one.real.shape == (2, 6, 2) and one.y.shape == (3, 6)
    assert one.z.shape == (3, 6, 4) and one.eps.shape == (2, 6)
    assert torch.equal(one.real[..., 0], 2 * one.y[:2].float())  # labels are those of the data


def test_parameter_count_of_the_networks(gan):
    generator, critic = gan.model.Generator(16, 128, 196, 10), gan.model.Critic(196, 128, 10)
    assert sum(p.numel() for p in generator.parameters()) == 26 * 128 + 128 + 129 * 128 + 129 * 196
    assert sum(p.numel() for p in critic.parameters()) == 206 * 128 + 128 + 129 * 128 + 129


def test_a_fit_by_kl_finds_the_moments(gan):
    samples = gan.study.load_data("synthetic-digits")["samples"]
    fit = gan.model.fit_gaussian(samples, "kl", 0, 600).generator
    assert abs(float(fit.sigma.detach())) == pytest.approx(float(samples.std()), abs=0.04)
    assert float(fit.mu.detach()) == pytest.approx(float(samples.mean()), abs=0.07)


def test_the_study_holds_what_the_handout_asks(gan):
    with (REFERENCE / "results.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == gan.study.COLUMNS
    cells = {(row["factor"], row["value"], row["seed"]) for row in rows}
    assert len(cells) == len(rows) == 3 * sum(map(len, gan.study.SWEEP.values()))
    assert all(float(row["metric"]) >= 0 for row in rows)
