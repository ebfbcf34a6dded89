"""A term's data are written whole, staff's half closed to others, and never over another set."""

import pytest
from small_competition import SECRET, rings


@pytest.fixture
def ground(tmp_path, monkeypatch, invoke):
    """A home with one competition, and a caller of ``grader draw`` with a secret."""
    rings(tmp_path)
    monkeypatch.setenv("GRADER_HOME", str(tmp_path))
    secret = tmp_path / "term.secret"
    secret.write_text(SECRET.hex())
    return tmp_path, lambda *more: invoke("draw", "rings", "--secret-file", secret, *more)


def files(folder):
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_students_and_staff_get_their_halves_and_a_second_time_the_same(ground):
    home, draw = ground
    first, again = draw("--out", home / "one"), draw("--out", home / "two")
    assert first.exit_code == again.exit_code == 0, first.output
    assert files(home / "one") == files(home / "two")
    assert set(files(home / "one")) == {
        "students/train.npz", "students/test.npz", "students/sample_submission.csv",
        "staff/labels.csv",
    }  # fmt: skip
    assert (home / "one" / "staff").stat().st_mode & 0o077 == 0
    assert draw("--out", home / "one").exit_code == 0  # what is there already is no hindrance


def test_a_further_set_goes_beside_and_not_over_the_first(ground):
    home, draw = ground
    draw("--out", home / "one")
    before = files(home / "one")
    refused = draw("--out", home / "one", "--set", "2")
    assert refused.exit_code == 2 and "holds another set" in refused.output
    assert files(home / "one") == before
    assert "for staff" in draw("--out", home / "two", "--set", "2").output
    assert set(files(home / "two")) == {"staff/test.npz", "staff/labels.csv"}


def test_neither_the_secret_nor_a_label_is_printed(ground):
    home, draw = ground
    said = draw("--out", home / "one").output
    assert SECRET.hex() not in said
    assert not any(kind in said for kind in ("inner", "middle", "outer"))


def test_a_short_secret_and_a_missing_file_are_refused(ground, invoke):
    home, draw = ground
    (home / "term.secret").write_text("abc")
    assert draw("--out", home / "one").exit_code == 2
    (home / "term.secret").unlink()
    result = draw("--out", home / "one")
    assert result.exit_code == 2 and "Traceback" not in result.output
    assert not (home / "one").exists()


def test_an_unknown_variant_and_a_lab_are_refused(ground, invoke, monkeypatch):
    home, draw = ground
    told = draw("--out", home / "one", "--variant", "other").output
    assert "has no variant 'other'; known: none" in told
    monkeypatch.undo()
    result = invoke("draw", "fnn", "--secret-file", home / "term.secret", "--out", home / "one")
    assert result.exit_code == 2 and "is no competition" in result.output
