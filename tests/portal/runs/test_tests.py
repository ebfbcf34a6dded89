"""The rows of a run's tests: what they say, and that they can be made from the reports again."""

import pytest
from sqlalchemy import delete, select

from grader.report import Outcome, TestReport
from portal.platform.db import read_session, write_session
from portal.runs.models import RunTest
from portal.runs.tests import fill_tests, message_of


@pytest.mark.parametrize(
    ("detail", "message"),
    [
        ("\nrelative error 0.25 > 1e-07\nmore", "relative error … > …"),
        ("", "The answer is wrong."),
        ("shape (3, 4), not (4, 3)", "shape (…, …), not (…, …)"),
        ("Traceback (most recent call last):\n  File x\nValueError: no", "ValueError: no"),
        ("suite.py:89: in test_a\n    x\nE   AssertionError: 2 wrong", "AssertionError: … wrong"),
        ("layer2 is missing", "layer2 is missing"),
    ],
)
def test_messages_that_differ_in_numbers_are_one(detail, message):
    test = TestReport(
        id="t", item="i", title="t", outcome=Outcome.FAILED, credit=0, score=0, max_score=1,
        reason="The answer is wrong.", detail=detail,
    )  # fmt: skip
    assert message_of(test) == message


def test_every_test_of_a_run_is_a_row_and_an_upgrade_writes_the_same_ones(classroom, engine):
    ada = classroom.enrol("ada")
    classroom.send(ada, 7.0, 14.0, detail="relative error 0.25")

    def rows():
        with read_session(engine) as session:
            order = select(RunTest).order_by(RunTest.run_id, RunTest.number)
            return [
                (one.run_id, one.number, one.test, one.item, one.outcome, one.score, one.message)
                for one in session.scalars(order)
            ]

    before = rows()
    assert [(number, outcome, message) for _, number, _, _, outcome, _, message in before] == [
        (1, "passed", ""),
        (2, "failed", "relative error …"),
        (1, "passed", ""),
        (2, "passed", ""),
    ]
    with write_session(engine) as session:
        session.execute(delete(RunTest))
        fill_tests(session)
    assert rows() == before
