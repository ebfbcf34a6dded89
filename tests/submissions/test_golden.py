"""The golden set, graded in one batch: every verdict as `expected.toml` gives it.

A notebook and a zip of a graded folder hold the same code: of them only that is shown, and that a
few tests come out as they should. The nightly run grades them whole.
"""

import ast
import importlib.util
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

from grader.grading.batch import Settings, pool_for, run_batch
from grader.intake import receive
from grader.intake.exports import find_hand_ins
from grader.lab.catalogue import Catalogue
from grader.report.redaction import for_student

HERE = Path(__file__).parent
EXPECTED = tomllib.loads((HERE / "expected.toml").read_text(encoding="utf-8"))
FORMS = [name for name, row in EXPECTED.items() if "form_of" in row]
SETTINGS = Settings(b"golden" * 6, jobs=2)


class Silent:
    """Watches nothing."""

    def on_progress(self, index, progress):
        pass

    def on_done(self, index, report):
        pass


def snapshot(folder):
    """Return every path below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.fixture(scope="module")
def lab():
    return Catalogue(HERE.parents[1]).get("fnn")


@pytest.fixture(scope="module")
def golden(lab, tmp_path_factory):
    """The folder that holds the set."""
    spec = importlib.util.spec_from_file_location("golden_build", HERE / "build.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    folder = tmp_path_factory.mktemp("golden") / "set"
    build.build(folder, lab)
    return folder


class Batch(NamedTuple):
    """What became of the set."""

    names: set  # of all submissions found
    reports: dict  # by name
    outcomes: dict  # of the forms, whose tests were run by name: by name and test
    written: set  # new paths around the set
    running: set  # processes left


@pytest.fixture(scope="module")
def batch(lab, golden, grading_processes):
    """Grade the set once, and run of each form the tests that its row names."""
    before, running = snapshot(golden.parent), grading_processes()
    found = find_hand_ins([golden], lab.assignment).hand_ins
    whole = [one for one in found if one.name not in FORMS]
    with pool_for(SETTINGS) as pool:
        graded = run_batch(lab, whole, SETTINGS, watcher=Silent(), grade=pool.grade)
        outcomes = {
            name: pool.run_tests(
                lab,
                receive(golden / name, lab.assignment),
                tuple(EXPECTED[name]["outcomes"]),
                key=SETTINGS.key,
            ).outcomes
            for name in FORMS
        }
    return Batch(
        {one.name for one in found},
        {one.name: done.report for one, done in zip(whole, graded, strict=True)},
        outcomes,
        snapshot(golden.parent) - before,
        grading_processes() - running,
    )


pytestmark = pytest.mark.timeout(1500)  # 19 gradings, one of them with real training


def test_the_set_and_its_table_name_the_same_submissions(batch):
    assert batch.names == EXPECTED.keys()


@pytest.mark.parametrize("name", [name for name in EXPECTED if name not in FORMS])
def test_verdict(batch, name):
    check(batch.reports[name], EXPECTED[name])


def check(report, row):
    assert report.status == row["status"], report.fault or report.messages
    outcomes = {test.id: test.outcome.value for test in report.tests}
    wanted = row.get("outcomes", {})
    assert {test: outcomes.get(test) for test in wanted} == wanted
    if row.get("full"):
        assert report.score == report.max_score, [t.id for t in report.tests if t.credit < 1]
    if row.get("zero"):
        assert report.score == 0
    if row["status"] == "rejected":
        assert report.score is None
        assert report.messages and all(len(message) > 20 for message in report.messages)
    seen = for_student(report, due_passed=False, published=False).model_dump_json()
    assert row.get("message", "") in seen


@pytest.mark.parametrize("name", FORMS)
def test_a_form_holds_the_code_that_another_was_graded_for(lab, golden, batch, name):
    row = EXPECTED[name]
    left_out = set(row.get("leaves_out", []))
    model, form = (receive(golden / one, lab.assignment) for one in (row["form_of"], name))
    wanted = {file.path: meaning(file) for file in model.files if file.path not in left_out}
    assert {file.path: meaning(file) for file in form.files} == wanted
    found = {test: batch.outcomes[name][test].value for test in row["outcomes"]}
    assert found == row["outcomes"]


def meaning(file):
    """Return what a file says: a cell of a notebook has a mark, and no blank lines at its end."""
    return ast.dump(ast.parse(file.content)) if file.path.endswith(".py") else file.content


@pytest.mark.nightly
@pytest.mark.parametrize("name", FORMS)
def test_verdict_of_a_form(lab, golden, name):
    with pool_for(SETTINGS) as pool:
        form = receive(golden / name, lab.assignment)
        check(pool.grade(lab, form, key=SETTINGS.key).report, EXPECTED[name])


def test_nothing_is_written_outside_and_nothing_is_left_running(batch):
    assert (batch.written, batch.running) == (set(), set())
