"""Kept results are used only together, and only where a whole run would have left them time."""

import pytest

from grader.grading.cache.entry import Entry, Kept, may_be_kept
from grader.grading.cache.recall import Recall
from grader.grading.collected import CollectedSuite, TestSpec
from grader.grading.harness.allowance import RunAllowance
from grader.grading.verdict import Verdict
from grader.lab.manifest import Limits
from grader.report import Outcome, TestReport, Visibility
from grader.report.diagnosis import Cause, Diagnosis
from grader.sandbox.host.failures import StudentTimeout

RUN_CPU_SECONDS = 100.0
JOINT, VISIBLE, NUMPY = {"joint": True}, {"visibility": Visibility.VISIBLE}, {"without": ("torch",)}


def spec(name, *, needs=(), cpu_seconds=10.0, **more):
    return TestSpec(
        id=name if "::" in name else f"test_x.py::{name}",
        item="i",
        title="T",
        needs=tuple(f"test_x.py::{need}" for need in needs),
        cpu_seconds=cpu_seconds,
        **more,
    )


def entry(name, outcome="passed", *, cpu=1.0, blocked=False, imports=2.0, idle=0.5):
    name = name if "::" in name else f"test_x.py::{name}"
    report = TestReport(
        id=name, item="i", title="T", outcome=outcome, credit=float(outcome == "passed"),
        score=0, max_score=0, cpu_seconds=cpu,
    )  # fmt: skip
    kept = Kept(blocked=blocked, findings=(), import_cpu_seconds=imports, idle_seconds=idle)
    return Entry(report=report, kept=kept)


def recall(tests, entries, *, limit=RUN_CPU_SECONDS, joint_files=frozenset()):
    found = {one.report.id: one for one in entries}
    return Recall(CollectedSuite(tests=tuple(tests)), joint_files, found, limit)


def names(served):
    return {name.partition("::")[2] for name in served}


def test_a_test_alone_is_used_alone():
    found = recall([spec("a"), spec("b")], [entry("b")])
    assert names(found.served) == {"b"}
    assert not found.complete
    assert recall([spec("b")], [entry("b")]).complete


def test_tests_that_share_something_are_used_together_or_not_at_all():
    tests = [spec("a", joint=True), spec("b", joint=True), spec("c")]
    assert names(recall(tests, [entry("a"), entry("c")]).served) == {"c"}
    every = [entry(name) for name in "abc"]
    assert recall(tests, every).complete


def test_sharing_ends_with_the_file():
    tests = [spec("a", joint=True), spec("test_y.py::b", joint=True)]
    assert names(recall(tests, [entry("a")]).served) == {"a"}


def test_all_tests_of_a_joint_file_are_one():
    tests = [spec("a"), spec("b")]
    assert not recall(tests, [entry("a")], joint_files=frozenset({"test_x.py"})).served


def test_a_result_is_used_only_with_those_it_needs():
    tests = [spec("a"), spec("b", needs=["a"]), spec("c", needs=["b"])]
    assert not recall(tests, [entry("b"), entry("c")]).served
    assert names(recall(tests, [entry("a"), entry("c")]).served) == {"a"}


@pytest.mark.parametrize(
    ("outcome", "blocked", "used"),
    [
        pytest.param("passed", False, True, id="needed passed, ran"),
        pytest.param("failed", True, True, id="needed failed, blocked"),
        pytest.param("passed", True, False, id="needed passed, yet blocked"),
        pytest.param("failed", False, False, id="needed failed, yet ran"),
    ],
)
def test_a_blocked_result_fits_only_what_blocked_it(outcome, blocked, used):
    tests = [spec("a"), spec("b", needs=["a"])]
    second = entry("b", "missing" if blocked else "passed", blocked=blocked)
    assert ("b" in names(recall(tests, [entry("a", outcome), second]).served)) is used


def test_a_result_whose_test_would_have_had_less_than_its_limit_is_not_used():
    tests = [spec("a"), spec("b", cpu_seconds=10)]
    slow, late = entry("a", cpu=89), entry("b")  # and 2 s of imports: 9 are left for b
    assert names(recall(tests, [slow, late]).served) == {"a"}
    assert recall(tests, [slow, late], limit=101).complete


def test_visible_tests_come_first_whatever_their_place():
    tests = [spec("a", cpu_seconds=60), spec("b", **VISIBLE, cpu_seconds=60)]
    slow, last = entry("b", cpu=50), entry("a", cpu=50)
    assert names(recall(tests, [slow, last]).served) == {"b"}


def test_what_is_used_is_charged_to_the_tests_behind_it():
    tests = [spec("a", **NUMPY), spec("b"), spec("c"), spec("d")]
    entries = [entry("a", cpu=3, imports=1.5), entry("c", cpu=4), entry("d", cpu=0)]
    charges = recall(tests, entries).charges
    # b imports what c and d use as well; the sandbox without torch is not made at all.
    assert charges == {"test_x.py::b": (1.5 + 3, 0.5)}
    assert recall(tests, entries[1:]).charges["test_x.py::a"] == (0.0, 0.0)


@pytest.mark.parametrize(
    ("slow", "fits"), [pytest.param(80.0, True, id="fits"), pytest.param(90.0, False, id="late")]
)
def test_what_was_run_may_leave_too_little_for_what_was_not(make_report, slow, fits):
    tests = [spec("a"), spec("b")]
    chosen = recall(tests, [entry("b")])
    assert names(chosen.served) == {"b"}
    fresh = entry("a", cpu=slow).report
    known = chosen.served["test_x.py::b"].report.model_copy(update={"cached": True})
    report = make_report(tests=(fresh, known), cpu_seconds=slow + 2)
    assert chosen.fits(report) is fits


def test_a_charge_shortens_what_a_run_has_left():
    limits = Limits(cpu_seconds=100)
    allowance = RunAllowance(limits, {"test_x.py::a": (15.0, 0.0)}, lambda: 20.0)
    assert allowance.of(spec("a"), 500.0) == 100.0 - 15.0 - 20.0
    assert allowance.of(spec("b"), 500.0) == 100.0 - 20.0
    waited = RunAllowance(limits, {"test_x.py::a": (0.0, 601.0)}, lambda: 0.0)
    with pytest.raises(StudentTimeout):
        waited.of(spec("a"), 1.0)


@pytest.mark.parametrize(
    ("verdict", "kept"),
    [
        pytest.param(Verdict(Outcome.PASSED, 1.0), True, id="passed"),
        pytest.param(Verdict(Outcome.FAILED), True, id="failed"),
        pytest.param(Verdict(Outcome.ERROR, detail="ValueError"), True, id="error"),
        pytest.param(
            Verdict(Outcome.ERROR, diagnosis=Diagnosis(cause=Cause.RAISED, got="TypeError")),
            True,
            id="raised",
        ),
        pytest.param(
            Verdict(Outcome.FAILED, diagnosis=Diagnosis(cause=Cause.PROCESSES)),
            False,
            id="processes where an exception is expected",
        ),
        pytest.param(
            Verdict(Outcome.ERROR, diagnosis=Diagnosis(cause=Cause.NOT_WRITTEN)),
            True,
            id="not written",
        ),
        pytest.param(Verdict(Outcome.MISSING, blocked=True), True, id="blocked"),
        pytest.param(Verdict(Outcome.MISSING), False, id="skipped"),
        pytest.param(Verdict(Outcome.TIMEOUT), False, id="timeout"),
        pytest.param(Verdict(Outcome.MEMORY), False, id="memory"),
        pytest.param(Verdict(Outcome.CRASHED), False, id="crashed"),
        pytest.param(
            Verdict(Outcome.ERROR, diagnosis=Diagnosis(cause=Cause.DISK_FULL)),
            False,
            id="disk full",
        ),
        pytest.param(
            Verdict(Outcome.ERROR, diagnosis=Diagnosis(cause=Cause.NOT_IMPORTED)),
            False,
            id="not imported",
        ),
        pytest.param(
            Verdict(Outcome.ERROR, detail="DefaultCPUAllocator: can't allocate memory"),
            False,
            id="memory of a library's own",
        ),
    ],
)
def test_only_verdicts_on_the_code_are_kept(verdict, kept):
    assert may_be_kept(verdict) is kept


def test_a_key_reaches_all_that_a_result_may_hang_on():
    tests = (
        spec("a", joint=True),
        spec("b", joint=True),
        spec("c", needs=["b"]),
        spec("d", needs=["c"]),
        spec("e"),
    )
    suite = CollectedSuite(tests=tests)
    reached = {test.id[-1]: "".join(name[-1] for name in suite.closure(test)) for test in tests}
    assert reached == {"a": "ab", "b": "ab", "c": "abc", "d": "abcd", "e": "e"}
    assert len(suite.closure(tests[-1], frozenset({"test_x.py"}))) == 5
