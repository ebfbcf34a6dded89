"""Every claim about a competition holds of a new one, and falls when what it claims is broken."""

from contextlib import closing

import pytest
from small_competition import rings

from grader.authoring.validate import ValidationPlan, check_count, validate
from grader.authoring.validate.checks import CompetitionBench
from grader.authoring.validate.checks import competition as checks
from grader.errors import ManifestError
from grader.lab.catalogue import Catalogue

LABELS_IN_ORDER = "rings = np.sort(rng.integers(len(RADII), size=rows))"
DRAWN = "rings = rng.integers(len(RADII), size=rows)"
GIVEN = '{"points": (points + rng.normal(0.0, SPREAD, points.shape)).astype(np.float32)}'


@pytest.fixture
def home(tmp_path):
    rings(tmp_path)
    return tmp_path


def changed(home, file, old, new):
    text = (home / file).read_text("utf-8")
    assert text.count(old) >= 1, old
    (home / file).write_text(text.replace(old, new), "utf-8")


def finding(home, check):
    lab = Catalogue(home).get("rings")
    with closing(CompetitionBench(lab)) as bench:
        return check(bench)


DRAW, MANIFEST = "reference/rings/draw.py", "assignments/rings/assignment.toml"
PUBLIC, STARTER = "assignments/rings/test_rings.py", "reference/rings/predict.py"
PUBLIC_STARTER = "assignments/rings/rings/predict.py"  # which a release makes of the other one
BROKEN = {
    "chance of its own": (
        checks.data_are_repeatable, DRAW, "angle = rng.uniform", "angle = np.random.uniform",
        "the same secret drew two sets",
    ),
    "one test for all": (
        checks.data_are_repeatable, DRAW, "    rings = rng",
        "    rng = np.random.default_rng(len(part))\n    rings = rng",
        "a row of a fresh set is among those of the term too",
    ),
    "a class that never comes": (
        checks.labels_fit, DRAW, "rng.integers(len(RADII)", "rng.integers(2", "no row is of class",
    ),
    "labels in order": (
        checks.labels_fit, DRAW, DRAWN, LABELS_IN_ORDER, "ring goes with that of the row before",
    ),
    "labels as an input": (
        checks.students_get_no_label, DRAW, GIVEN, f'{GIVEN} | {{"hint": rings}}',
        "hint of the test holds the labels",
    ),
    "inputs of the test alone": (
        checks.students_get_no_label, DRAW, GIVEN, f"{GIVEN} | {{part: points}}",
        "train and test must have the same inputs",
    ),
    "a baseline that guessing reaches": (
        checks.guesses_miss_the_baseline, MANIFEST, "baseline = 0.52", "baseline = 0.34",
        "random 0.3",
    ),
    "a baseline that is out of reach": (
        checks.starter_scores, MANIFEST, "baseline = 0.52", "baseline = 0.62", "without luck",
    ),
    "a baseline far below": (
        checks.starter_scores, MANIFEST, "baseline = 0.52", "baseline = 0.4", "within 0.17",
    ),
    "a starter that fails": (
        checks.starter_scores, PUBLIC_STARTER, "import numpy", "import no_such",
        "python -m rings.predict fails",
    ),
    "a step that shows luck": (
        checks.step_is_of_the_size_of_luck, MANIFEST, "step = 0.01", "step = 0.0001",
        "standard deviation 0.02",
    ),
    "public tests that see nothing": (
        checks.public_checks_tell, PUBLIC, "    no_problem(problems)\n", "",
        "passes a file in which a row is missing",
    ),
    "an upload too small for the rows": (
        checks.labels_fit, MANIFEST, "upload_mb = ", "upload_mb = 0.001 # ",
        "upload_mb is 0.001; raise it",
    ),
    "too little time": (
        checks.starter_runs_again, MANIFEST, "cpu_seconds = 600", "cpu_seconds = 0.001", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN)
def test_a_claim_falls_when_it_is_broken(home, broken):
    check, file, old, new, told = BROKEN[broken]
    changed(home, file, old, new)
    if file == PUBLIC_STARTER:
        changed(home, STARTER, old, new)
    found = finding(home, check)
    assert not found.holds
    assert told in found.detail


def test_a_manifest_with_more_rows_than_a_file_may_have_names_the_limit(home):
    changed(home, MANIFEST, "test = 1500", "test = 100001")
    with pytest.raises(ManifestError) as told:
        Catalogue(home).get("rings")
    assert "competition.test: 100001 will not do" in str(told.value)
    assert "a file of predictions may have 100,000 rows; draw fewer" in str(told.value)


def test_the_rubrics_points_are_those_of_the_first_rank(home):
    changed(home, MANIFEST, "points = 25\nmanual = true", "points = 20")
    (home / "reference" / "rings" / "suite").mkdir()
    found = checks.points_are_sane(Catalogue(home).get("rings"))
    assert not found.holds
    told = ("rank must be `manual`", "20 points, the first rank gets 25", "no hidden suite")
    assert all(word in found.detail for word in told)


def test_a_competition_without_source_or_rows_is_not_proven_and_stops_no_other(home):
    changed(home, MANIFEST, 'source = "rings/predict.py"\n', "")
    result = validate(Catalogue(home).get("rings"), ValidationPlan())
    lost = {one.detail for one in result.findings if not one.holds}
    assert lost == {"rings: state `source` in the manifest"}
    changed(home, MANIFEST, "train = 900\ntest = 1500\n", "")
    result = validate(Catalogue(home).get("rings"), ValidationPlan())
    lost = [one.detail for one in result.findings if not one.holds]
    assert len(lost) == 8 and all("draws no data" in detail for detail in lost[:4])


def test_a_new_competition_is_proven_at_once(home):
    lab, plan, heard = Catalogue(home).get("rings"), ValidationPlan(), []
    result = validate(lab, plan, on_finding=heard.append)
    assert result.sound, [one for one in result.findings if not one.holds]
    assert list(result.findings) == heard and len(heard) == check_count(lab, plan)
