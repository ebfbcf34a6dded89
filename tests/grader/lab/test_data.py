"""Data folders are found, named by their content, and missed with a word on how to get them."""

import importlib
import os
import shutil
from pathlib import Path

import pytest

from grader.errors import GradingError, ManifestError
from grader.lab.catalogue import Catalogue
from grader.lab.data import data_digests, data_stamp, lacking, missing_data
from grader.lab.manifest import load_assignment
from reference.datasets.registry import package_of

HOME = Path(__file__).parents[2] / "home"
MANIFEST = "assignments/tiny/assignment.toml"


@pytest.fixture
def lab(tmp_path):
    """Return the tiny lab with a variant that reads data and one that does without."""
    shutil.copytree(HOME, tmp_path / "home")
    file = tmp_path / "home" / MANIFEST
    variants = '[variants.real]\nneeds = ["graphs"]\n[variants.toy]\n'
    top = file.read_text().replace("[limits]", 'default_variant = "real"\n[limits]', 1)
    file.write_text(top + variants)
    return load_assignment(file.parent)


@pytest.fixture
def environ(tmp_path):
    """Return an environment with a data directory and a cache, one small folder in the former."""
    folder = tmp_path / "data" / "graphs" / "raw"
    folder.mkdir(parents=True)
    (folder / "a.bin").write_bytes(b"one")
    return {"GRADER_DATA": str(tmp_path / "data"), "XDG_CACHE_HOME": str(tmp_path / "cache")}


def file_of(environ):
    return Path(environ["GRADER_DATA"]) / "graphs" / "raw" / "a.bin"


def test_only_the_variant_that_reads_a_folder_misses_it(lab, environ):
    empty = environ | {"GRADER_DATA": "/nowhere"}
    assert missing_data(lab, None, empty) == missing_data(lab, "real", empty) == ("graphs",)
    assert missing_data(lab, "toy", empty) == ()
    assert data_digests(lab, "toy", empty) == {}
    with pytest.raises(GradingError) as caught:
        data_digests(lab, None, empty)
    for word in ("tiny (variant real)", "graphs", "/nowhere/", "docs/data.md"):
        assert word in str(caught.value).replace("/nowhere ", "/nowhere/ ")


def test_a_lab_says_which_variants_it_cannot_run(lab, environ):
    assert lacking(lab, environ) == ""
    assert "tiny (variant real) reads data" in lacking(lab, environ | {"GRADER_DATA": "/nowhere"})


def test_the_cache_is_a_second_place(lab, environ, tmp_path):
    del environ["GRADER_DATA"]
    assert missing_data(lab, "real", environ) == ("graphs",)
    shutil.copytree(tmp_path / "data", tmp_path / "cache" / "proctor-data")
    assert missing_data(lab, "real", environ) == ()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda file: file.write_bytes(b"two"), id="content"),
        pytest.param(lambda file: file.rename(file.with_name("b.bin")), id="name"),
        pytest.param(lambda file: (file.parent / "c.bin").write_bytes(b""), id="new file"),
    ],
)
def test_another_content_has_another_digest(lab, environ, change):
    first, stamp = data_digests(lab, "real", environ), data_stamp(lab, "real", environ)
    assert data_digests(lab, "real", environ) == first
    change(file_of(environ))
    assert data_digests(lab, "real", environ) != first
    assert data_stamp(lab, "real", environ) != stamp


def test_the_digest_is_of_the_content_and_not_of_the_place(lab, environ, tmp_path):
    shutil.copytree(tmp_path / "data", tmp_path / "moved")
    moved = environ | {"GRADER_DATA": str(tmp_path / "moved")}
    os.utime(tmp_path / "moved" / "graphs" / "raw" / "a.bin", (1, 1))
    assert data_digests(lab, "real", moved) == data_digests(lab, "real", environ)


def test_a_folder_in_both_places_counts_with_both(lab, environ, tmp_path):
    alone = data_digests(lab, "real", environ)
    shutil.copytree(tmp_path / "data", tmp_path / "cache" / "proctor-data")
    assert data_digests(lab, "real", environ) != alone


# ------------------------------------------------------------------------------ packages


@pytest.fixture
def brought(lab, tmp_path, monkeypatch):
    """Return the lab, whose folder `graphs` a Python package brings, not installed yet."""
    with (lab.folder / "assignment.toml").open("a") as file:
        file.write(
            '[packages.graphs]\ninstall = "pip install graphs-of-ours"\n'
            'module = "graphs_of_ours"\nfolder = "files/raw"\n'
        )
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return load_assignment(lab.folder)


def install(tmp_path):
    files = tmp_path / "site" / "graphs_of_ours" / "files" / "raw"
    files.mkdir(parents=True)
    (files.parents[1] / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (files / "a.bin").write_bytes(b"one")
    importlib.invalidate_caches()
    return files


def test_a_package_brings_a_folder_that_lies_nowhere(brought, environ, tmp_path):
    nowhere = environ | {"GRADER_DATA": "/nowhere"}
    assert missing_data(brought, "real", nowhere) == ("graphs",)
    files = install(tmp_path)
    assert missing_data(brought, "real", nowhere) == ()
    first, stamp = data_digests(brought, "real", nowhere), data_stamp(brought, "real", nowhere)
    (files / "a.bin").write_bytes(b"three")
    assert data_digests(brought, "real", nowhere) != first
    assert data_stamp(brought, "real", nowhere) != stamp


def test_a_folder_comes_before_a_package(brought, environ, tmp_path):
    alone = data_digests(brought, "real", environ)
    (install(tmp_path) / "b.bin").write_bytes(b"two")
    assert data_digests(brought, "real", environ) == alone


def test_who_misses_data_that_a_package_brings_is_told_the_command(brought, environ):
    said = lacking(brought, environ | {"GRADER_DATA": "/nowhere"})
    assert "A package brings graphs: pip install graphs-of-ours. Set GRADER_DATA" in said


@pytest.mark.parametrize(
    ("name", "module", "folder", "mend"),
    [
        ("graphs", "graphs_of_ours", "/srv/graphs", "folder lies below the module"),
        ("graphs", "graphs_of_ours", "../graphs", "folder lies below the module"),
        ("graphs", "", "graphs", "write a library's import name"),
        ("graphs", None, "graphs", "without a module it is a whole path"),
        ("trees", None, "/srv/trees", "nothing reads 'trees'"),
    ],
)
def test_a_package_that_cannot_be_found_is_refused(lab, name, module, folder, mend):
    named = "" if module is None else f'module = "{module}"\n'
    with (lab.folder / "assignment.toml").open("a") as file:
        file.write(f'[packages.{name}]\ninstall = "get it"\nfolder = "{folder}"\n{named}')
    with pytest.raises(ManifestError) as caught:
        load_assignment(lab.folder)
    assert mend in str(caught.value)


def test_a_misspelt_key_of_a_package_is_told(lab):
    with (lab.folder / "assignment.toml").open("a") as file:
        file.write('[packages.graphs]\ninstal = "get it"\nfolder = "/srv/graphs"\n')
    with pytest.raises(ManifestError) as caught:
        load_assignment(lab.folder)
    assert "packages.graphs.instal" in str(caught.value)
    assert "did you mean 'install'?" in str(caught.value)


def test_manifests_name_the_packages_that_loaders_know():
    root = Path(__file__).parents[3]
    for lab in Catalogue(root).labs():
        for folder, package in lab.assignment.packages.items():
            known = package_of(folder)
            assert package.install == known.install, folder
            assert (package.module or "", package.folder) == (known.module, known.folder), folder
