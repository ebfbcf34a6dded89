"""What the reference has of its own for a variant, and that a suite is proven in every variant."""

import shutil
from pathlib import Path

import pytest

from grader.authoring import reference_submission
from grader.authoring.validate import ValidationPlan, validate
from grader.authoring.variants import own_digest
from grader.errors import AuthoringError, ManifestError
from grader.grading import suite_digest
from grader.lab.catalogue import Catalogue
from grader.sandbox import Tier, best_tier

HOME = Path(__file__).parents[2] / "home"
VARIANTS = """
[variants.low]
level = 2

[variants.high]
level = 3
"""
# Answers differ with the variant: the reference doubles, that of `high` triples.
SUITE = '''
import pytest

from grader.suite import as_number


@pytest.mark.item("double")
def test_times_the_level(student, variant):
    """A multiple."""
    assert as_number(student.maths.double(7.0)) == 7 * variant["level"]


@pytest.mark.item("partial")
def test_partial(student):
    """Another multiple."""
    assert as_number(student.maths.double(0.0)) == 0


@pytest.mark.item("linear")
def test_linear(student):
    """And one more."""
    assert as_number(student.maths.double(-0.0)) == 0
'''
EDIT = """title = "thrice"

[[replace]]
file = "tiny/maths.py"
old = "return 2 * x"
new = "return 3 * x"
"""


@pytest.fixture
def home(tmp_path):
    """The tiny lab in two variants, the second with an edit of its own."""
    home = tmp_path / "home"
    shutil.copytree(HOME, home)
    manifest = home / "assignments/tiny/assignment.toml"
    text = manifest.read_text().replace("[limits]", 'default_variant = "low"\n\n[limits]', 1)
    manifest.write_text(text + VARIANTS)
    suite = home / "reference/tiny/suite"
    shutil.rmtree(suite)
    suite.mkdir()
    (suite / "test_own.py").write_text(SUITE)
    shutil.rmtree(home / "reference/tiny/mutants")
    (home / "reference/tiny/variants/high").mkdir(parents=True)
    (home / "reference/tiny/variants/high/edit.toml").write_text(EDIT)
    return home


@pytest.fixture
def lab(home):
    """The lab that lies there."""
    return Catalogue(home).get("tiny")


def contents(submission):
    return {file.path: file.content for file in submission.files}


def test_an_edit_changes_the_files_it_names_alone(lab):
    plain = contents(reference_submission(lab))
    high = contents(reference_submission(lab, "high"))
    assert high.keys() == plain.keys()
    assert [path for path in high if high[path] != plain[path]] == ["tiny/maths.py"]
    assert b"return 3 * x" in high["tiny/maths.py"]


def test_a_file_replaces_the_references_or_is_added(lab):
    folder = lab.reference / "variants/high"
    (folder / "answers.csv").write_bytes(b"a,b\n")
    (folder / "net.py").write_bytes(b"# another net\n")
    high = contents(reference_submission(lab, "high"))
    assert high["answers.csv"] == b"a,b\n"
    assert high["tiny/net.py"] == b"# another net\n"


@pytest.mark.parametrize("variant", [None, "low"])
def test_a_variant_without_files_has_the_reference_itself(lab, variant):
    assert reference_submission(lab, variant) == reference_submission(lab)
    assert own_digest(lab, variant) == ""


def test_an_edit_that_no_longer_fits_says_where_it_lies(lab):
    (lab.reference / "maths.py").write_text("def double(x):\n    return x + x\n")
    with pytest.raises(AuthoringError, match=r"high/edit\.toml: .* stands 0 times"):
        reference_submission(lab, "high")


def test_an_edit_of_another_form_is_refused(lab):
    (lab.reference / "variants/high/edit.toml").write_text('title = "nothing"\n')
    with pytest.raises(ManifestError, match=r"edit\.toml.*replace"):
        reference_submission(lab, "high")


def test_a_file_that_is_in_no_submission_is_refused(lab):
    (lab.reference / "variants/high/mahts.py").write_bytes(b"")
    with pytest.raises(AuthoringError, match=r"mahts\.py: no file of a submission"):
        reference_submission(lab, "high")


def test_the_digest_tells_what_a_variant_has_and_decides_no_grade(lab):
    graded, before = suite_digest(lab), own_digest(lab, "high")
    (lab.reference / "variants/high/edit.toml").write_text(EDIT.replace("3 * x", "4 * x"))
    assert own_digest(lab, "high") != before
    assert suite_digest(lab) == graded


@pytest.mark.skipif(
    best_tier() is Tier.PROCESS, reason="needs Landlock: submissions run in a sandbox"
)
def test_a_suite_is_proven_in_every_variant(home, lab):
    plan = ValidationPlan(seeds=6, repeats=1, automatic=False)
    found = {finding.claim: finding.holds for finding in validate(lab, plan).findings}
    runs = {claim: holds for claim, holds in found.items() if "variant high" in claim}
    assert runs == {
        "the reference earns full marks (variant high, seed 0)": True,
        "the reference earns full marks (variant high, seed 1)": True,
        "skeleton earns nothing (variant high)": True,
    }
    shutil.rmtree(home / "reference/tiny/variants")
    again = [f for f in validate(lab, plan).findings if "variant high" in f.claim]
    assert [finding.holds for finding in again] == [False, False, True]
    assert "lost test_own.py::test_times_the_level" in again[0].detail
