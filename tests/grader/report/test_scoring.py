"""Points are exact, bounded, and never given for what did not pass."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import GradingError
from grader.lab.manifest import Assignment
from grader.report import ItemReport, Outcome, TestReport
from grader.report.scoring import CREDIT_STEPS, Scored, check_credit, in_steps, score_report


def lab(*items: dict[str, object]) -> Assignment:
    return Assignment.model_validate(
        {
            "schema": 1,
            "slug": "lab",
            "title": "Lab",
            "limits": {"cpu_seconds": 60},
            "parts": [{"id": "only", "title": "Only", "items": list(items)}],
            "files": [{"path": "lab.py"}],
            "folder": Path("lab"),
        }
    )


def item(name: str = "a", points: str = "3", **more: object) -> dict[str, object]:
    return {"id": name, "title": name.upper(), "points": Decimal(points), **more}


def verdict(
    name: str, serves: str = "a", outcome: str = "passed", credit: float = 1.0, weight: float = 1.0
) -> TestReport:
    return TestReport(
        id=name,
        item=serves,
        title=name,
        outcome=Outcome(outcome),
        credit=credit,
        weight=weight,
        score=0,
        max_score=0,
    )


def ticks(points: float) -> int:
    assert round(points * 10_000) == pytest.approx(points * 10_000, abs=1e-6)
    return round(points * 10_000)


def only_item(scored: Scored) -> ItemReport:
    return scored.parts[0].items[0]


def test_an_items_points_are_split_by_weight():
    scored = score_report(lab(item(points="3")), [verdict("x", weight=2), verdict("y")])
    assert [test.max_score for test in scored.tests] == [2.0, 1.0]
    assert scored.score == scored.max_score == 3.0


def test_thirds_still_add_up_to_the_whole():
    scored = score_report(lab(item(points="1")), [verdict(name) for name in "cab"])
    assert {test.id: test.max_score for test in scored.tests} == {
        "a": 0.3334,
        "b": 0.3333,
        "c": 0.3333,
    }
    assert scored.score == 1.0


def test_a_passed_test_with_partial_credit_earns_that_part():
    scored = score_report(lab(item(points="2")), [verdict("x", credit=0.35)])
    assert scored.tests[0].score == scored.score == 0.7


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.PASSED])
def test_whatever_did_not_pass_earns_nothing_even_with_credit(outcome: Outcome):
    scored = score_report(lab(item()), [verdict("x", outcome=outcome, credit=1.0)])
    assert scored.score == 0
    assert scored.tests[0].credit == 0


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        pytest.param({}, 3.0, id="all passed in full"),
        pytest.param({"credit": 0.99}, 0.0, id="one passed in part"),
        pytest.param({"outcome": "failed"}, 0.0, id="one failed"),
    ],
)
def test_an_all_or_nothing_item_needs_every_test(second: dict[str, object], expected: float):
    scored = score_report(lab(item(all_or_nothing=True)), [verdict("x"), verdict("y", **second)])
    assert scored.score == expected
    assert sum(test.score for test in scored.tests) == expected


@pytest.mark.parametrize(
    ("strict", "other", "pending"),
    [
        pytest.param(False, {"outcome": Outcome.PASSED}, 1.5, id="its share"),
        pytest.param(True, {"outcome": Outcome.PASSED}, 3.0, id="all or nothing, nothing lost"),
        pytest.param(True, {"outcome": Outcome.FAILED}, 0.0, id="all or nothing, lost anyway"),
    ],
)
def test_points_without_a_verdict_are_open_and_not_earned(strict, other, pending):
    tests = [verdict("x", outcome=Outcome.UNJUDGED, credit=0.0), verdict("y", **other)]
    scored = score_report(lab(item(all_or_nothing=strict)), tests)
    assert scored.pending_score == pending
    assert scored.score == (0.0 if strict else 1.5)
    assert scored.max_score == 3.0

    passed = [verdict("x"), verdict("y", **other)]
    assert score_report(lab(item(all_or_nothing=strict)), passed).score == scored.score + pending


def test_bonus_adds_to_the_score_and_not_to_the_maximum():
    scored = score_report(
        lab(item("a", "3"), item("b", "1", bonus=True)), [verdict("x"), verdict("y", "b")]
    )
    assert (scored.score, scored.max_score) == (4.0, 3.0)
    assert (scored.parts[0].score, scored.parts[0].max_score) == (4.0, 3.0)


def test_a_manual_item_waits_for_a_person_outside_score_and_maximum():
    scored = score_report(lab(item("a", "3"), item("r", "1.5", manual=True)), [verdict("x")])
    assert (scored.score, scored.max_score, scored.manual_max_score) == (3.0, 3.0, 1.5)
    report = scored.parts[0].items[1]
    assert report.score is None
    assert report.manual


def test_a_marked_item_counts_like_any_other():
    scored = score_report(
        lab(item("a", "3"), item("r", "1.5", manual=True)), [verdict("x")], {"r": Decimal("0.25")}
    )
    assert (scored.score, scored.max_score, scored.manual_max_score) == (3.25, 4.5, 0.0)


def test_a_manual_bonus_item_never_raises_what_people_have_to_add():
    scored = score_report(lab(item(), item("r", "1", manual=True, bonus=True)), [verdict("x")])
    assert scored.manual_max_score == 0


@pytest.mark.parametrize(
    ("items", "tests", "marks", "named"),
    [
        pytest.param([item("a"), item("b")], [verdict("x")], {}, "'b'", id="item without tests"),
        pytest.param([item()], [verdict("x", "c")], {}, "'c'", id="unknown item"),
        pytest.param(
            [item(manual=True)], [verdict("x")], {}, "by hand", id="test on a manual item"
        ),
        pytest.param([item()], [verdict("x"), verdict("x")], {}, "twice", id="doubled test"),
        pytest.param([item()], [verdict("x")], {"a": 1}, "'a'", id="mark on a tested item"),
        pytest.param([item(manual=True)], [], {"a": 4}, "not within", id="mark above the maximum"),
        pytest.param([item(manual=True)], [], {"a": -1}, "not within", id="mark below zero"),
        pytest.param(
            [item(manual=True)], [], {"a": Decimal("nan")}, "not within", id="mark is no number"
        ),
        pytest.param([item()], [verdict("x", weight=float("inf"))], {}, "weight", id="weight"),
    ],
)
def test_a_suite_that_disagrees_with_its_manifest_has_no_score(
    items: list[dict[str, object]],
    tests: list[TestReport],
    marks: dict[str, Decimal],
    named: str,
):
    with pytest.raises(GradingError, match=named):
        score_report(lab(*items), tests, marks)


@pytest.mark.parametrize("credit", [float("nan"), float("inf"), -0.1, 1.0000001])
def test_an_impossible_credit_is_our_fault_and_never_full_marks(credit: float):
    broken = verdict("x").model_copy(update={"credit": credit})
    with pytest.raises(GradingError, match="x: the credit"):
        score_report(lab(item()), [broken])


@pytest.mark.parametrize("value", [True, None, "1", 1j])
def test_a_credit_must_be_a_number(value: object):
    with pytest.raises(GradingError, match="mend the test"):
        check_credit(value, "x")


POINTS = st.decimals(min_value=0, max_value=20, places=3)
VERDICTS = st.lists(
    st.tuples(
        st.sampled_from(list(Outcome)),
        st.floats(0, 1),
        st.floats(0.01, 100, allow_nan=False),
    ),
    min_size=1,
    max_size=12,
)


def _named(rows: list[tuple[Outcome, float, float]]) -> list[TestReport]:
    return [verdict(f"t{i}", "a", o, c, w) for i, (o, c, w) in enumerate(rows)]


@given(POINTS, VERDICTS, st.booleans())
def test_scores_are_bounded_and_add_up(points: Decimal, rows, strict: bool):
    scored = score_report(lab(item(points=str(points), all_or_nothing=strict)), _named(rows))
    assert all(0 <= test.score <= test.max_score for test in scored.tests)
    assert sum(ticks(test.max_score) for test in scored.tests) == points * 10_000
    assert sum(ticks(test.score) for test in scored.tests) == ticks(scored.score)
    assert only_item(scored).score == scored.parts[0].score == scored.score
    assert 0 <= scored.score <= scored.max_score == float(points)


@given(POINTS, VERDICTS, st.booleans(), st.randoms(use_true_random=False))
def test_the_order_of_the_tests_does_not_matter(points: Decimal, rows, strict: bool, random):
    tests = _named(rows)
    shuffled = random.sample(tests, len(tests))
    assignment = lab(item(points=str(points), all_or_nothing=strict))
    one, other = score_report(assignment, tests), score_report(assignment, shuffled)
    assert one.score == other.score
    assert {t.id: t for t in one.tests} == {t.id: t for t in other.tests}


@given(POINTS, VERDICTS, st.booleans(), st.data())
def test_more_credit_never_earns_less(points: Decimal, rows, strict: bool, data):
    assignment = lab(item(points=str(points), all_or_nothing=strict))
    tests = _named(rows)
    index = data.draw(st.integers(0, len(tests) - 1))
    more = data.draw(st.floats(tests[index].credit, 1))
    better = tests.copy()
    better[index] = tests[index].model_copy(update={"credit": more, "outcome": Outcome.PASSED})
    assert score_report(assignment, better).score >= score_report(assignment, tests).score


@given(POINTS, VERDICTS)
def test_passing_everything_is_exactly_full_marks(points: Decimal, rows):
    tests = [t.model_copy(update={"outcome": Outcome.PASSED, "credit": 1.0}) for t in _named(rows)]
    scored = score_report(lab(item(points=str(points))), tests)
    assert scored.score == scored.max_score == float(points)


@given(st.floats(0, 1))
def test_a_credit_counts_in_steps_that_take_nothing_from_whoever_reached_the_bar(share):
    step = in_steps(share)
    assert round(step * CREDIT_STEPS) / CREDIT_STEPS == step
    assert (step == 1, step == 0) == (share == 1, share == 0)
    assert step >= min(share, 1 - 1 / CREDIT_STEPS) - 1e-9
    assert step <= share + 1 / CREDIT_STEPS


@pytest.mark.parametrize("step", range(CREDIT_STEPS + 1))
def test_a_credit_that_is_a_step_is_left_as_it_is(step):
    assert in_steps(step / CREDIT_STEPS) == step / CREDIT_STEPS
