"""Labs are found as folders, and a broken one hides no other."""

from pathlib import Path

import pytest

from grader.errors import ManifestError, ProctorError, UnknownAssignment
from grader.lab.catalogue import Catalogue, find_home

MANIFEST = """
schema = 1
slug = "{slug}"
title = "A small lab"
[limits]
cpu_seconds = 10
[[files]]
path = "{slug}/layers.py"
[[parts]]
id = "one"
title = "One"
[[parts.items]]
id = "item"
title = "An item"
points = 1
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for slug in ("fnn", "cnn"):
        folder = tmp_path / "assignments" / slug
        folder.mkdir(parents=True)
        (folder / "assignment.toml").write_text(MANIFEST.format(slug=slug))
    (tmp_path / "reference" / "fnn").mkdir(parents=True)
    return tmp_path


def test_labs_are_found_in_the_order_of_their_slugs(home):
    assert [lab.assignment.slug for lab in Catalogue(home).labs()] == ["cnn", "fnn"]


def test_a_lab_knows_its_staff_half(home):
    lab = Catalogue(home).get("fnn")
    assert lab.public == home / "assignments" / "fnn"
    assert lab.suite == home / "reference" / "fnn" / "suite"
    assert lab.mutants == home / "reference" / "fnn" / "mutants"


def test_a_lab_without_staff_half_has_no_suite(home):
    lab = Catalogue(home).get("cnn")
    assert (lab.reference, lab.suite, lab.mutants) == (None, None, None)


def test_a_broken_manifest_is_reported_and_hides_no_other(home):
    (home / "assignments" / "cnn" / "assignment.toml").write_text("schema = ")
    catalogue = Catalogue(home)
    assert [lab.assignment.slug for lab in catalogue.labs()] == ["fnn"]
    (problem,) = catalogue.problems()
    assert "cnn/assignment.toml" in str(problem)
    with pytest.raises(ManifestError):
        catalogue.get("cnn")


def test_a_folder_without_manifest_is_no_lab(home):
    (home / "assignments" / "notes").mkdir()
    assert len(Catalogue(home).labs()) == 2
    assert Catalogue(home).problems() == []
    with pytest.raises(UnknownAssignment, match="this course has cnn, fnn"):
        Catalogue(home).get("notes")


def test_an_unknown_slug_names_what_comes_near(home):
    with pytest.raises(UnknownAssignment, match=r"'fn'; did you mean fnn\?"):
        Catalogue(home).get("fn")


def test_an_unknown_slug_with_no_neighbour_lists_the_course(home):
    with pytest.raises(UnknownAssignment, match="this course has cnn, fnn"):
        Catalogue(home).get("zzzzzz")


def test_an_empty_home_says_where_it_looked(tmp_path):
    with pytest.raises(UnknownAssignment, match="GRADER_HOME"):
        Catalogue(tmp_path).get("fnn")


@pytest.mark.parametrize("slug", ["../fnn", "/etc", "", ".", "fnn/../fnn"])
def test_a_slug_is_never_a_path(home, slug):
    with pytest.raises(UnknownAssignment):
        Catalogue(home).get(slug)


def test_the_variable_decides_the_home(home, tmp_path):
    assert find_home(Path("/"), {"GRADER_HOME": str(home)}) == home.resolve()


def test_a_wrong_variable_is_refused(tmp_path):
    with pytest.raises(ProctorError, match="holds no folder assignments/"):
        find_home(Path("/"), {"GRADER_HOME": str(tmp_path / "nowhere")})


def test_the_nearest_parent_is_the_home(home):
    deep = home / "reference" / "fnn"
    assert find_home(deep, {}) == home.resolve()


def test_the_checkout_of_the_package_is_the_last_resort(tmp_path):
    assert (find_home(tmp_path, {}) / "grader" / "lab" / "catalogue.py").is_file()
