"""A manifest is read whole, and every mistake in it is reported with file, key and mend."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import ManifestError
from grader.lab.manifest import load_assignment

MANIFEST = """
schema = 1
slug = "fnn"
title = "Networks"
default_variant = "a"

[limits]
cpu_seconds = 60

[variants.a]
width = 4
[variants.b]
width = 8

[[files]]
path = "fnn/layers.py"
without = ["torch"]
[[files]]
path = "results.csv"
required = false

[[given]]
path = "fnn/__init__.py"

[[parts]]
id = "mechanics"
title = "Mechanics"
without = ["torch"]
[[parts.items]]
id = "softmax"
title = "Softmax"
points = 1.5
[[parts.items]]
id = "extra"
title = "Extra"
points = 1
bonus = true

[[parts]]
id = "study"
title = "Study"
[[parts.items]]
id = "words"
title = "Discussion"
points = 2
manual = true
"""


@pytest.fixture
def write(tmp_path: Path):
    """Return a function that writes the manifest with replacements and returns its folder."""
    folder = tmp_path / "fnn"
    (folder / "fnn").mkdir(parents=True)
    (folder / "fnn" / "__init__.py").write_text("")

    def write_with(*replacements: tuple[str, str]) -> Path:
        text = MANIFEST
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new, 1)
        (folder / "assignment.toml").write_text(text)
        return folder

    return write_with


def problems(folder: Path) -> dict[str, str]:
    with pytest.raises(ManifestError) as caught:
        load_assignment(folder)
    assert all(p.file == folder / "assignment.toml" for p in caught.value.problems)
    return {p.key: p.mend for p in caught.value.problems}


def test_a_sound_manifest_is_read(write):
    lab = load_assignment(write())
    assert lab.max_score == Decimal("3.5")
    assert [item.id for item in lab.items] == ["softmax", "extra", "words"]
    assert lab.part_of("words").id == "study"
    assert lab.item("extra").bonus
    assert [file.module for file in lab.files] == ["fnn.layers", None]
    assert lab.variant(None) == {"width": 4}
    assert lab.variant("b") == {"width": 8}


def test_a_variant_names_data_that_are_no_setting_of_it(write):
    lab = load_assignment(write(("width = 8", 'width = 8\nneeds = ["ppi-node2vec"]')))
    assert lab.variant("b") == {"width": 8}
    assert lab.data_of(None) == lab.data_of("a") == ()
    assert lab.data_of("b") == ("ppi-node2vec",)


def test_data_of_the_whole_lab_are_read_by_every_variant(write):
    lab = load_assignment(
        write(
            ('title = "Networks"', 'title = "Networks"\ndata = ["planetoid"]'),
            ("width = 8", 'width = 8\nneeds = ["planetoid", "cora.v1"]'),
        )
    )
    assert lab.data_of("a") == ("planetoid",)
    assert lab.data_of("b") == ("cora.v1", "planetoid")


def test_an_unknown_item_is_a_key_error(write):
    lab = load_assignment(write())
    with pytest.raises(KeyError):
        lab.item("nope")
    with pytest.raises(KeyError):
        lab.part_of("nope")


@pytest.mark.parametrize(
    ("old", "new", "key", "mend"),
    [
        pytest.param(
            "points = 1.5",
            "pionts = 1.5",
            "parts.0.items.0.pionts",
            "did you mean 'points'?",
            id="misspelt-item-key",
        ),
        pytest.param(
            "cpu_seconds = 60",
            "cpu_secs = 60",
            "limits.cpu_secs",
            "did you mean 'cpu_seconds'?",
            id="misspelt-limit",
        ),
        pytest.param(
            "schema = 1", "shema = 1", "shema", "did you mean 'schema'?", id="misspelt-top-key"
        ),
        pytest.param(
            "required = false", "zzz = 1", "files.1.zzz", "use one of path, title", id="unknown-key"
        ),
        pytest.param(
            "cpu_seconds = 60",
            'cpu_seconds = "long"',
            "limits.cpu_seconds",
            "expected a number, got 'long'",
            id="number",
        ),
        pytest.param(
            'title = "Softmax"',
            "title = 3",
            "parts.0.items.0.title",
            "expected text in quotes, got 3",
            id="text",
        ),
        pytest.param(
            "required = false",
            'required = "perhaps"',
            "files.1.required",
            "expected true or false",
            id="bool",
        ),
        pytest.param(
            'without = ["torch"]',
            'without = "torch"',
            "files.0.without",
            "expected a list in [brackets]",
            id="list",
        ),
        pytest.param(
            "points = 1.5",
            'points = "lots"',
            "parts.0.items.0.points",
            "expected a number",
            id="points",
        ),
        pytest.param(
            "points = 1.5",
            "points = -1",
            "parts.0.items.0.points",
            "-1 will not do: it should be greater",
            id="negative",
        ),
        pytest.param(
            'title = "Softmax"\n', "", "parts.0.items.0.title", "is missing; add it", id="missing"
        ),
        pytest.param(
            'id = "extra"',
            'id = "softmax"',
            "parts.items",
            "'softmax' stands 2 times",
            id="doubled-item",
        ),
        pytest.param(
            'id = "words"',
            'id = "softmax"',
            "parts.items",
            "'softmax' stands 2 times",
            id="doubled-across-parts",
        ),
        pytest.param(
            'id = "study"',
            'id = "mechanics"',
            "parts",
            "'mechanics' stands 2 times",
            id="doubled-part",
        ),
        pytest.param(
            '"results.csv"',
            '"fnn/Layers.py"',
            "files",
            "stands 2 times",
            id="doubled-file-but-for-case",
        ),
        pytest.param(
            '"results.csv"',
            '"fnn/__init__.py"',
            "given",
            "is also a submitted file",
            id="given-and-submitted",
        ),
        pytest.param(
            'path = "fnn/__init__.py"',
            'path = "fnn/data.py"',
            "given.0.path",
            "there is no file 'fnn/data.py'",
            id="given-absent",
        ),
        pytest.param(
            'path = "results.csv"',
            'path = "results.csv"\ncolumns = { seed = "integer" }',
            "files.1.columns.seed",
            "'whole'",
            id="kind-of-column",
        ),
        pytest.param(
            'path = "results.csv"',
            'path = "results.txt"\ncolumns = { seed = "whole" }',
            "files.1.columns",
            "only a CSV file",
            id="columns-of-no-table",
        ),
        pytest.param(
            'without = ["torch"]',
            'without = ["torch-cpu"]',
            "files.0.without.0",
            "import name",
            id="library",
        ),
        pytest.param(
            'id = "softmax"',
            'id = "Soft max"',
            "parts.0.items.0.id",
            "lower-case letters",
            id="item-id",
        ),
        pytest.param(
            'slug = "fnn"', 'slug = "cnn"', "slug", "must equal the folder's name, 'fnn'", id="slug"
        ),
        pytest.param(
            'default_variant = "a"\n', "", "default_variant", "name one of a, b", id="no-default"
        ),
        pytest.param(
            'default_variant = "a"',
            'default_variant = "c"',
            "default_variant",
            "no variant 'c'; known: a, b",
            id="unknown-default",
        ),
        pytest.param("width = 8", "depth = 8", "variants.b", "lacks 'width'", id="variant-keys"),
        pytest.param(
            "width = 8",
            'width = 8\nneeds = "planetoid"',
            "variants.b.needs",
            'needs = ["planetoid"]',
            id="needs-is-a-list",
        ),
        pytest.param(
            "width = 8",
            'width = 8\nneeds = ["../etc"]',
            "variants.b.needs",
            'needs = ["planetoid"]',
            id="needs-is-a-name",
        ),
        pytest.param(
            'title = "Networks"',
            'title = "Networks"\ndata = ["planetoid/raw"]',
            "data.0",
            "a folder's name",
            id="data-is-a-name",
        ),
        pytest.param(
            'title = "Networks"',
            'title = "Networks"\ndata = ["planetoid", "planetoid"]',
            "data",
            "stands 2 times",
            id="doubled-data",
        ),
        pytest.param(
            "width = 8",
            "width = 1979-05-27",
            "variants.b.width",
            "expected text, a number",
            id="variant-value",
        ),
    ],
)
def test_a_mistake_names_its_key_and_mend(write, old, new, key, mend):
    found = problems(write((old, new)))
    assert mend in found[key]


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../x.py",
        "a/../b.py",
        "a//b.py",
        ".",
        "",
        "C:/x.py",
        "a\\\\b.py",
        "fnn/lay ers.py",
        "hw-1/layers.py",
        "class/layers.py",
        "./layers.py",
        ".hidden",
    ],
)
def test_a_path_that_is_not_plain_is_refused(write, path):
    assert "files.0.path" in problems(write(('"fnn/layers.py"', f'"{path}"')))


def test_every_mistake_is_reported_at_once(write):
    found = problems(
        write(("points = 1.5", "pionts = 1"), ("cpu_seconds = 60", "cpu_seconds = []"))
    )
    assert set(found) == {
        "parts.0.items.0.points",
        "parts.0.items.0.pionts",
        "limits.cpu_seconds",
    }


def test_a_lab_without_files_or_items_is_refused(write):
    folder = write()
    (folder / "assignment.toml").write_text(
        'schema = 1\nslug = "fnn"\ntitle = "x"\nfiles = []\nparts = []\nlimits.cpu_seconds = 1'
    )
    assert problems(folder) == {
        "files": "is empty; name at least one",
        "parts": "is empty; name at least one",
    }


def test_a_variant_of_a_lab_without_variants_is_refused(write):
    folder = write(("[variants.a]\nwidth = 4\n[variants.b]\nwidth = 8\n", ""))
    assert "no variant is defined" in problems(folder)["default_variant"]


def test_a_missing_manifest_says_so(tmp_path):
    assert problems(tmp_path) == {"": "is missing; write one"}


def test_a_folder_in_the_manifests_place_is_reported(tmp_path):
    (tmp_path / "assignment.toml").mkdir()
    assert "cannot be read" in problems(tmp_path)[""]


def test_broken_toml_names_the_line(write):
    assert "line 2" in problems(write(("schema = 1", "schema =")))[""]


@given(data=st.binary(max_size=200))
def test_any_bytes_give_a_manifest_error(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("lab")
    (folder / "assignment.toml").write_bytes(data)
    with pytest.raises(ManifestError):
        load_assignment(folder)
