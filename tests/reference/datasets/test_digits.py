"""Digits and clothes in grey: files of type IDX, and the table that a package brings."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st


def test_idx_files_packed_or_not_give_grey_images(datasets, mnist_folder):
    images = datasets.idx.read(mnist_folder, "mnist")
    assert images.train_x.shape == (3, 1, 4, 4) and images.train_x.dtype == np.uint8
    assert images.train_x[1, 0, 0].tolist() == [80, 85, 90, 95]
    assert list(images.train_y) == [7, 8, 9] and list(images.test_y) == [7, 8]
    half = datasets.idx.read(mnist_folder, "mnist", size=2).train_x
    assert half.shape == (3, 1, 2, 2) and half[0, 0, 0].tolist() == [13, 23]  # of 12.5 and 22.5


def test_the_two_sets_of_equal_file_names_are_not_taken_for_each_other(
    datasets, nowhere, mnist_folder
):
    assert datasets.registry.locate("mnist", mnist_folder.parent) == mnist_folder
    assert datasets.registry.locate("fashion-mnist", mnist_folder.parent) is None
    with pytest.raises(datasets.DataError, match="differs from the published file"):
        datasets.load("mnist", mnist_folder.parent)


LABELS = "train-labels-idx1-ubyte.gz"
IMAGES = "train-images-idx3-ubyte"


@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        pytest.param(IMAGES, b"", "no IDX file", id="empty"),
        pytest.param(IMAGES, b"\x00\x00\x0d\x03" + bytes(12), "of bytes", id="floats"),
        pytest.param(IMAGES, b"\x00\x00\x08\x01" + bytes(4), "3 dimensions", id="labels"),
        pytest.param(
            IMAGES,
            b"\x00\x00\x08\x03" + struct.pack(">3I", 2**32 - 1, 2**32 - 1, 2**32 - 1),
            "must hold 4294967295 x",
            id="memory",
        ),
        pytest.param(IMAGES, b"\x00\x00\x08\x03" + bytes(12), "no images", id="none"),
        pytest.param(IMAGES, b"\x00\x00\x08\x03" + bytes(13), "it holds 1", id="longer"),
        pytest.param(LABELS, b"\x00\x00\x08\x01" + bytes(4), "cannot be read", id="unpacked"),
        pytest.param(
            LABELS, gzip.compress(b"\x00\x00\x08\x01\x00\x00\x00\x01\x00"), "must fit", id="one"
        ),
        pytest.param(
            LABELS,
            gzip.compress(b"\x00\x00\x08\x01\x00\x00\x00\x03\x00\x0a\x01"),
            "labels from 0 to 9",
            id="label",
        ),
    ],
)
def test_what_is_wrong_with_an_idx_file_is_said(datasets, mnist_folder, file, content, why):
    (mnist_folder / file).write_bytes(content)
    with pytest.raises(datasets.DataError, match=why):
        datasets.idx.read(mnist_folder, "mnist")


def test_idx_files_come_back_as_they_were_written(datasets, tmp_path):
    @settings(max_examples=30, deadline=None)
    @given(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.randoms(), st.booleans())
    def check(shape, random, packed):
        count = int(np.prod(shape))
        data = bytes([0, 0, 8, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
        data += random.randbytes(count)
        path = tmp_path / ("file.gz" if packed else "file")
        path.write_bytes(gzip.compress(data, 1) if packed else data)
        array = datasets.idx.read_idx(path, len(shape))
        assert array.shape == tuple(shape) and array.tobytes() == data[len(data) - count :]

    check()


def test_every_fifth_digit_of_a_class_is_for_the_test(datasets, digits_folder):
    digits = datasets.mnist_5k.read(digits_folder, "mnist-5k")
    assert digits.train_x.shape == (10, 1, 28, 28)
    assert list(digits.train_x[:, 0, 3, 3]) == [0, 1, 2, 3, 5] * 2
    assert list(digits.test_x[:, 0, 3, 3]) == [4, 4] and list(digits.test_y) == [0, 1]
    assert datasets.mnist_5k.read(digits_folder, "mnist-5k", 14).test_x.shape == (2, 1, 14, 14)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        pytest.param("", "28 x 28 pixels and a label", id="empty"),
        pytest.param("1,2", "28 x 28 pixels and a label", id="short"),
        pytest.param("0," * 784 + "x", "whole numbers", id="word"),
        pytest.param("0," * 783 + "256,1", "from 0 to 255", id="bright"),
        pytest.param("0," * 784 + "10", "labels from 0 to 9", id="label"),
        pytest.param("0," * 784 + "1\n1,2", "whole numbers", id="ragged"),
        pytest.param("9" * 30 + ",0" * 784, "whole numbers", id="huge"),
    ],
)
def test_a_table_of_other_digits_is_refused(datasets, tmp_path, row, why):
    (tmp_path / "mnist_5k.csv").write_text(row)
    with pytest.raises(datasets.DataError, match=why):
        datasets.mnist_5k.read(tmp_path, "mnist-5k")
