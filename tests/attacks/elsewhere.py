"""Attacks that are tried beside the code that stops them, one row each with the test that does.

They need another lab, a clock that can be wound, or no sandbox at all.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One attack and the test that tries it: its file below ``tests``, and its name."""

    name: str
    tries: str
    test: str


_GRADING = "grader/grading"

ROWS = (
    Row(
        "sleeps-in-imports-and-tests",
        "holds a worker by sleeping, in imports and in tests",
        f"{_GRADING}/harness/test_allowance.py::test_waiting_in_imports_and_tests_ends_a_run",
    ),
    Row(
        "waits-for-the-alarm",
        "sleeps until the kernel's alarm ends the trusted process, as a fault of ours",
        f"{_GRADING}/harness/test_allowance.py"
        "::test_a_run_holds_its_worker_no_longer_than_its_limits_say",
    ),
    Row(
        "computes-on-and-on-outside",
        "has the suite compute on its value in C, where no exception reaches it, or crash there",
        f"{_GRADING}/test_going_on.py::test_what_ends_our_own_process_costs_the_test_alone",
    ),
    Row(
        "spends-our-time-test-by-test",
        "stays below the limit of each test and costs us hours in all of them",
        f"{_GRADING}/test_going_on.py::test_the_suites_own_work_has_a_limit_for_a_whole_run",
    ),
    Row(
        "returns-what-a-suite-raises-on",
        "returns what the suite raises on, for the whole run to be a fault of ours",
        f"{_GRADING}/test_grade.py::test_what_the_suite_raises_on_a_value_costs_that_test_alone",
    ),
    Row(
        "leaves-in-system-v",
        "leaves in System V memory, queues and semaphores what a later test may read",
        "grader/sandbox/test_bubblewrap.py::test_dangerous_system_calls_are_refused",
    ),
    Row(
        "adds-answers-up",
        "answers every call with as much as one answer may have",
        "grader/sandbox/host/test_channel.py::test_all_answers_of_a_test_have_a_bound_together",
    ),
    Row(
        "hands-in-empty-lines",
        "hands in a right table with ten million empty lines",
        "grader/lab/test_table.py::test_a_right_table_with_ten_million_empty_lines_is_refused_at_once",
    ),
    Row(
        "speaks-in-credit",
        "tells a hidden value by the part of a test's points that it earns",
        "grader/report/test_scoring.py"
        "::test_a_credit_counts_in_steps_that_take_nothing_from_whoever_reached_the_bar",
    ),
    Row(
        "speaks-in-progress",
        "tells hidden values by how long each hidden test lasts",
        "portal/runs/test_worker.py"
        "::test_the_end_of_a_test_is_told_by_the_clock_and_not_by_the_test",
    ),
)
