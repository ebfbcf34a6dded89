"""A verdict is full marks only if the peer's own file names every test and no failure."""

import json

import pytest
from overhead.peers import forms
from overhead.systems.base import Verdict
from overhead.systems.scripts import junit, results

NAMES = forms.names()


def xml(tmp_path, *cases):
    file = tmp_path / "report.xml"
    file.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
    return file


def case(name, inner=""):
    return f'<testcase name="test_{name}">{inner}</testcase>'


def test_junit_with_every_test_passed(tmp_path):
    noisy = "<system-out>much</system-out><system-err>more</system-err>"
    file = xml(tmp_path, *(case(name, noisy) for name in NAMES))
    assert junit(file, "").verdict is Verdict.PASSED


@pytest.mark.parametrize("fault", ["<failure/>", "<error/>", "<skipped/>"])
def test_junit_with_one_lost_test(tmp_path, fault):
    file = xml(tmp_path, *map(case, NAMES[1:]), case(NAMES[0], fault))
    found = junit(file, "")
    assert (found.verdict, found.detail) == (Verdict.FAILED, f"test_{NAMES[0]}")


def test_junit_with_a_missing_test(tmp_path):
    file = xml(tmp_path, *map(case, NAMES[1:]))
    assert junit(file, "").verdict is Verdict.FAILED


@pytest.mark.parametrize("text", [None, "", "<testsuites>"])
def test_no_file_or_half_a_file_is_no_score(tmp_path, text):
    file = tmp_path / "report"
    if text is not None:
        file.write_text(text)
    assert junit(file, "ended with -9").verdict is Verdict.NONE
    assert "ended with -9" in results(file, "ended with -9").detail


def gradescope(tmp_path, scores):
    tests = [{"name": n, "score": s, "max_score": 1} for n, s in zip(NAMES, scores, strict=False)]
    file = tmp_path / "results.json"
    file.write_text(json.dumps({"tests": [{"name": "Public Tests"}, *tests]}))
    return results(file, "").verdict


def test_results_with_and_without_full_marks(tmp_path):
    full = [1] * len(NAMES)
    assert gradescope(tmp_path, full) is Verdict.PASSED
    assert gradescope(tmp_path, [0.5, *full[1:]]) is Verdict.FAILED
    assert gradescope(tmp_path, full[1:]) is Verdict.FAILED
