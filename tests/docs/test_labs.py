"""The page of every lab counts what there is to count."""

import ast
import csv
import os
import re
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from grader.authoring.mutants import load_mutants
from grader.authoring.solutions import reference_submission
from grader.authoring.validate.automatic import automatic_mutants, load_explained
from grader.grading.reference import load_reference
from grader.lab.catalogue import Catalogue

HOME = Path(__file__).parents[2]
LABS = Catalogue(HOME)
PAGES = sorted(path.stem for path in (HOME / "docs" / "labs").glob("*.md"))
NAMES = [name for name in PAGES if not LABS.get(name).assignment.competition]  # those with tests
WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
# How a page prints a metric: factor and digits, where these are not 1 and two.
EFFECTS = {"cnn": (1, ".1f"), "gcn": (100, ".1f"), "text": (100, ".1f"), "gan": (1, ".3f")}
# A fork for each suite: two of them may name their files alike, and all import the same libraries.
COLLECT = """
import os
import sys
import matplotlib
import pytest
import torch
from grader.grading.harness import fixtures, marks

class Counter:
    def pytest_configure(self, config):
        for line in marks.MARKERS:
            config.addinivalue_line("markers", line)

    def pytest_collection_modifyitems(self, items):
        marks_of = [list(item.iter_markers("visibility")) for item in items]
        shown = [1 for found in marks_of if any(mark.args == ("visible",) for mark in found)]
        print("counted", suite, len(items), len({item.path for item in items}), len(shown))

for suite in sys.argv[1:]:
    sys.stdout.flush()
    if not (pid := os.fork()):
        options = ["--collect-only", "-q", "-c", "/dev/null", "--rootdir", suite]
        pytest.main([*options, suite], [Counter(), fixtures])
        sys.stdout.flush()
        os._exit(0)
    os.waitpid(pid, 0)
"""


@pytest.fixture(params=NAMES)
def lab(request):
    return LABS.get(request.param)


@pytest.fixture
def page(lab):
    return " ".join((HOME / "docs" / "labs" / f"{lab.assignment.slug}.md").read_text().split())


@pytest.fixture(scope="module")
def counted():
    """Tests, files of tests and visible tests of every suite, by its folder."""
    suites = [str(LABS.get(name).suite) for name in NAMES]
    command = [sys.executable, "-c", COLLECT, *suites]
    environ = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    said = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=HOME, env=environ
    ).stdout
    found = re.findall(r"^counted (.+) (\d+) (\d+) (\d+)$", said, re.MULTILINE)
    return {suite: tuple(map(int, numbers)) for suite, *numbers in found}


def test_a_page_counts_the_tests(lab, page, counted):
    tests, files, shown = counted[str(lab.suite)]
    counted = f"{tests} tests in {WORDS[files]} files; students see {WORDS[shown]} of them"
    assert counted in page


def test_a_page_names_tests_that_exist(lab, page):
    tests = {
        node.name
        for file in lab.suite.glob("test_*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    named = set(re.findall(r"`(test_\w+)`", page))
    assert len(named) > 40
    assert named <= tests


def test_a_page_counts_the_wrong_solutions(lab, page):
    assert f"{len(load_mutants(lab))} wrong solutions, each with the test" in page


def test_a_page_counts_the_automatic_mutants(lab, page):
    count = len(automatic_mutants(reference_submission(lab)))
    slug = lab.assignment.slug
    if not (lab.reference / "calibration.json").is_file():  # then it is proven neither way
        assert f"unproven until `grader calibrate {slug}` has been run" in page
        assert f"Its {count} automatic mutants have not been tried yet" in page
        return
    explained = len(load_explained(lab))
    claim = f"Of {count} automatic mutants {count - explained} lose a test; the other {explained} "
    assert claim in page


def told(values, form):
    return f"{statistics.mean(values):{form}} +- {statistics.stdev(values):{form.lstrip('+')}}"


def measured_effects(lab):
    """Yield value, figure and difference from the base of every cell that is not the base."""
    scale, form = EFFECTS.get(lab.assignment.slug, (1, ".2f"))
    base = load_reference(lab.reference, lab.assignment).study.BASE
    cells = defaultdict(dict)
    with (lab.reference / "results.csv").open() as file:
        for row in csv.DictReader(file):
            # The study of text has one factor, labels, and a method for a task.
            task, value = row.get("task", row.get("method")), row.get("value", row.get("labels"))
            cell = cells[task, row.get("factor", "labels"), value]
            cell[row["seed"]] = scale * float(row["metric"])
    for (task, factor, value), found in cells.items():
        usual = str(base[factor])
        if value != usual:
            differences = [found[seed] - cells[task, factor, usual][seed] for seed in found]
            yield (
                value.removesuffix(".0"),
                told(found.values(), form),
                told(differences, f"+{form}"),
            )


def test_a_page_tells_the_effect_of_every_factor(lab, page):
    section = page.partition("## What the factors do")[2].partition(" ## ")[0]
    figure = r"(\S+ \+- \S+) \| ([+-]\S+ \+- \S+) \|"
    table = re.findall(rf"\| ([\w.-]+) \| {figure}(?: {figure})?", section)
    pairs = {(value, *pair) for value, *two in table for pair in (two[:2], two[2:])}
    assert {pair for pair in pairs if all(pair)} == set(measured_effects(lab))
