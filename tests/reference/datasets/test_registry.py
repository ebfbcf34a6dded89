"""Finding sets, refusing changed ones, stand-ins, digests, and packages that hold few files."""

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


# ---------------------------------------------------------------------------------- stand-ins


@pytest.mark.parametrize("name", SMALL)
def test_a_stand_in_is_made_by_its_seed_and_says_so(datasets, name):
    first, again, other = (datasets.load(name, **SMALL[name], seed=seed) for seed in (3, 3, 4))
    field = "train_x" if name == "synthetic-images" else "x"
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
    ],
)
def test_a_stand_in_too_small_is_refused(datasets, name, options):
    with pytest.raises(ValueError, match=name):
        datasets.load(name, **options)


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
