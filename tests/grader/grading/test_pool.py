"""A pool keeps servers warm, gives a changed suite a new one, and outlives what dies in it."""

import shutil
import signal
import threading
import time
from pathlib import Path

import psutil
import pytest

from grader.authoring import reference_submission, skeleton_submission
from grader.grading import GradingPool
from grader.lab.catalogue import Catalogue
from grader.report import RunStatus
from grader.sandbox import Tier, best_tier

HOME = Path(__file__).parents[2] / "home"
KEY = b"k" * 32

pytestmark = pytest.mark.skipif(
    best_tier() is Tier.PROCESS, reason="needs Landlock: submissions run in a sandbox"
)


@pytest.fixture
def lab(tmp_path):
    shutil.copytree(HOME, tmp_path / "home")
    return Catalogue(tmp_path / "home").get("tiny")


@pytest.fixture
def pool():
    with GradingPool(jobs=2) as pool:
        yield pool


def server_of(pool):
    (server,) = pool._servers._servers.values()
    return psutil.Process(server._process.pid)


def zygotes_of(pool):
    return [
        child for child in server_of(pool).children()
        if any("guest.runner" in word for word in child.cmdline())
    ]  # fmt: skip


def score(pool, lab, submission=None):
    report = pool.grade(lab, submission or reference_submission(lab), key=KEY).report
    assert report.status is RunStatus.GRADED, report.fault
    return report.score


def test_the_second_submission_meets_a_warm_server(pool, lab):
    assert score(pool, lab) == 9
    first = server_of(pool)
    assert score(pool, lab, skeleton_submission(lab)) == 0
    assert score(pool, lab) == 9
    assert server_of(pool) == first


def test_a_lab_that_hides_torch_from_every_part_never_loads_it(pool, lab):
    """Its server starts in a fifth of the time, and holds a fraction of the memory."""
    assert score(pool, lab) == 9
    loaded = [mapped.path for mapped in server_of(pool).memory_maps()]
    assert any("numpy" in path for path in loaded)
    assert not any("torch" in path for path in loaded)


def test_submissions_side_by_side_do_not_meet(pool, lab):
    found = {}

    def one(name, submission):
        found[name] = score(pool, lab, submission)

    threads = [
        threading.Thread(target=one, args=(f"{kind}{n}", make(lab)))
        for n in range(4)
        for kind, make in (("right", reference_submission), ("empty", skeleton_submission))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name[:5]: value for name, value in found.items()} == {"right": 9, "empty": 0}
    assert all(value == (9 if name.startswith("right") else 0) for name, value in found.items())


def test_a_changed_suite_is_graded_with_anew(pool, lab):
    assert score(pool, lab) == 9
    old = server_of(pool)
    suite = lab.reference / "suite" / "test_maths.py"
    suite.write_text(suite.read_text().replace("error < 0.1", "error < -1"))
    assert score(pool, lab) < 9
    assert server_of(pool) != old
    psutil.wait_procs([old], timeout=30)
    assert not old.is_running()


@pytest.mark.parametrize("victim", ["server", "zygote", "run"])
def test_a_killed_part_is_our_fault_and_the_next_submission_is_graded(pool, lab, victim):
    slow = lab.reference / "suite" / "test_maths.py"
    waiting = "import time; time.sleep(2); x = np.arange(4.0)"
    slow.write_text(slow.read_text().replace("x = np.arange(4.0)", waiting))
    reports = []
    started = threading.Event()
    thread = threading.Thread(
        target=lambda: reports.append(
            pool.grade(lab, reference_submission(lab), key=KEY, on_progress=lambda p: started.set())
        )
    )
    thread.start()
    assert started.wait(120)
    time.sleep(0.5)
    server = server_of(pool)
    if victim == "server":
        server.send_signal(signal.SIGKILL)
    elif victim == "zygote":
        for zygote in zygotes_of(pool):
            zygote.send_signal(signal.SIGKILL)
    else:
        runs = [p for p in server.children() if "grader.grading.server" in p.cmdline()]
        runs[0].send_signal(signal.SIGKILL)
    thread.join(120)
    report = reports[0].report
    assert (report.status, report.score) == (RunStatus.GRADER_ERROR, None), report.score
    assert report.fault
    assert score(pool, lab) == 9


def test_a_closed_pool_leaves_no_process(lab):
    with GradingPool() as pool:
        score(pool, lab)
        tree = [server_of(pool), *server_of(pool).children(recursive=True)]
    assert len(tree) > 3
    _, alive = psutil.wait_procs(tree, timeout=30)
    assert alive == []


def test_a_weaker_tier_than_demanded_grades_nothing(lab):
    with GradingPool(tier=2, minimum_tier=1) as pool:
        report = pool.grade(lab, reference_submission(lab), key=KEY).report
    assert (report.status, report.score) == (RunStatus.GRADER_ERROR, None)
    assert "grader doctor" in report.fault


def test_only_so_many_labs_are_kept_warm(lab, tmp_path, monkeypatch):
    monkeypatch.setattr("grader.grading.servers._MAX_LABS", 1)
    shutil.copytree(HOME, tmp_path / "other")
    other = Catalogue(tmp_path / "other").get("tiny")
    with GradingPool() as pool:
        score(pool, lab)
        first = server_of(pool)
        score(pool, other)
        assert server_of(pool) != first
        psutil.wait_procs([first], timeout=30)
        assert not first.is_running()
