"""The hidden form of texts: another encoder to look at, the same to compute with."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

CONFTEST = Path(__file__).parents[3] / "reference" / "text" / "suite" / "conftest.py"


@pytest.fixture(scope="module")
def suite():
    """The suite's conftest.py as a module."""
    spec = importlib.util.spec_from_file_location("conftest_of_the_text_suite", CONFTEST)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def data(text):
    return text.study.load_data("synthetic-topics")


@torch.no_grad()
def vectors(text, pretrained, ids, mask):
    encoder = text.model.Encoder.load(pretrained).eval()
    return text.layers.masked_mean(encoder(ids, mask), mask)


def test_units_in_another_order_give_the_same_numbers_in_that_order(suite, text, data):
    ids, mask = data["ids"][:20], data["mask"][:20]
    hidden = suite.shuffled(data["pretrained"], np.random.default_rng(0))
    plain, moved = (vectors(text, p, ids, mask) for p in (data["pretrained"], hidden))
    assert not torch.allclose(plain, moved, atol=1e-2)
    torch.testing.assert_close(
        moved.sort(dim=1).values, plain.sort(dim=1).values, rtol=1e-4, atol=1e-5
    )


def test_new_numbers_of_words_give_the_same_vectors(suite, text, data):
    ids, mask = data["ids"][:20], data["mask"][:20]
    pretrained, renamed = suite.renumbered(data["pretrained"], ids, mask, np.random.default_rng(1))
    assert not renamed[~mask].any() and renamed[mask].all()
    assert len(pretrained[text.study.WORDS]) == len(torch.unique(ids[mask])) + 1
    found = vectors(text, pretrained, renamed, mask)
    torch.testing.assert_close(found, vectors(text, data["pretrained"], ids, mask))


def test_one_word_of_twenty_is_left_out_and_the_first_stays(suite, data):
    ids, mask = data["ids"][:300], data["mask"][:300]
    thin, left = suite.thinned(ids, mask, np.random.default_rng(2))
    share = float(left.sum() / mask.sum())
    assert 0.94 < share < 0.965
    assert torch.equal(thin[:, 0], ids[:, 0])
    lengths = left.sum(dim=1)
    assert torch.equal(left, torch.arange(left.shape[1])[None] < lengths[:, None])
    for row, words, kept in zip(ids, mask, range(len(ids)), strict=True):
        whole, rest = row[words].tolist(), iter(row[words].tolist())
        assert all(word in rest for word in thin[kept][left[kept]].tolist()), whole
