"""Ten lines tell who holds, who does not, and whose fault it is."""

import csv

import pytest
from small_competition import HONEST, SECRET, draw_into, packed, predictions, rings

from grader.authoring.draw import draw
from grader.errors import SandboxError
from grader.rerun import SourceRunner, running


@pytest.fixture
def ground(tmp_path, monkeypatch, invoke):
    """A home with both sets drawn, a folder for entries, and a caller of ``grader rerun``."""
    lab = rings(tmp_path)
    monkeypatch.setenv("GRADER_HOME", str(tmp_path))
    draw_into(lab, tmp_path / "one")
    draw_into(lab, tmp_path / "two", 2)
    (tmp_path / "sent").mkdir()
    term = draw(lab, SECRET)
    radius = (term.test["points"] ** 2).sum(axis=1, keepdims=True) ** 0.5
    honest = predictions(lab, term, (radius > 1.3).astype(int) + (radius > 1.9))
    leaked = predictions(lab, term, term.labels.values)

    def send(team, claim, source=HONEST):
        (tmp_path / "sent" / f"{team}.csv").write_bytes(claim)
        if source is not None:
            (tmp_path / "sent" / f"{team}.zip").write_bytes(packed(source))

    def call(*more):
        sets = ["--drawn", tmp_path / "one", "--fresh", tmp_path / "two"]
        return invoke("rerun", "rings", tmp_path / "sent", *sets, *more)

    return send, call, honest, leaked, tmp_path


def test_the_dishonest_team_is_told_and_the_honest_ones_hold(ground):
    send, call, honest, leaked, home = ground
    send("ada", honest)
    send("bob", honest, HONEST.replace("1.9", "1.89"))
    send("eve", leaked)
    send("=cmd", honest, "def predict(train, test):\n    raise ValueError('\\x1b[31mred')\n")
    send("late", honest, None)
    result = call("--csv", home / "out.csv")
    assert result.exit_code == 1, result.output
    with (home / "out.csv").open(encoding="utf-8-sig") as stream:
        found = {row["team"]: row for row in csv.DictReader(stream)}
    assert {team: row["verdict"] for team, row in found.items()} == {
        "ada": "holds", "bob": "holds", "eve": "below its claim", "'=cmd": "failed",
        "late": "refused",
    }  # fmt: skip
    assert found["eve"]["claim"] == "1.000000" and float(found["eve"]["sds"]) > 10
    assert found["eve"]["tries"] == "3" and found["ada"]["tries"] == "1"
    assert "draw another set" in result.output
    assert "\x1b[31m" not in result.output and "There is no late.zip" in result.output


def test_all_honest_is_exit_code_0(ground):
    send, call, honest, _, _ = ground
    send("ada", honest)
    result = call()
    assert result.exit_code == 0 and "draw another set" not in result.output


def test_our_fault_is_exit_code_2_and_no_verdict_on_the_team(ground, monkeypatch):
    send, call, honest, _, _ = ground
    send("ada", honest)

    class Broken:
        def __init__(self, *_):
            raise SandboxError("no room")

    monkeypatch.setattr(running, "ZygoteProcess", Broken)
    result = call()
    assert result.exit_code == 2 and "our fault" in result.output and "no room" in result.output


def test_what_has_been_run_is_kept_when_the_command_is_stopped(ground, monkeypatch):
    send, call, honest, _, home = ground
    send("ada", honest)
    send("bob", honest)
    run = SourceRunner.run
    asked = []

    def stopped(self, *arguments, **named):
        asked.append(1)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return run(self, *arguments, **named)

    monkeypatch.setattr(SourceRunner, "run", stopped)
    assert call("--csv", home / "out.csv").exit_code == 1
    with (home / "out.csv").open(encoding="utf-8-sig") as stream:
        assert [(row["team"], row["verdict"]) for row in csv.DictReader(stream)] == [
            ("ada", "holds")
        ]


def test_two_sets_in_the_wrong_places_are_refused(ground, invoke):
    send, _, honest, _, home = ground
    send("ada", honest)
    swapped = ["--drawn", home / "two", "--fresh", home / "one"]
    result = invoke("rerun", "rings", home / "sent", *swapped)
    assert result.exit_code == 2 and "name the folder of set 1" in result.output
    same = ["--drawn", home / "one", "--fresh", home / "one"]
    result = invoke("rerun", "rings", home / "sent", *same)
    assert result.exit_code == 2 and "the same rows" in result.output
