"""Right solutions of up to six kinds for each lab, as students would write them from the handout.

None was written with the reference or the hidden suite at hand, so a point that one of them loses
is a demand that the handout does not make, or a promise that the solution breaks. `clothes/LAB/`
holds one folder each:

plain      a function a task, in the order of the skeleton
terse      one-liners, einsum, strided views, tables of lambdas
loops      one number at a time in plain Python, where that can be afforded
classes    a class a thing, in modules of its own beside the files that are asked for
notebook   commands, tags, cells that add to a file, cells that nobody asked for
habits     float64 as the default, threads of its own, argparse, logging and matplotlib at import,
           NamedTuple, Enum and defaultdict as results and state

Each `results.csv` is what the solution's own sweep wrote. They are graded with half of the memory
that a lab allows, and may use half of its CPU seconds.

All this is for the nightly run. The gate runs of one solution what stands neither on the study nor
on a test that a fresh calibration has run many times: those train.
"""

import os
import re
import shutil
from pathlib import Path

import pytest
from support.whole_lab import WholeLab

from grader.grading import GradingPool
from grader.intake import receive
from grader.lab.catalogue import Catalogue
from grader.report import Outcome, RunStatus

HOME = Path(__file__).parents[2]
CLOTHES = Path(__file__).parent / "clothes"
KEY = b"clothes" * 5
CLOTHED = sorted((folder.parent.name, folder.name) for folder in CLOTHES.glob("*/*"))
# Every lab has these, and some have terse ones and notebooks besides.
ALWAYS = {"plain", "loops", "classes", "habits"}
KINDS = ALWAYS | {"terse", "notebook"}
# Their studies are about Cora, Tiny-ImageNet, AG News and digits.
ON_REAL_DATA = {"gcn", "cnn", "text", "gan"}

pytestmark = pytest.mark.timeout(1500)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A course whose labs allow half of the memory."""
    home = tmp_path_factory.mktemp("half")
    for half in ("assignments", "reference"):
        shutil.copytree(HOME / half, home / half)
    for manifest in (home / "assignments").glob("*/assignment.toml"):
        text = manifest.read_text(encoding="utf-8")
        halved, count = re.subn(
            r"(?m)^memory_mb = (\d+)$", lambda found: f"memory_mb = {int(found[1]) // 2}", text
        )
        assert count == 1, manifest
        manifest.write_text(halved, encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def pool():
    with GradingPool(jobs=1) as pool:
        yield pool


def test_every_lab_of_the_course_is_solved_in_these_kinds():
    for lab in ("fnn", "cnn", "text", "gcn", "gan"):
        assert {name for slug, name in CLOTHED if slug == lab} >= ALWAYS, lab
    assert {name for _, name in CLOTHED} == KINDS


def test_a_right_solution_passes_what_trains_little(home, pool):
    whole = WholeLab("fnn", pool, home)
    submission = receive(CLOTHES / "fnn" / "plain", whole.assignment)
    training = whole.calibrated(whole.assignment.default_variant)
    tests = whole.without({*training, *whole.tests_of("test_study.py")})
    run = pool.run_tests(whole.lab, submission, tuple(sorted(tests)), key=KEY)
    assert len(tests) > 50
    assert {t: run.outcomes[t] for t in tests} == dict.fromkeys(tests, Outcome.PASSED)


@pytest.mark.nightly
@pytest.mark.parametrize(("slug", "name"), CLOTHED)
def test_a_right_solution_has_full_marks_at_half_of_every_limit(home, pool, slug, name):
    if slug in ON_REAL_DATA and not os.environ.get("GRADER_DATA"):
        pytest.skip("needs real data: the study was made with it")
    lab = Catalogue(home).get(slug)
    submission = receive(CLOTHES / slug / name, lab.assignment)
    report = pool.grade(lab, submission, key=KEY).report
    assert report.status is RunStatus.GRADED, report.fault or report.messages
    lost = [told(test) for test in report.tests if test.outcome is not Outcome.PASSED]
    assert not lost, "\n".join(lost)
    part = [f"{test.id}: {test.credit:.2f}" for test in report.tests if test.credit < 1]
    assert not part, f"a part of the points only: {', '.join(part)}"
    dear = [f"{test.id}: {test.cpu_share:.0%}" for test in report.tests if test.cpu_share > 0.5]
    assert not dear, f"more than half of the CPU seconds of a test: {', '.join(dear)}"
    allowed = lab.assignment.limits.cpu_seconds
    assert report.cpu_seconds <= allowed / 2, f"{report.cpu_seconds:.0f} of {allowed} CPU seconds"


def told(test):
    return f"{test.id} {test.outcome.value}: {test.reason} {test.hint}\n{test.detail[-2000:]}"
