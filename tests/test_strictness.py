"""Strict runs let no test be skipped that could have run."""

import subprocess
import sys
from pathlib import Path

import pytest

STRICTNESS = Path(__file__).with_name("conftest.py")

LAZY = """
import pytest

def test_runs():
    pass

def test_is_lazy():
    pytest.skip({reason!r})
"""

LAZY_FILE = """
import pytest

pytest.importorskip("no_such_library")
"""


def run(tmp_path, monkeypatch, strict, source):
    """Run pytest on one file under the rules of this suite; return its exit code and output."""
    monkeypatch.setenv("PROCTOR_TEST_STRICT", "1" if strict else "0")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # they take longer than the test
    (tmp_path / "conftest.py").write_text(STRICTNESS.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "test_lazy.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", "."]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("source", "told"),
    [
        pytest.param(LAZY.format(reason="not today"), "a skip must give its reason", id="mood"),
        pytest.param(LAZY.format(reason="needs Linux: no"), "this machine has Linux", id="have"),
        pytest.param(LAZY_FILE, "a skip must give its reason", id="whole-file"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: the sandbox is Linux's")
def test_a_skip_that_need_not_be_fails_a_strict_run_only(tmp_path, monkeypatch, source, told):
    code, output = run(tmp_path, monkeypatch, strict=True, source=source)
    assert code in {1, 2}
    assert told in output

    code, output = run(tmp_path, monkeypatch, strict=False, source=source)
    assert code in {0, 5}
    assert "1 skipped" in output


def test_a_skip_for_something_truly_absent_is_let_be(tmp_path, monkeypatch):
    source = LAZY.format(reason="needs PostgreSQL: no server")
    absent = 'NEEDS["PostgreSQL"] = lambda: False\n'
    code, output = run(
        tmp_path, monkeypatch, True, "from conftest import NEEDS\n" + absent + source
    )
    assert code == 0, output
    assert "1 passed, 1 skipped" in output


def test_a_strict_run_tells_of_a_failure_before_the_next_test(tmp_path, monkeypatch):
    source = (
        "def test_fails():\n    assert 1 == 2\n\ndef test_stops():\n    raise KeyboardInterrupt\n"
    )
    _, output = run(tmp_path, monkeypatch, strict=True, source=source)
    told, _, rest = output.partition("=== FAILURES ===")
    assert "FAILED test_lazy.py::test_fails (call)" in told
    assert "assert 1 == 2" in told
    assert rest
    _, output = run(tmp_path, monkeypatch, strict=False, source=source)
    assert "(call)" not in output
