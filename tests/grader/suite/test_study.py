"""Studies: how results.csv is read, what it must cover, and what a cell that is run must give."""

from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.lab.table import TableRow
from grader.suite.study import Study, StudyCell, Trial

HEADER = "factor,value,seed,metric,cpu_s"


def read_value(factor, text):
    if factor == "kind":
        return text
    if float(text) > 9:
        raise AssertionError(f"{factor} {text} is too large")
    return int(text)


def study(**changes):
    settings = {
        "required": {"depth": {1, 2}, "kind": {"a"}},
        "read_value": read_value,
        "lowest": 0,
        "highest": 1,
        "bounds": "scores lie in [0, 1]",
        "cell_cpu_seconds": 3,
    }
    return Study(**settings | changes)


def handed_in(*lines, header=HEADER):
    """Files with a results.csv of these lines."""
    names = header.split(",")
    rows = [
        TableRow(number, dict(zip(names, line.split(","), strict=True)))
        for number, line in enumerate(lines, start=2)
    ]
    return SimpleNamespace(table={"results.csv": rows}.__getitem__)


def sweep(factor, values, seeds=(0, 1, 2)):
    return [f"{factor},{value},{seed},0.5,1.0" for value in values for seed in seeds]


def test_a_line_is_read_as_a_cell():
    found = study().read(handed_in("depth,2,7,0.25,1.5", "kind,a,0,1,0"))
    assert found == [StudyCell("", "depth", 2, 7, 0.25), StudyCell("", "kind", "a", 0, 1.0)]


def test_a_study_of_several_tasks_has_a_column_for_them():
    two = study(tasks=("node", "link"))
    files = handed_in("link,depth,2,7,0.25,1.5", header=f"task,{HEADER}")
    assert two.read(files) == [StudyCell("link", "depth", 2, 7, 0.25)]
    with pytest.raises(AssertionError, match="line 2: no task 'edge'"):
        two.read(handed_in("edge,depth,2,7,0.25,1.5", header=f"task,{HEADER}"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("width,2,7,0.25,1", "line 3: no factor 'width'", id="factor"),
        pytest.param("depth,two,7,0.25,1", "line 3: not a number", id="value"),
        pytest.param("depth,10,7,0.25,1", "line 3: depth 10 is too large", id="large"),
        pytest.param("depth,2,1.5,0.25,1", "line 3: not a number", id="seed"),
        pytest.param("depth,2,-1,0.25,1", "line 3: seeds lie in", id="negative-seed"),
        pytest.param("depth,2,2147483648,0.25,1", "line 3: seeds lie in", id="huge-seed"),
        pytest.param("depth,2,7,1.01,1", r"line 3: metric 1.01, scores lie in \[0, 1\]", id="high"),
        pytest.param("depth,2,7,-0.01,1", "line 3: metric -0.01", id="low"),
        pytest.param("depth,2,7,0.5,-1", "line 3: cpu_s -1.0", id="seconds"),
    ],
)
def test_a_wrong_line_is_named(line, message):
    with pytest.raises(AssertionError, match=message):
        study().read(handed_in("depth,1,0,0.5,1", line))


def test_a_file_that_is_too_long_is_refused():
    with pytest.raises(AssertionError, match="more than 5000 cells"):
        study().read(handed_in(*["depth,1,0,0.5,1"] * 5001))


def test_claims_are_those_of_a_factor_and_task():
    two = study(tasks=("node", "link"))
    lines = [f"{task},{factor},1,0,0.5,1" for task in two.tasks for factor in ("depth", "kind")]
    files = handed_in(*lines, header=f"task,{HEADER}")
    assert two.claims(files, "kind", "link") == [StudyCell("link", "kind", "1", 0, 0.5)]
    with pytest.raises(AssertionError, match="no cells of link, width"):
        two.claims(files, "width", "link")
    with pytest.raises(AssertionError, match="no cells of depth"):
        study().claims(handed_in("kind,a,0,0.5,1"), "depth")


def test_means_run_over_the_seeds_of_each_value():
    files = handed_in("depth,1,0,0.2,1", "depth,1,1,0.4,1", "depth,2,0,1,1", "kind,a,0,0,1")
    assert study().means(files, "depth") == {1: pytest.approx(0.3), 2: 1.0}


def test_coverage_asks_for_values_and_seeds():
    study().require_covered(handed_in(*sweep("depth", (1, 2, 3))), "depth")
    with pytest.raises(AssertionError, match="2 values of depth, expected 3 or more"):
        study().require_covered(handed_in(*sweep("depth", (1, 2))), "depth")
    with pytest.raises(AssertionError, match=r"the values \[2\] are missing"):
        study().require_covered(handed_in(*sweep("depth", (1, 3, 4))), "depth")
    few = [*sweep("depth", (1, 2)), *sweep("depth", (3,), seeds=(0, 1, 1))]
    with pytest.raises(AssertionError, match=r"fewer than 3 seeds for \[3\]"):
        study().require_covered(handed_in(*few), "depth")


def test_a_cell_may_stand_twice_with_one_number_alone():
    lines = [*sweep("depth", (1, 2, 3)), *sweep("kind", "abc")]
    study().require_no_doubles(handed_in(*lines, "depth,1,0,0.5,9"))
    with pytest.raises(AssertionError, match="depth=1, seed 0 stands twice"):
        study().require_no_doubles(handed_in(*lines, "depth,1,0,0.6,1"))
    with pytest.raises(AssertionError, match="only 17 cells"):
        study().require_no_doubles(handed_in(*lines[1:]))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param(1.5, r"run_cell gave 1.5, scores lie in \[0, 1\]", id="high"),
        pytest.param("0.5", "expected a number", id="text"),
        pytest.param(float("nan"), "expected a finite number", id="nan"),
    ],
)
def test_a_cell_that_is_run_gives_a_metric_within_its_budget(answer, message):
    asked = []

    @contextmanager
    def budget(cpu_seconds):
        asked.append(cpu_seconds)
        yield

    def student_of(value):
        def run_cell(*cell):
            asked.append(cell)
            return value

        return SimpleNamespace(budget=budget, study=SimpleNamespace(run_cell=run_cell))

    assert study().run(student_of(0.5), "depth", 2, 7) == 0.5
    assert asked == [3, ("depth", 2, 7)]
    with pytest.raises(AssertionError, match=message):
        study().run(student_of(answer), "depth", 2, 7)


def claims_of(values, seeds):
    """Lines whose metric tells value and seed: value 3, seed 7 claims 0.307."""
    return [
        f"depth,{value},{seed},{value / 10 + seed / 1000},1" for value in values for seed in seeds
    ]


@given(st.integers(0, 2**32), st.sets(st.integers(0, 40), min_size=1, max_size=5))
def test_drawn_cells_are_claimed_ones_and_fresh_seeds_among_them(key, seeds):
    files = handed_in(*claims_of((1, 2, 3), seeds))
    claimed, fresh, third = study().drawn(files, np.random.default_rng(key), "depth", count=3)
    assert {claimed.value, fresh.value, third.value} == {1, 2, 3}
    for cell in (claimed, third):
        assert cell in study().claims(files, "depth")
    assert fresh.seed not in seeds and 0 <= fresh.seed < max(10, 2 * max(seeds) + 2)
    mean = fresh.value / 10 + sum(seeds) / len(seeds) / 1000
    assert fresh.metric == pytest.approx(mean)


def test_drawn_cells_may_be_of_given_values_one_of_them_twice():
    files = handed_in(*sweep("depth", (1, 2, 3)))
    rng = np.random.default_rng(0)
    one, fresh, other = study().drawn(files, rng, "depth", values=(2, 2, 3))
    claims = study().claims(files, "depth")
    assert [cell.value for cell in (one, fresh, other)] == [2, 2, 3]
    assert (one in claims, other in claims) == (True, True)
    assert fresh.seed not in {cell.seed for cell in claims if cell.value == 2}


def test_a_value_that_is_not_claimed_cannot_be_drawn():
    files = handed_in(*sweep("depth", (1, 2)))
    with pytest.raises(AssertionError, match=r"depth: the values \[9\] are missing"):
        study().drawn(files, np.random.default_rng(0), "depth", values=(1, 9))


def test_drawn_cells_are_as_many_as_there_are_values():
    files = handed_in(*claims_of((1, 2), (0, 1, 2)))
    rng = np.random.default_rng(0)
    assert len(study().drawn(files, rng, "depth", count=5)) == 2
    drawn = {study().drawn(files, rng, "depth", count=1)[0] for _ in range(200)}
    assert drawn == set(study().claims(files, "depth"))


@pytest.mark.parametrize("seeds", [range(2000), [2**31 - 1], [0, 2**31 - 1]])
def test_a_fresh_seed_is_found_whatever_is_claimed(seeds):
    files = handed_in(*sweep("depth", (1, 2), seeds))
    for key in range(20):
        _, fresh = study().drawn(files, np.random.default_rng(key), "depth")
        assert fresh.seed not in seeds and 0 <= fresh.seed < 2**31


def test_a_trial_has_the_three_numbers_of_a_cell():
    asked = []

    def run_cell(*cell):
        asked.append(cell)
        return 0.25

    student = SimpleNamespace(
        budget=lambda cpu_seconds: nullcontext(), study=SimpleNamespace(run_cell=run_cell)
    )
    cell = StudyCell("node", "depth", 2, 7, 0.5)
    (trial,) = study(tasks=("node", "link")).trials(student, [cell], lambda c: c.seed / 10, "graph")
    assert trial == Trial(cell, 0.25, 0.7)
    assert trial.spread == pytest.approx(0.45)
    assert "claims 0.500, run_cell gives 0.250" in str(trial) and "0.700" in str(trial)
    study().trials(student, [StudyCell("", "depth", 2, 7, 0.5)], lambda c: 0.0)
    assert asked == [("node", "depth", 2, 7, "graph"), ("depth", 2, 7)]


def test_seeds_are_of_the_range_of_the_claimed_ones():
    lines = sweep("depth", (1, 2), seeds=(10, 20, 30))
    found = {
        seed
        for n in range(200)
        for seed in study().seeds(handed_in(*lines), np.random.default_rng(n), 2)
    }
    assert found == set(range(62))


@pytest.mark.parametrize("lines", [(), ("depth,1,-5,0.5,1",)], ids=["none", "wrong"])
def test_without_claims_seeds_are_those_that_people_take(lines):
    seeds = study().seeds(handed_in(*lines), np.random.default_rng(0), 10)
    assert sorted(seeds) == list(range(10))
