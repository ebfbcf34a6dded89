"""A machine too weak for what is demanded refuses every run, and says why every time."""

from pathlib import Path

import pytest

from grader.authoring import reference_submission
from grader.grading import GradingPool
from grader.lab.catalogue import Catalogue
from grader.report import RunStatus

HOME = Path(__file__).parents[2] / "home"


@pytest.mark.skipif("sys.platform != 'linux'", reason="needs Linux: the sandbox is Linux's")
def test_a_refusal_names_the_tier_and_the_demand_each_time():
    lab = Catalogue(HOME).get("tiny")
    with GradingPool(tier=4, minimum_tier=3) as pool:
        reports = [
            pool.grade(lab, reference_submission(lab), key=b"k" * 32).report for _ in range(5)
        ]
    assert {(report.status, report.score) for report in reports} == {(RunStatus.GRADER_ERROR, None)}
    (fault,) = {report.fault for report in reports}
    assert "this machine gives sandbox tier 4" in fault
    assert "tier 3 or better is demanded; `grader doctor` says what is missing" in fault
