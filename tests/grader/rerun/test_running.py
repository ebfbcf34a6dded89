"""A source runs without labels, network or other people's files; its faults are told from ours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from small_competition import HONEST, SECRET, draw_into, packed, rings

from grader.authoring.draw import draw
from grader.errors import SandboxError
from grader.intake import receive_bytes
from grader.lab.competition import CompetitionRules
from grader.rerun import Entry, SourceRunner, Verdict, WrongPredictions, rerun, running

LOOK = """
import os, socket
import numpy as np

def predict(train, test):
    assert set(train) == {"points", "labels"} and set(test) == {"points"}
    seen = []
    for top in FOLDERS:
        for folder, _, names in os.walk(top):
            seen += [name for name in names if name in ("labels.csv", "mate.zip", "draw.py")]
    assert not seen, seen
    try:
        socket.create_connection(("127.0.0.1", PORT), timeout=2)
    except OSError:
        pass
    else:
        raise AssertionError("the network is there")
    radius = (test["points"] ** 2).sum(axis=1) ** 0.5
    return (radius > 1.3).astype(int) + (radius > 1.9)
"""


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    """The competition, both sets, and the folder that they were drawn into."""
    home = tmp_path_factory.mktemp("home")
    lab = rings(home)
    draw_into(lab, home / "one")
    return lab, draw(lab, SECRET), draw(lab, SECRET, 2), home


@pytest.fixture(scope="module")
def runner(ground):
    lab, *_, home = ground
    with SourceRunner(lab.assignment, lab.assignment.competition, conceal=[home]) as runner:
        yield runner


def entry(lab, term, text, claimed=None, **others):
    """Return an entry of a source; it claims what HONEST predicts, if nothing else."""
    values = claimed
    if claimed is None:
        radius = np.sqrt((term.test["points"] ** 2).sum(axis=1, keepdims=True))
        values = (radius > 1.3).astype(float) + (radius > 1.9)
    source = packed(text, **others)
    bare = lab.assignment.model_copy(update={"files": lab.assignment.files[1:]})
    return Entry("ada", values, receive_bytes("ada.zip", source, bare))


def run(ground, runner, text, claimed=None, **others):
    lab, term, fresh, _ = ground
    one = entry(lab, term, text, claimed, **others)
    return rerun(runner, lab.assignment.competition.metric, one, term, fresh)


def test_an_honest_source_holds_and_is_run_once(ground, runner):
    found = run(ground, runner, HONEST)
    assert (found.verdict, found.tries, found.detail) == (Verdict.HOLDS, 1, "")
    assert abs(found.comparison.sds) < 3 and found.cpu_seconds < 30


def test_predictions_from_leaked_labels_are_caught_with_every_seed(ground, runner):
    """The team hands in the labels, and a source that really predicts a little worse."""
    found = run(ground, runner, HONEST, claimed=ground[1].labels.values)
    assert (found.verdict, found.tries) == (Verdict.BELOW, 3)
    assert found.comparison.claim == 1.0 and found.comparison.sds > 10


def test_labels_carried_along_in_the_source_are_of_no_use(ground, runner):
    """The source holds the leaked labels and knows their rows again; the fresh rows are new."""
    _, term, _, _ = ground
    known = {row.tobytes(): int(label) for row, (label,) in
             zip(term.test["points"], term.labels.values, strict=True)}  # fmt: skip
    text = "from .known import KNOWN\n\ndef predict(train, test):\n" + (
        "    import numpy as np\n"
        "    return np.array([KNOWN.get(row.tobytes(), 0) for row in test['points']])\n"
    )
    table = f"KNOWN = {known!r}\n"
    found = run(ground, runner, text, claimed=term.labels.values, known=table)
    assert found.verdict is Verdict.BELOW and found.comparison.again < 0.4


def test_the_sandbox_holds_no_label_no_other_entry_and_no_network(ground, runner):
    home = ground[3]
    (home / "mate.zip").write_bytes(b"of another team")
    folders = f"FOLDERS = {[str(home), '/tmp', '/sandbox', '/home', '/root']!r}\nPORT = 22\n"
    found = run(ground, runner, folders + LOOK)
    assert found.verdict is Verdict.HOLDS, found.detail


def test_training_by_another_seed_is_given_another_try(ground, runner):
    text = HONEST.replace(
        "def predict(train, test):",
        "import numpy as np\n\ndef predict(train, test):\n"
        "    if np.random.random() > 0.5:\n        return np.zeros(len(test['points']))",
    )
    draws = [np.random.RandomState(seed).random_sample() > 0.5 for seed in range(2)]
    assert draws == [True, False]  # else the test tells nothing
    found = run(ground, runner, text)
    assert (found.verdict, found.tries) == (Verdict.HOLDS, 2)


FAILING = {
    "KeyError": "raise KeyError('rings')",
    "must return a NumPy array": "return [0] * len(test['points'])",
    "must return shape (1500, 1), it returned (3,)": "import numpy; return numpy.zeros(3)",
    "are not finite": "return test['points'][:, 0] * float('nan')",
    "whole numbers from 0 to 2": "return test['points'][:, 0] * 0 + 7",
    "NumPy array of numbers": "return object()",
    "StudentCrashed": "import os; os._exit(0)",
}


@pytest.mark.parametrize("told", FAILING)
def test_what_a_source_does_wrong_is_its_own_failure(ground, runner, told):
    found = run(ground, runner, f"def predict(train, test):\n    {FAILING[told]}\n")
    assert found.verdict is Verdict.FAILED and found.comparison is None
    assert told in found.detail


@pytest.mark.parametrize("text", ["import nothing_of_that_name\n", "def other():\n    pass\n"])
def test_a_source_without_predict_fails(ground, runner, text):
    assert run(ground, runner, text).verdict is Verdict.FAILED


def test_time_and_memory_are_the_manifests(ground):
    lab, term, fresh, home = ground
    limits = lab.assignment.limits.model_copy(update={"cpu_seconds": 2.0, "memory_mb": 700})
    about = lab.assignment.model_copy(update={"limits": limits})
    rules = about.competition
    told = {}
    with SourceRunner(about, rules, conceal=[home]) as small:
        for name, line in (("time", "while True: pass"), ("memory", "x = bytearray(2 * 10**9)")):
            text = f"def predict(train, test):\n    {line}\n"
            found = rerun(small, rules.metric, entry(lab, term, text), term, fresh)
            assert found.verdict is Verdict.FAILED
            told[name] = found.detail
    assert "CPU time" in told["time"] and "Memory" in told["memory"]


def test_a_fault_of_ours_says_nothing_of_the_entry_and_the_next_one_is_run(
    ground, runner, monkeypatch
):
    class Broken:
        def __init__(self, *_):
            raise SandboxError("the machine is out of memory")

    runner.close()
    with monkeypatch.context() as broken:
        broken.setattr(running, "ZygoteProcess", Broken)
        found = run(ground, runner, HONEST)
    assert (found.verdict, found.comparison) == (Verdict.FAULT, None)
    assert "out of memory" in found.detail
    assert run(ground, runner, HONEST).verdict is Verdict.HOLDS


PAIRS = CompetitionRules(
    file="p.csv", predicted=("a", "b"), unordered=True, metric="all_right",
    classes=("x", "y", "z"), public=1, baseline=0.1, most=25, least=15, below_baseline=12,
)  # fmt: skip


@given(arrays.arrays(st.sampled_from([np.int8, np.int64, np.uint8, np.float32]), (4, 2),
                     elements=st.integers(0, 2)))  # fmt: skip
def test_classes_of_any_number_type_are_taken_in_any_order(answer):
    found = running.checked(answer, 4, PAIRS)
    assert found.dtype == np.float64 and np.array_equal(found, np.sort(answer, axis=1))


@given(st.one_of(
    st.none(), st.integers(), st.text(), st.lists(st.integers()),
    arrays.arrays(np.float64, arrays.array_shapes(max_dims=3, max_side=5)),
    arrays.arrays(np.complex128, (4, 2)),
))  # fmt: skip
def test_any_other_answer_is_refused_or_means_what_it_says(answer):
    try:
        found = running.checked(answer, 4, PAIRS)
    except WrongPredictions:
        return
    assert answer.shape == (4, 2) and set(found.flat) <= {0.0, 1.0, 2.0}
