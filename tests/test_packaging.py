"""What an installed copy holds, and that one version is told everywhere."""

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel by this environment's build backend, without a network; return its names."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return set(archive.namelist())


def tracked(*folders):
    """Return the tracked files below some folders; every file where there is no git."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", *folders]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode == 0:
        return {name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()}
    files = (file for folder in folders for file in (ROOT / folder).rglob("*"))
    return {
        str(file.relative_to(ROOT))
        for file in files
        if file.is_file() and "__pycache__" not in file.parts
    }


@pytest.mark.parametrize("package", ["grader", "portal"])
def test_the_wheel_holds_every_file_of_a_package(wheel, package):
    assert tracked(package) <= wheel


@pytest.mark.parametrize(
    "name", ["grader/grading/harness/pytest.ini", "portal/templates/base.html"]
)
def test_the_wheel_holds_the_data_the_code_reads(wheel, name):
    assert name in wheel
    assert any(file.startswith("portal/migrations/versions/") for file in wheel)
    assert any(file.startswith("portal/static/vendor/") for file in wheel)


def test_the_wheel_holds_no_course_content(wheel):
    packages = {name.split("/")[0] for name in wheel}
    assert {name for name in packages if not name.endswith(".dist-info")} == {"grader", "portal"}


def test_the_changelog_begins_with_the_version_that_is_built_and_installed():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\d+\.\d+\.\d+)", changelog, re.MULTILINE)
    assert newest is not None
    assert newest[1] == PYPROJECT["project"]["version"] == metadata.version("proctor-autograder")


@pytest.mark.parametrize("script", sorted(PYPROJECT["project"]["scripts"]))
def test_a_console_script_starts(script):
    program = Path(sys.executable).with_name(script)
    done = subprocess.run(
        [str(program), "--help"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Usage: " + script in done.stdout


def test_the_demo_installs_what_each_lab_of_the_course_needs():
    setup = (ROOT / ".ci" / "setup").read_text(encoding="utf-8")
    installed = set(re.search(r'"\.\[([\w,]+)\]"', setup)[1].split(","))
    labs = {folder.name for folder in (ROOT / "assignments").iterdir()}
    assert labs & set(PYPROJECT["project"]["optional-dependencies"]) <= installed
