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
_COMPETITION = "portal/competition"
_BOARD, _PROBING = f"{_COMPETITION}/test_board.py", f"{_COMPETITION}/test_probing.py"
_SEASON, _TEAMS = f"{_COMPETITION}/test_season.py", f"{_COMPETITION}/test_teams.py"
_READING = "grader/competition/test_predictions.py"

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
    Row(
        "flips-coins-on-the-board",
        "lets chance change rows of a competition's file, and keeps what moves the number",
        f"{_SEASON}::test_whoever_probes_the_board_gains_nothing_on_the_private_rows",
    ),
    Row(
        "enters-by-blocks",
        "changes one block of rows after another, and keeps what moves the number",
        f"{_SEASON}::test_whoever_probes_the_board_gains_nothing_on_the_private_rows",
    ),
    Row(
        "probes-labels",
        "changes one row in each of its entries, for the board to tell that row's label",
        f"{_PROBING}::test_changing_one_row_in_each_file_tells_no_label",
    ),
    Row(
        "enters-from-a-second-account",
        "enters a competition from a second account and takes both accounts' entries",
        f"{_SEASON}::test_a_second_account_is_a_team_of_its_own_and_gives_its_entries_to_nobody",
    ),
    Row(
        "merges-for-entries",
        "merges and leaves teams, in any order, for more entries than the limit",
        f"{_TEAMS}::test_no_order_of_merging_and_leaving_gives_anybody_more_than_the_limit",
    ),
    Row(
        "forges-ids-of-entries",
        "names entries, teams and invitations of others in addresses and forms",
        f"{_PROBING}::test_forged_and_others_ids_open_and_change_nothing",
    ),
    Row(
        "reads-private-scores",
        "looks for private scores in pages, JSON, CSV and headers of every role",
        f"{_PROBING}::test_nothing_that_anybody_sees_depends_on_a_private_score",
    ),
    Row(
        "reads-unshown-scores",
        "looks there for public scores that the board does not show",
        f"{_PROBING}::test_a_public_score_that_moves_nothing_is_told_to_nobody",
    ),
    Row(
        "compares-answers-and-logs",
        "compares answers, headers and log lines of entries that score differently",
        f"{_PROBING}::test_an_answer_says_the_same_of_every_score",
    ),
    Row(
        "times-the-scoring",
        "measures how long an entry takes to be scored",
        f"{_PROBING}::test_scoring_does_the_same_work_whatever_is_right",
    ),
    Row(
        "asks-a-cache",
        "asks a cache for the page of a board that has frozen since",
        f"{_BOARD}::test_no_answer_may_be_kept_by_a_cache",
    ),
    Row(
        "waits-for-the-frozen-board",
        "enters on the last day and looks whether the board moves",
        f"{_BOARD}::test_the_board_stands_still_in_the_last_day_for_everybody",
    ),
    Row(
        "hands-in-costly-predictions",
        "sends 20 MB of commas, 20 million blank lines or 3 million rows as predictions",
        f"{_READING}::test_what_a_hostile_file_costs_is_bounded",
    ),
)
