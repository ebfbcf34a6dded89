"""The golden set, graded in one batch: every verdict as `expected.toml` gives it."""

import importlib.util
import tomllib
from pathlib import Path

import pytest

from grader.grading.batch import Settings, run_batch
from grader.intake.exports import find_hand_ins
from grader.lab.catalogue import Catalogue
from grader.report.redaction import for_student

HERE = Path(__file__).parent
EXPECTED = tomllib.loads((HERE / "expected.toml").read_text(encoding="utf-8"))


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
def batch(tmp_path_factory, grading_processes):
    """Grade the whole set once; return reports by name and what the run left behind."""
    spec = importlib.util.spec_from_file_location("golden_build", HERE / "build.py")
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    lab = Catalogue(HERE.parents[1]).get("fnn")
    base = tmp_path_factory.mktemp("golden")
    build.build(base / "set", lab)
    before, running = snapshot(base), grading_processes()
    sources = find_hand_ins([base / "set"], lab.assignment).hand_ins
    results = run_batch(lab, sources, Settings(b"golden" * 6, jobs=2), watcher=Silent())
    reports = {source.name: done.report for source, done in zip(sources, results, strict=True)}
    return reports, snapshot(base) - before, grading_processes() - running


pytestmark = pytest.mark.timeout(1500)  # 21 gradings, three of them with real training


def test_the_set_and_its_table_name_the_same_submissions(batch):
    assert batch[0].keys() == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_verdict(batch, name):
    report, row = batch[0][name], EXPECTED[name]
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


def test_nothing_is_written_outside_and_nothing_is_left_running(batch):
    _, written, running = batch
    assert (written, running) == (set(), set())
