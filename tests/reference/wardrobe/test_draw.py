"""Pictures of two garments: their labels, what is given away, and that chance is the secret's."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.grading.reference import reference_module

FOLDER = Path(__file__).parents[3] / "reference" / "wardrobe"


@pytest.fixture(scope="module")
def code():
    return reference_module(FOLDER, "wardrobe", "draw")


def rows(code, seed, count, part="test"):
    inputs, labels = code.draw(np.random.default_rng(seed), part, count, "drawn")
    return inputs["images"], labels


@given(st.integers(0, 2**32), st.integers(1, 30))
@settings(max_examples=10, deadline=None)
def test_a_seed_is_one_set_of_pictures_with_two_classes_in_rising_order(code, seed, count):
    images, labels = rows(code, seed, count)
    assert images.shape == (count, 32, 32) and images.dtype == np.uint8
    assert labels.shape == (count, 2) and labels.dtype == np.int64
    assert (labels[:, 0] < labels[:, 1]).all() and labels.min() >= 0 and labels.max() <= 9
    again, same = rows(code, seed, count)
    assert np.array_equal(images, again) and np.array_equal(labels, same)
    assert not np.array_equal(images, rows(code, seed + 1, count)[0])


def test_every_pair_is_as_likely_as_any(code):
    _, labels = rows(code, 1, 9000)
    _, counts = np.unique(labels, axis=0, return_counts=True)
    assert len(counts) == 45
    assert abs(counts - 200).max() < 5 * 200**0.5


def test_which_garment_lies_where_tells_nothing_of_the_labels_order(code):
    """The mean picture of the pairs (0, k) is the mean of (k, 9) alike: no class has a side."""
    images, labels = rows(code, 2, 6000)
    halves = images[:, :, :16].mean(axis=(1, 2)) - images[:, :, 16:].mean(axis=(1, 2))
    low = labels[:, 0] < 4
    spread = halves.std() * (1 / low.sum() + 1 / (~low).sum()) ** 0.5
    assert abs(halves[low].mean() - halves[~low].mean()) < 5 * spread


def test_train_and_test_share_no_garment(code):
    garments = importlib.import_module("reference_wardrobe.garments")
    parts = [{row.tobytes() for row in garments.pictures(part)[0]} for part in ("train", "test")]
    assert not parts[0] & parts[1] and len(parts[0]) > 500


def test_garments_of_a_class_are_more_alike_than_others(code):
    """Of pictures without noise: a drawn garment's nearest neighbour is mostly of its class."""
    garments = importlib.import_module("reference_wardrobe.garments")
    (known, kinds), (asked, right) = (garments.pictures(part) for part in ("train", "test"))
    known, asked = (part.reshape(len(part), -1) > 0 for part in (known, asked))
    far = (asked[:, None] != known[None]).sum(axis=2)
    assert np.mean(kinds[far.argmin(axis=1)] == right) > 0.85


def test_a_picture_between_pixels_is_the_mean_of_its_neighbours(code):
    picture = np.arange(16, dtype=np.float64).reshape(1, 4, 4)
    x, y = np.array([[[0.5, 1.0]]]), np.array([[[0.0, 1.5]]])
    assert code._sampled(picture, x, y).ravel().tolist() == pytest.approx([0.5, 7.0])
