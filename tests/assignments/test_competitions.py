"""What teams get of every competition: as staff's half makes it, with the figures of the rules."""

import json
import re
from pathlib import Path

import pytest

from grader.authoring.draw import draw
from grader.authoring.release import plan_release
from grader.authoring.validate import ValidationPlan, validate
from grader.competition.drawn import files_of
from grader.intake.submission import AcceptedFile, Submission
from grader.lab.catalogue import Catalogue
from grader.public_tests import run_public_tests
from grader.report import Outcome

HOME = Path(__file__).parents[2]
DEBIANS = Path("/usr/share/datasets/fashion-mnist")
SECRET = bytes(range(32))
LABS = [lab for lab in Catalogue(HOME).labs() if lab.assignment.competition]
every_competition = pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.assignment.slug)


def without_data(lab):
    """Return a variant that can be drawn on any machine."""
    return next(name for name in lab.assignment.variants if not lab.assignment.data_of(name))


def test_the_competitions_are_of_two_kinds():
    kinds = {bool(lab.assignment.competition.classes) for lab in LABS}
    assert kinds == {True, False}


@every_competition
def test_the_public_half_is_as_staffs_half_makes_it(lab):
    planned = plan_release(HOME, lab.assignment.slug)
    assert planned.changes() == [] and planned.leaks == ()


@every_competition
def test_teams_get_the_starter_the_reader_and_no_code_that_draws(lab):
    slug = lab.assignment.slug
    files = set(plan_release(HOME, slug).files)
    assert files == {
        "README.md", "README.zh.md", "assignment.toml", f"{slug}.ipynb", f"test_{slug}.py",
        f"{slug}/__init__.py", f"{slug}/files.py", f"{slug}/predict.py",
    }  # fmt: skip


@every_competition
def test_the_notebook_holds_the_starter_and_writes_predictions(lab):
    book = json.loads((lab.public / f"{lab.assignment.slug}.ipynb").read_text("utf-8"))
    code = ["".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "code"]
    starter = (lab.public / lab.assignment.competition.source).read_text("utf-8").rstrip("\n")
    assert f"# file: predict.py\n{starter}" in code
    assert any(cell.endswith("write_predictions(predict)") for cell in code)


@every_competition
@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_both_handouts_print_the_rules_figures(lab, name):
    text = (lab.public / name).read_text("utf-8")
    rules, limits = lab.assignment.competition, lab.assignment.limits
    for rows in (rules.train, rules.test, rules.public, rules.test - rules.public):
        assert f"{rows:,}" in text
    percent = rules.metric.higher_is_better
    printed = f"{100 * rules.baseline:g} %" if percent else f"{rules.baseline:g}"
    assert f"**{printed}**" in text
    assert f"`{','.join([rules.id, *rules.predicted])}`" in text
    assert f"{rules.most} - {rules.most - rules.least} (r - 1) / (J - 1)" in text
    assert re.search(rf"\b{rules.below_baseline}\b", text)
    assert f"{limits.memory_mb // 1024} GB" in text
    assert all(f"`{kind}`" in text for kind in rules.classes)
    assert f"`{rules.source}`" in text


@every_competition
def test_a_stand_in_can_be_drawn_anywhere_and_its_sample_passes_the_public_checks(lab):
    rules = lab.assignment.competition
    files = files_of(draw(lab, SECRET, variant=without_data(lab)), rules)
    assert len(files["students/train.npz"]) < 2**25
    sample = AcceptedFile(rules.file, files["students/sample_submission.csv"])
    results = run_public_tests(lab, Submission("ada", (sample,)))
    assert [result.outcome for result in results] == [Outcome.PASSED] * len(results)
    broken = AcceptedFile(rules.file, sample.content.replace(b"r", b"s", 1))
    lost = [r for r in run_public_tests(lab, Submission("ada", (broken,)))
            if r.outcome is not Outcome.PASSED]  # fmt: skip
    assert lost and all("Traceback" not in result.message for result in lost)


def test_swing_is_proven():
    result = validate(Catalogue(HOME).get("swing"), ValidationPlan())
    assert result.sound, [one for one in result.findings if not one.holds]


@pytest.mark.nightly
@pytest.mark.timeout(3000)
def test_wardrobe_is_proven_on_real_garments(tmp_path, monkeypatch):
    if not DEBIANS.is_dir():
        pytest.skip("needs dataset-fashion-mnist: apt-get install dataset-fashion-mnist")
    (tmp_path / "fashion-mnist").symlink_to(DEBIANS)
    monkeypatch.setenv("GRADER_DATA", str(tmp_path))
    result = validate(Catalogue(HOME).get("wardrobe"), ValidationPlan())
    assert result.sound, [one for one in result.findings if not one.holds]
