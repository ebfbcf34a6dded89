"""Tiny-ImageNet, CIFAR-10 and folders of images: what the loaders make of the files."""

import numpy as np
import pytest
from PIL import Image


@pytest.mark.parametrize("form", ["tiny_folder", "tiny_zip"])
def test_tiny_imagenet_labels_by_the_order_of_its_list(datasets, request, form):
    images = datasets.tiny_imagenet.read(request.getfixturevalue(form), "tiny-imagenet-200")
    assert images.train_x.shape == (6, 3, 64, 64) and images.train_x.dtype == np.uint8
    assert list(images.train_y) == [0, 0, 1, 1, 2, 2] and list(images.test_y) == [0, 1, 2]
    # Both cats have that word first, so their numbers tell them apart.
    assert images.classes == ("dog", "n00000001", "n00000002")
    assert abs(int(images.train_x[4, 0, 30, 30]) - 160) < 5  # red of the third class


def test_greyscale_images_get_three_equal_channels(datasets, tiny_folder):
    images = datasets.tiny_imagenet.read(tiny_folder, "tiny-imagenet-200")
    assert (images.test_x == images.test_x[:, :1]).all()
    assert abs(int(images.test_x[1, 2, 0, 0]) - 90) < 5


def test_some_classes_are_labelled_in_the_order_asked_for(datasets, tiny_folder):
    chosen = ["n00000002", "n00000003"]
    images = datasets.tiny_imagenet.read(tiny_folder, "tiny-imagenet-200", wnids=chosen)
    assert images.classes == ("cat", "dog")
    assert list(images.test_y) == [1, 0]
    with pytest.raises(datasets.DataError, match="n00000009"):
        datasets.tiny_imagenet.read(tiny_folder, "tiny-imagenet-200", wnids=["n00000009"])


def test_size_averages_boxes_of_pixels(datasets):
    picture = np.zeros((3, 4, 4), dtype=np.uint8)
    picture[0, :2, :2] = [[0, 100], [100, 200]]
    small = datasets.pictures.scale(picture, 2)
    assert small[0].tolist() == [[100, 0], [0, 0]] and not small[1:].any()


@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        ("wnids.txt", b"", "must list"),
        ("wnids.txt", b"n00000001\nn00000001\n", "must list"),
        ("wnids.txt", b"../../etc\n", "must list"),
        ("wnids.txt", b"n00000001\nn00000007\n", "no images in train/n00000007"),
        ("val/val_annotations.txt", b"val_0.JPEG\n", "file and class"),
        ("val/val_annotations.txt", b"val_7.JPEG\tn00000001\n", "val_7.JPEG cannot be read"),
        ("val/images/val_0.JPEG", b"GIF89a", "no sound image"),
    ],
)
def test_tiny_imagenet_names_what_is_wrong(datasets, tiny_folder, file, content, why):
    (tiny_folder / file).write_bytes(content)
    with pytest.raises(datasets.DataError, match=why):
        datasets.tiny_imagenet.read(tiny_folder, "tiny-imagenet-200")


def test_cifar_reads_its_batches_in_order(datasets, cifar_folder):
    images = datasets.cifar.read(cifar_folder, "cifar-10")
    assert images.train_x.shape == (10, 3, 32, 32) and images.classes == ("plane", "car")
    assert list(images.train_x[:, 1, 5, 5]) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert (images.train_x[:, 0] == 250).all()
    assert list(images.test_y) == [1, 1]
    assert datasets.cifar.read(cifar_folder, "cifar-10", 16).test_x.shape == (2, 3, 16, 16)


def test_cifar_refuses_labels_without_a_class(datasets, cifar_folder, py2):
    data = np.zeros((2, 3072), dtype=np.uint8)
    (cifar_folder / "data_batch_3").write_bytes(py2.pickled({"labels": [0, 2], "data": data}))
    with pytest.raises(datasets.DataError, match="data_batch_3 must hold labels"):
        datasets.cifar.read(cifar_folder, "cifar-10")


def write_images(folder, count, value):
    folder.mkdir(parents=True)
    for index in range(count):
        Image.new("RGB", (12, 10), (value, index, 0)).save(folder / f"{index}.png")


def test_every_fifth_image_of_a_plain_folder_is_for_the_test(datasets, nowhere, tmp_path):
    write_images(tmp_path / "pets" / "cats", 6, 10)
    write_images(tmp_path / "pets" / "dogs", 5, 20)
    images = datasets.load(f"image-folder:{tmp_path / 'pets'}", size=8)
    assert images.classes == ("cats", "dogs")
    assert list(images.train_y) == [0] * 5 + [1] * 4 and list(images.test_y) == [0, 1]
    assert list(images.test_x[:, 1, 0, 0]) == [4, 4] and images.test_x.shape[2:] == (8, 8)


def test_parts_of_a_folder_must_have_the_same_classes(datasets, nowhere, tmp_path):
    write_images(tmp_path / "train" / "cats", 1, 10)
    write_images(tmp_path / "train" / "dogs", 1, 10)
    write_images(tmp_path / "val" / "cats", 1, 10)
    with pytest.raises(datasets.DataError, match="dogs"):
        datasets.load(f"image-folder:{tmp_path}")


def test_images_of_two_sizes_ask_for_a_size(datasets, nowhere, tmp_path):
    write_images(tmp_path / "train" / "cats", 1, 10)
    write_images(tmp_path / "test" / "cats", 1, 10)
    Image.new("RGB", (5, 5)).save(tmp_path / "train" / "cats" / "odd.png")
    with pytest.raises(datasets.DataError, match="give `size`"):
        datasets.load(f"image-folder:{tmp_path}")


def test_the_real_ten_classes_are_whole(datasets, real_data):
    images = datasets.load("tiny-imagenet-10", real_data, size=16)
    assert images.train_x.shape == (5000, 3, 16, 16)
    assert np.array_equal(np.bincount(images.train_y), [500] * 10)
    assert np.array_equal(np.bincount(images.test_y), [50] * 10)
    assert images.classes[0] == "goldfish"
    grey = (images.train_x == images.train_x[:, :1]).all(axis=(1, 2, 3)).sum()
    grey += (images.test_x == images.test_x[:, :1]).all(axis=(1, 2, 3)).sum()
    assert grey >= 117
