"""Coverage says which tests can see a mutant: never too few, and the others are not run."""

import ast
import shutil
from pathlib import Path

import pytest

from grader.authoring import reference_submission
from grader.authoring.validate.automatic import Coverage, ProbeReading, automatic_mutants
from grader.authoring.validate.automatic.coverage import ATTRIBUTE, instrumented
from grader.grading.collected import CollectedSuite, TestSpec
from grader.intake.submission import AcceptedFile, Submission
from grader.lab.catalogue import Catalogue

HOME = Path(__file__).parents[2] / "home"
MATHS = '''"""A module."""

from __future__ import annotations

# BEGIN SOLUTION
SCALE = 2


def double(x):
    """Return twice x."""
    if x is None:
        raise ValueError("no number")
    for _ in range(1):
        y = SCALE * x
    else:
        y = y + 0
    try:
        return y
    finally:
        x = 1


def estimate(n):
    total = 0.0
    total += (lambda k: 4 * k)(n)
    return total
# END SOLUTION
'''
DOUBLE, ESTIMATE = "test_maths.py::test_double", "test_maths.py::test_estimate"
NONE = "test_plain.py::test_of_files"  # opens no process of the student's


def submission(text):
    return Submission("reference", (AcceptedFile("tiny/maths.py", text.encode()),))


def executed(text, use):
    """Run the instrumented text and `use` of its names; return what was noted, in hex."""
    names = {}
    (file,) = instrumented(submission(text)).files
    exec(compile(file.content, "tiny/maths.py", "exec"), names)
    use(names)
    return names[ATTRIBUTE].hex()


@pytest.fixture
def lab(tmp_path):
    shutil.copytree(HOME, tmp_path / "home")
    return Catalogue(tmp_path / "home").get("tiny")


def spec(name, **more):
    return TestSpec(id=name, item="double", title="t", cpu_seconds=1.0, **more)


@pytest.fixture
def seen(lab):
    """Return a function: change of the text -> the tests that can see the mutant."""

    def find(old, new, text=MATHS, specs=(), **readings):
        values = {
            DOUBLE: executed(text, lambda names: names["double"](3)),
            ESTIMATE: executed(text, lambda names: names["estimate"](3)),
        }
        known = {name: ProbeReading(True, {"tiny.maths": (v,)}) for name, v in values.items()}
        known[NONE] = ProbeReading(True, {})
        known |= readings
        suite = CollectedSuite(tests=specs or tuple(map(spec, (DOUBLE, ESTIMATE, NONE))))
        reference = submission(text)
        mutants = automatic_mutants(reference)
        found = [m for m in mutants if m.content == text.replace(old, new).encode()]
        assert len(found) == 1, [mutant.described() for mutant in mutants]
        return Coverage(lab, reference, suite, frozenset(), known).tests(found[0])

    return find


def test_an_instrumented_file_does_what_it_did_and_notes_what_began():
    noted = bytes.fromhex(executed(MATHS, lambda names: names["double"](3)))
    (file,) = submission(MATHS).files
    statements = [n for n in ast.walk(ast.parse(file.content)) if isinstance(n, ast.stmt)]
    assert len(noted) == len(statements)
    lines = sorted((n.lineno, n.col_offset) for n in statements)
    skipped = {line for (line, _), done in zip(lines, noted, strict=True) if not done}
    text = MATHS.splitlines()
    assert {text[line - 1].strip() for line in skipped} == {
        'raise ValueError("no number")', "total = 0.0", "total += (lambda k: 4 * k)(n)",
        "return total",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "tests"),
    [
        pytest.param("SCALE * x", "SCALE / x", (DOUBLE,), id="executed-by-one"),
        pytest.param("4 * k", "4 / k", (ESTIMATE,), id="within-a-lambda"),
        pytest.param('raise ValueError("no number")', "pass", (), id="executed-by-none"),
        pytest.param("x is None", "x is not None", (DOUBLE,), id="a-condition"),
        pytest.param("SCALE = 2", "SCALE = 3", (DOUBLE, ESTIMATE), id="on-import"),
    ],
)
def test_tests_that_execute_the_changed_statement_see_it(seen, old, new, tests):
    assert seen(old, new) == tests


def test_a_change_of_what_names_mean_is_seen_wherever_the_function_runs(seen):
    text = MATHS.replace("    for _ in", "    if x == 7:\n        x += (lambda: 2)()\n    for _ in")
    assert seen("(lambda: 2)", "(lambda: 3)", text) == ()
    assert seen("x += (lambda: 2)()", "pass", text) == (DOUBLE,)


@pytest.mark.parametrize(
    "reading",
    [
        pytest.param(None, id="not-run"),
        pytest.param(ProbeReading(False, {"tiny.maths": ("00" * 40,)}), id="lost"),
        pytest.param(ProbeReading(True, {"tiny.maths": ("00" * 40, "")}), id="no-answer"),
        pytest.param(ProbeReading(True, {"tiny.net": ("00" * 40,)}), id="another-module"),
    ],
)
def test_a_test_sees_everything_if_its_reading_is_in_doubt(seen, reading):
    assert ESTIMATE not in seen("SCALE * x", "SCALE / x")
    assert ESTIMATE in seen("SCALE * x", "SCALE / x", **{ESTIMATE: reading})


def test_a_test_sees_what_those_see_on_which_it_depends(seen):
    specs = (spec(DOUBLE), spec(ESTIMATE), spec(NONE, needs=(DOUBLE,)))
    assert seen("SCALE * x", "SCALE / x", specs=specs) == (DOUBLE, NONE)
    specs = (spec(DOUBLE, joint=True), spec(ESTIMATE, joint=True), spec(NONE))
    assert seen("SCALE * x", "SCALE / x", specs=specs) == (DOUBLE, ESTIMATE)


def test_a_file_of_tests_that_names_the_changed_file_may_read_it(seen, lab):
    suite = lab.suite / "test_maths.py"
    suite.write_text(suite.read_text() + '\nFILE = "tiny/maths.py"\n')
    assert seen("SCALE * x", "SCALE / x") == (DOUBLE, ESTIMATE)
    (lab.suite / "conftest.py").write_text('FILE = "tiny/maths.py"\n')
    assert seen("SCALE * x", "SCALE / x") == (DOUBLE, ESTIMATE, NONE)


def test_a_file_that_starts_processes_counts_as_executed(seen):
    text = MATHS.replace("SCALE = 2", "import subprocess\nSCALE = 2")
    assert seen("SCALE * x", "SCALE / x", text) == (DOUBLE, ESTIMATE, NONE)


def test_files_that_are_no_code_stay(lab):
    plain = reference_submission(lab)
    data = AcceptedFile("results.csv", b"a,b\n")
    assert instrumented(Submission("reference", (*plain.files, data))).files[-1] == data
