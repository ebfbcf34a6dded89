"""Cases of one test that ended alike are read as one row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.report import Outcome, Visibility
from grader.report.diagnosis import Cause
from grader.report.redaction import StudentTest
from portal.results.groups import grouped


def case(number, title, outcome=Outcome.FAILED, *, is_open=False, score=0.0):
    return StudentTest(
        number=number,
        id=None,
        item="item",
        title=title,
        open=is_open,
        visibility=Visibility.HIDDEN,
        outcome=outcome,
        score=score,
        max_score=0.25,
        cause=None if outcome is Outcome.PASSED else Cause.WRONG,
        reason="why",
        reason_zh="原因",
        hint="how",
    )


def test_cases_with_the_same_outcome_are_one_row():
    groups = grouped([case(1, "It works [relu]"), case(2, "It works [tanh]")])
    assert [(g.title, g.cases, g.max_score) for g in groups] == [
        ("It works", ("relu", "tanh"), 0.5)
    ]


def test_cases_with_other_outcomes_stay_apart_and_losses_come_first():
    passed = case(1, "It works [relu]", Outcome.PASSED, score=0.25)
    groups = grouped([passed, case(2, "It works [tanh]")])
    assert [(g.cases, g.in_full) for g in groups] == [(("tanh",), False), (("relu",), True)]


def test_a_test_with_details_stands_alone():
    groups = grouped([case(1, "It works [a]", is_open=True), case(2, "It works [b]", is_open=True)])
    assert len(groups) == 2


def test_a_test_that_passed_in_part_is_not_in_full():
    assert not grouped([case(1, "Half", Outcome.PASSED, score=0.1)])[0].in_full


@given(
    st.lists(
        st.builds(
            case,
            st.integers(1, 999),
            st.sampled_from(["A", "A [x]", "A [y]", "B [x]"]),
            st.sampled_from(Outcome),
        ),
        unique_by=lambda test: test.number,
    )
)
def test_no_test_is_lost(tests):
    found = [test.number for group in grouped(tests) for test in group.tests]
    assert sorted(found) == sorted(test.number for test in tests)
    total = sum(group.max_score for group in grouped(tests))
    assert total == pytest.approx(0.25 * len(tests))
