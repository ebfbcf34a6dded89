"""The grading key is made once, kept private, and never silently replaced."""

from pathlib import Path

import pytest

from grader.errors import ProctorError
from grader.grading.keys import grading_key, own_key_file


def test_the_own_key_is_made_once_and_for_the_owner_alone(tmp_path: Path):
    environ = {"XDG_DATA_HOME": str(tmp_path)}
    first = grading_key(environ=environ)
    assert len(first) == 32
    assert grading_key(environ=environ) == first
    assert own_key_file(environ).stat().st_mode & 0o777 == 0o600
    assert [file.name for file in (tmp_path / "proctor").iterdir()] == ["grading.key"]


def test_the_environment_comes_before_the_own_file(tmp_path: Path):
    environ = {"XDG_DATA_HOME": str(tmp_path), "GRADER_KEY": "ab" * 16}
    assert grading_key(environ=environ) == b"\xab" * 16
    assert not own_key_file(environ).exists()


def test_a_named_file_comes_before_the_environment(tmp_path: Path):
    file = tmp_path / "key"
    file.write_text("cd" * 32 + "\n")
    assert grading_key(file, environ={"GRADER_KEY": "ab" * 16}) == b"\xcd" * 32


@pytest.mark.parametrize("text", ["short", "zz" * 32, "ab" * 15, "", "é" * 64])
def test_a_key_that_is_none_is_refused_and_kept(tmp_path: Path, text: str):
    file = tmp_path / "key"
    file.write_text(text)
    with pytest.raises(ProctorError, match="key"):
        grading_key(file)
    assert file.read_text() == text


def test_a_key_that_others_can_read_is_refused(tmp_path: Path):
    environ = {"XDG_DATA_HOME": str(tmp_path)}
    grading_key(environ=environ)
    own_key_file(environ).chmod(0o644)
    with pytest.raises(ProctorError, match="chmod 600"):
        grading_key(environ=environ)


def test_a_missing_key_file_is_named(tmp_path: Path):
    with pytest.raises(ProctorError, match="nowhere"):
        grading_key(tmp_path / "nowhere")
