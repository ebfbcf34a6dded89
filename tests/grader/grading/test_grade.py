"""Grading runs whole: the same inputs for the same work, and our faults never a zero."""

import dataclasses
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from grader.authoring import reference_submission, skeleton_submission
from grader.errors import GradingError
from grader.grading import GradingPool, grade
from grader.intake import receive_files
from grader.intake.submission import AcceptedFile, Submission
from grader.lab.catalogue import Catalogue
from grader.lab.manifest import load_assignment
from grader.report import RunStatus
from grader.report.redaction import for_student
from grader.sandbox import Tier, best_tier

HOME = Path(__file__).parents[2] / "home"
KEY = b"k" * 32

pytestmark = pytest.mark.skipif(
    best_tier() is Tier.PROCESS, reason="needs Landlock: submissions run in a sandbox"
)


@pytest.fixture
def lab():
    return Catalogue(HOME).get("tiny")


@pytest.fixture
def lab_with(tmp_path):
    """Return a function that gives the tiny lab with one hidden suite, of one file, of its own."""

    def make(body):
        shutil.copytree(HOME, tmp_path / "home")
        suite = tmp_path / "home" / "reference" / "tiny" / "suite"
        shutil.rmtree(suite)
        suite.mkdir()
        (suite / "test_own.py").write_text(body)
        return Catalogue(tmp_path / "home").get("tiny")

    return make


def test_a_lab_without_reference_is_our_fault(lab):
    report = grade(
        dataclasses.replace(lab, reference=None), skeleton_submission(lab), key=KEY
    ).report
    assert (report.status, report.score) == (RunStatus.GRADER_ERROR, None)


def test_the_same_work_has_the_same_report_and_other_work_other_inputs(lab_with):
    lab = lab_with(
        HEADER + '@pytest.mark.item("double")\ndef test_seed(student, seed, credit):\n'
        '    """A seed."""\n    credit(1.0, f"seed {seed}")\n' + REST
    )
    submissions = (reference_submission(lab), reference_submission(lab), skeleton_submission(lab))
    with GradingPool() as pool:
        first, again, other = (pool.grade(lab, one, key=KEY).report for one in submissions)
    assert first.status is RunStatus.GRADED, first.fault
    assert first.score == again.score == 4.0
    details = [report.tests[0].detail for report in (first, again, other)]
    assert details[0] == details[1] != details[2]


def test_nothing_above_the_suite_is_a_part_of_it(lab_with):
    """What decides a grade lies in the suite's folder, whose digest the report states."""
    lab = lab_with(
        HEADER + '@pytest.mark.item("double")\ndef test_own(request):\n'
        '    """Own."""\n    assert "stray" not in request.fixturenames\n' + REST
    )
    stray = (
        "import pytest\n@pytest.fixture(autouse=True)\ndef stray():\n    raise OSError('stray')\n"
    )
    for folder in (lab.reference, lab.reference.parent, lab.reference.parent.parent):
        (folder / "conftest.py").write_text(stray)
    report = grade(lab, reference_submission(lab), key=KEY).report
    assert report.status is RunStatus.GRADED, report.fault
    assert report.tests[0].outcome == "passed"


HEADER = "import os, signal\nimport pytest\n"
REST = "".join(
    f'\n@pytest.mark.item("{item}")\ndef test_{item}(student):\n'
    f'    """Rest."""\n    assert {item!r} == ""\n'
    for item in ("partial", "linear")
)


VERDICTS = (
    HEADER
    + '''
import grader.suite as s

@pytest.mark.item("double")
def test_skips():
    """Skips."""
    pytest.skip("no")

@pytest.mark.item("double")
@pytest.mark.xfail
def test_xfails():
    """Fails as expected."""
    assert 1 == 2

@pytest.mark.item("double")
@pytest.mark.xfail
def test_xpasses():
    """Passes against expectation."""

@pytest.mark.item("double")
@pytest.mark.depends("test_xfails")
def test_depends():
    """Depends on one that fails."""

@pytest.mark.item("double")
def test_credit_out_of_range(credit):
    """Credit out of range."""
    credit(1.5, "too much")

@pytest.mark.item("partial")
def test_part(credit):
    """Half the points."""
    credit(0.5, "half")

@pytest.mark.item("partial")
def test_object(student):
    """An object where a value was expected."""
    student.net.Linear(1, 2) + 1

@pytest.mark.item("linear")
def test_passes():
    """Passes."""
'''
)


def test_only_a_test_that_ran_and_passed_earns(lab_with):
    lab = lab_with(VERDICTS.replace("student.net", "student.maths").replace("Linear", "echo"))
    report = grade(lab, reference_submission(lab), key=KEY).report
    assert report.status is RunStatus.GRADED, report.fault
    found = {t.id.partition("::")[2]: (t.outcome.value, t.credit) for t in report.tests}
    assert found["test_skips"] == ("missing", 0)
    assert found["test_xfails"][1] == found["test_xpasses"][1] == 0
    assert found["test_depends"] == ("missing", 0)
    assert found["test_credit_out_of_range"] == ("failed", 0)
    assert found["test_part"] == ("passed", 0.5)
    assert found["test_object"][0] in ("error", "failed")
    assert found["test_passes"] == ("passed", 1)


def test_a_tensor_arrives_even_where_the_suite_has_no_torch(lab_with):
    lab = lab_with(
        HEADER + '@pytest.mark.item("double")\ndef test_array(student):\n    """An array."""\n'
        "    from grader.suite import as_array\n    as_array(student.maths.double(1.0))\n" + REST
    )
    manifest = lab.public / "assignment.toml"
    manifest.write_text(manifest.read_text().replace('"matplotlib", "torch"', '"matplotlib"'))
    lab = dataclasses.replace(lab, assignment=load_assignment(lab.public))
    right = reference_submission(lab)
    tensors = b"import torch\n\n\ndef double(x):\n    return torch.tensor([2 * x])\n"
    files = [AcceptedFile("tiny/maths.py", tensors), *right.files[1:]]
    assert right.files[0].path == "tiny/maths.py"
    report = grade(lab, Submission("tensors", tuple(files)), key=KEY).report
    assert report.status is RunStatus.GRADED, report.fault
    assert "got a torch.float32 tensor of shape (1,)" in report.tests[0].detail


ALLOWANCES = (
    HEADER
    + '''
@pytest.fixture(scope="module")
def one(shared_student):
    """A call of the process that outlives a test."""
    return lambda: shared_student.maths.double(1.0)

@pytest.mark.item("double")
def test_long(one, student):
    """Computes longer than a test may, in time of its own."""
    one()
    with student.budget(cpu_seconds=20):
        student.maths.estimate(2 * 10**6)
    one()

@pytest.mark.item("partial")
def test_late(one):
    """Comes when the other process has used up what a test may."""
    assert one() == 2

@pytest.mark.item("partial")
@pytest.mark.limits(cpu_seconds=9)
def test_endless(student):
    """Has the time of this one loop, not that of the test."""
    with student.budget(cpu_seconds=0.25):
        student.maths.estimate(10**12)

@pytest.mark.item("linear")
def test_nothing():
    """Asks nothing of anybody."""
'''
)


def test_every_test_has_its_own_time_and_is_told_how_much_it_used(lab_with):
    lab = lab_with(ALLOWANCES)
    manifest = lab.public / "assignment.toml"
    text = manifest.read_text().replace("test_cpu_seconds = 2", "test_cpu_seconds = 0.1")
    manifest.write_text(text)
    lab = dataclasses.replace(lab, assignment=load_assignment(lab.public))
    report = grade(lab, reference_submission(lab), key=KEY).report
    assert report.status is RunStatus.GRADED, report.fault
    long, late, endless, _ = report.tests
    assert (long.outcome, late.outcome) == ("passed", "passed"), long.detail + late.detail
    assert long.cpu_seconds > 0.1
    assert 0 < long.cpu_share < 1
    assert 0 < late.cpu_share < 1
    assert endless.outcome == "timeout" and endless.cpu_share > 1
    assert "more CPU time than this test allows (0.25 s)" in endless.reason


SPENT = (
    HEADER
    + '''
@pytest.mark.item("double")
def test_long(student):
    """Uses a part of the time that all tests have together."""
    student.maths.estimate(10**6)

@pytest.mark.item("partial")
def test_endless(student):
    """Has what is left."""
    student.maths.estimate(10**12)

@pytest.mark.item("linear")
def test_last(student):
    """Has nothing."""
    student.net.Linear(1, 1)
'''
)


def test_a_run_whose_time_is_spent_says_so(lab_with):
    lab = lab_with(SPENT)
    manifest = lab.public / "assignment.toml"
    text = manifest.read_text().replace("test_cpu_seconds = 2", "test_cpu_seconds = 20")
    manifest.write_text(text.replace("\ncpu_seconds = 20", "\ncpu_seconds = 2"))
    lab = dataclasses.replace(lab, assignment=load_assignment(lab.public))
    report = grade(lab, reference_submission(lab), key=KEY).report
    assert [test.outcome.value for test in report.tests] == ["passed", "timeout", "timeout"]
    for test in report.tests[1:]:
        assert "used up the CPU time of the whole submission" in test.reason


FAULTS = {
    "disk-full": "raise OSError(28, 'No space left on device')",
    "grader-error": "from grader.errors import GradingError; raise GradingError('no bar')",
    "trusted-process-killed": "os.kill(os.getpid(), signal.SIGKILL)",
    "exit": "pytest.exit('no')",
}


@pytest.mark.parametrize("body", FAULTS.values(), ids=FAULTS)
def test_a_fault_of_the_suite_is_never_a_zero(lab_with, body, grading_processes):
    running = grading_processes()
    lab = lab_with(
        HEADER + f'@pytest.mark.item("double")\ndef test_it(student):\n'
        f'    """It."""\n    student.maths.double(1)\n    {body}\n' + REST
    )
    report = grade(lab, reference_submission(lab), key=KEY).report
    assert (report.status, report.score) == (RunStatus.GRADER_ERROR, None)
    assert report.fault
    assert grading_processes() - running == set()


UNJUDGED = (
    HEADER
    + """
@pytest.fixture
def raising_late():
    yield
    [].pop()

@pytest.mark.item("double")
def test_raises(student):
    '''Raises on what it got.'''
    len(student.maths.double(1))

@pytest.mark.item("double")
@pytest.mark.depends("test_raises")
def test_builds_on_it():
    '''Would pass, but builds on one without a verdict.'''

@pytest.mark.item("double")
def test_late(raising_late):
    '''Passes, and then its fixture raises.'''

@pytest.mark.item("partial")
def test_wrong(raising_late):
    '''Fails, and then its fixture raises.'''
    assert 1 == 2

@pytest.mark.item("partial")
@pytest.mark.depends("test_raises", "test_wrong")
def test_blocked():
    '''Builds on one that failed.'''

@pytest.mark.item("linear")
def test_right():
    '''Passes.'''
"""
)


def test_what_the_suite_raises_on_a_value_costs_that_test_alone(lab_with):
    lab = lab_with(UNJUDGED)
    report = grade(lab, reference_submission(lab), key=KEY).report
    assert report.status is RunStatus.GRADED, report.fault
    assert {test.id.partition("::")[2]: test.outcome.value for test in report.tests} == {
        "test_raises": "unjudged",
        "test_builds_on_it": "unjudged",
        "test_late": "unjudged",
        "test_wrong": "failed",
        "test_blocked": "missing",
        "test_right": "passed",
    }
    points = {item.id: (item.score, item.max_score) for part in report.parts for item in part.items}
    assert report.score == points["linear"][0] == points["linear"][1]
    assert report.pending_score == points["double"][1]
    assert "TypeError" in report.tests[0].detail
    shown = for_student(report, due_passed=True, published=True)
    assert "the staff see it and decide" in shown.tests[0].reason.casefold()
    assert "TypeError" not in shown.model_dump_json()


TOO_MUCH = (
    HEADER
    + """
@pytest.fixture(scope="module")
def endless():
    while True:
        pass

@pytest.mark.item("double")
def test_computes():
    '''Computes without an end on what it got.'''
    sum(1 for _ in iter(int, 1))

@pytest.mark.item("double")
def test_fixture(endless):
    '''Has a fixture that does.'''

@pytest.mark.item("partial")
def test_grows():
    '''Takes more memory than there may be.'''
    bytearray(8 * 2**30)

@pytest.mark.item("linear")
def test_right(student):
    '''Passes.'''
    assert student.maths.double(1) == 2
"""
)


def test_the_suites_own_work_has_a_limit_that_costs_the_test_alone(lab_with):
    lab = lab_with(TOO_MUCH)
    manifest = lab.public / "assignment.toml"
    limit = "\njudging_cpu_seconds = 0.3\ncpu_seconds = 20"
    manifest.write_text(manifest.read_text().replace("\ncpu_seconds = 20", limit))
    lab = dataclasses.replace(lab, assignment=load_assignment(lab.public))
    report = grade(lab, reference_submission(lab), key=KEY).report
    assert report.status is RunStatus.GRADED, report.fault
    assert [test.outcome.value for test in report.tests] == ["failed"] * 3 + ["passed"]
    for test in report.tests[:3]:
        assert "took more time or memory than a check may" in test.reason
    assert report.pending_score == 0


def test_who_tries_a_suite_hears_that_it_cannot_judge(lab_with):
    lab = lab_with(UNJUDGED)
    says = "test_raises could not judge"
    with GradingPool() as pool, pytest.raises(GradingError, match=says):
        pool.run_tests(lab, reference_submission(lab), ("test_own.py::test_raises",), key=KEY)


def test_every_mistake_of_the_marks_is_reported(lab_with):
    lab = lab_with(
        HEADER + '@pytest.mark.item("nope")\ndef test_a():\n    """A."""\n'
        'def test_b():\n    """B."""\n'
        '@pytest.mark.item("double")\ndef test_c():\n    pass\n'
        '@pytest.mark.item("double")\n@pytest.mark.depends("test_z")\ndef test_d():\n    """D."""\n'
    )
    fault = grade(lab, reference_submission(lab), key=KEY).report.fault
    for words in ("no rubric item 'nope'", "name the rubric item", "docstring", "'test_z'"):
        assert words in fault


PARENT = """
import sys
from pathlib import Path
from grader.lab.manifest import load_assignment
from grader.authoring import reference_submission
from grader.lab.catalogue import Catalogue
from grader.errors import GradingError
from grader.grading import GradingPool, grade
lab = Catalogue(Path(sys.argv[1])).get("tiny")
grade(lab, reference_submission(lab), key=b"k" * 32,
      on_progress=lambda progress: print(progress.done, flush=True))
"""


def test_when_the_parent_is_killed_nothing_goes_on_running(lab):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(HOME)], stdout=subprocess.PIPE, text=True
    )
    with parent:
        assert parent.stdout.readline()  # the run has begun, its sandboxes are up
        tree = psutil.Process(parent.pid).children(recursive=True)
        parent.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(tree, timeout=30)
    assert tree and alive == []


ORDER = (
    HEADER
    + '''
@pytest.mark.item("double")
def test_hidden(student, credit, suite_run):
    """Comes first in the file."""
    boxes = suite_run.sandboxes._by_kind.items()
    credit(1.0, f"hidden, shown ones closed: {[box._closed for (_, v), box in boxes if v]}")
    student.maths.double(1)

@pytest.mark.item("double")
@pytest.mark.visibility("visible")
def test_shown(student, credit, suite_run):
    """Comes second."""
    ran = sum(verdict.wall_seconds > 0 for verdict in suite_run.verdicts.values())
    credit(1.0, f"shown, hidden ones ran {ran}")
    student.maths.double(1)
'''
    + REST
)


def test_what_students_see_ends_before_hidden_inputs_are_made(lab_with):
    lab = lab_with(ORDER)
    report = grade(lab, reference_submission(lab), key=KEY).report
    assert report.status is RunStatus.GRADED, report.fault
    details = {test.id.partition("::")[2]: test.detail for test in report.tests}
    assert details["test_shown"] == "shown, hidden ones ran 0"
    assert details["test_hidden"] == "hidden, shown ones closed: [True]"
    assert list(details)[:2] == ["test_hidden", "test_shown"]


def test_a_visible_test_must_not_wait_for_a_hidden_one(lab_with):
    mixed = (
        HEADER + '@pytest.mark.item("double")\ndef test_a():\n    """A."""\n'
        '@pytest.mark.item("double")\n@pytest.mark.visibility("visible")\n'
        '@pytest.mark.depends("test_a")\ndef test_b():\n    """B."""\n' + REST
    )
    lab = lab_with(mixed)
    fault = grade(lab, reference_submission(lab), key=KEY).report.fault
    assert "is visible, so it runs first, but depends on the hidden" in fault


@pytest.mark.parametrize("line", ["from tiny.own import {}", "from .ops.own import {}"])
def test_a_module_of_the_students_own_is_there_when_it_is_graded(lab, line):
    where = "tiny/ops/own.py" if ".ops." in line else "tiny/own.py"
    reference = reference_submission(lab)
    moved = {file.path: file.content for file in reference.files}
    moved[where] = moved["tiny/maths.py"]
    moved["tiny/maths.py"] = line.format("double, estimate").encode()
    submission = receive_files([*moved.items()], lab.assignment)
    report = grade(lab, submission, key=KEY).report
    assert report.status is RunStatus.GRADED, report.fault
    assert report.score == grade(lab, reference, key=KEY).report.score
    assert where in [file.path for file in report.files]
