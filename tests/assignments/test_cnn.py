"""The public folder of cnn: manifest, handouts, data sets and bars hang together."""

import re
import tomllib
from pathlib import Path

import pytest

from grader.lab.given import given_file
from grader.lab.manifest import load_assignment

HOME = Path(__file__).parents[2]
VARIANTS = ("tiny_imagenet_10", "tiny_imagenet_5", "synthetic")


@pytest.fixture(scope="module")
def assignment():
    return load_assignment(HOME / "assignments" / "cnn")


@pytest.fixture(params=["README.md", "README.zh.md"])
def handout(request, assignment):
    return (assignment.folder / request.param).read_text("utf-8")


@pytest.fixture(scope="module")
def bars():
    return tomllib.loads((HOME / "reference" / "cnn" / "bars.toml").read_text("utf-8"))


def test_the_lab_is_worth_fourteen_points_in_the_parts_of_the_course(assignment):
    assert assignment.max_score == 14
    assert [int(part.points) for part in assignment.parts] == [5, 4, 3, 2]
    assert [item.id for item in assignment.items if item.manual] == ["report"]


def test_the_handout_prints_the_points_of_the_manifest(assignment, handout):
    rows = re.findall(r"^\| \S+ \| (\d+) \| .*\d", handout, re.M)
    points = [int(part.points) for part in assignment.parts]
    assert [int(row) for row in rows] == points[:3]  # the last row names no item


def test_the_handout_prints_the_bars_of_the_accuracy(handout, bars):
    table = re.search(
        r"^\|[^\n]*`tiny_imagenet_10` \|[^\n]*\n\|[-|]+\n(.*?)\n\n", handout, re.M | re.S
    )
    rows = [[float(n) for n in re.findall(r"0\.\d+", row)] for row in table[1].splitlines()]
    assert rows == [[bars["accuracy"][level][v] for v in VARIANTS] for level in ("full", "partial")]


def test_the_handout_prints_the_bars_of_the_open_part(handout, bars):
    for variant in VARIANTS:
        floor, full = bars["best"]["floor"][variant], bars["best"]["full"][variant]
        assert re.search(rf"{floor}\D{{1,30}}{full}", handout)
    floor, full = bars["best-drawn"]["floor"], bars["best-drawn"]["full"]
    told = f"none at {floor}, all at {full}.", f"{floor} 得零分，{full} 得满分。"
    assert any(words in handout for words in told)


def test_the_handout_prints_how_many_images_are_trained_on(assignment, handout):
    for variant in VARIANTS[:2]:
        assert f"{assignment.variant(variant)['train']:,}" in handout


def test_only_the_stand_in_does_without_data(assignment):
    needs = {variant: assignment.data_of(variant) for variant in VARIANTS}
    assert needs["synthetic"] == ()
    assert needs["tiny_imagenet_10"] == needs["tiny_imagenet_5"] == ("tiny-imagenet-10",)
    assert assignment.default_variant == "tiny_imagenet_10"


def test_every_variants_images_are_a_set_of_the_study(assignment):
    study = (assignment.folder / "cnn" / "study.py").read_text("utf-8")
    for variant in VARIANTS:
        assert f'    "{assignment.variant(variant)["images"]}": (' in study


def test_the_layers_are_written_without_torchs_own(assignment):
    layers = (assignment.folder / "cnn" / "layers.py").read_text("utf-8")
    assert "import nn" not in layers and "torch.nn import" not in layers
    (declared,) = [file for file in assignment.files if file.from_scratch]
    assert declared.path == "cnn/layers.py"


def test_every_loader_that_a_given_one_imports_is_given(assignment):
    loaders = [given.path for given in assignment.given if given.path.startswith("cnn/datasets/")]
    names = {Path(path).stem for path in loaders}
    for path in loaders:
        text = given_file(assignment.folder, path).read_text("utf-8")
        imported = re.findall(r"^from \.(\w+) import", text, re.M)
        assert set(imported) <= names
