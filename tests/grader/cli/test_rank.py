"""A folder of predictions becomes ranks and points; what is refused is named and has none."""

import csv

import numpy as np
import pytest

MANIFEST = """
schema = 1
slug = "coins"
title = "Heads or tails"
files = [{ path = "predictions.csv", columns = { id = "text", y = "text" } }]
[limits]
cpu_seconds = 10
[[parts]]
id = "rank"
title = "By rank"
items = [{ id = "rank", title = "Rank", points = 25, manual = true }]
[competition]
file = "predictions.csv"
predicted = ["y"]
metric = "accuracy"
classes = ["heads", "tails"]
public = 60
baseline = 0.6
most = 25
least = 15
below_baseline = 12
"""
ROWS = 200
TRUTH = np.random.default_rng(5).integers(0, 2, ROWS)
NAMES = ("heads", "tails")


@pytest.fixture
def coins(tmp_path, invoke, monkeypatch):
    """A home with one competition, and a folder for predictions."""
    monkeypatch.setenv("GRADER_HOME", str(tmp_path))
    public = tmp_path / "assignments" / "coins"
    staff = tmp_path / "reference" / "coins"
    for folder in (public, staff, tmp_path / "sent"):
        folder.mkdir(parents=True)
    (public / "assignment.toml").write_text(MANIFEST)
    (staff / "labels.csv").write_text(predictions(1.0))
    return tmp_path


def predictions(share):
    """Return a file that has this share of the rows right."""
    said = np.where(np.arange(ROWS) < share * ROWS, TRUTH, 1 - TRUTH)
    return "id,y\n" + "".join(f"row{row},{NAMES[said[row]]}\n" for row in range(ROWS))


def test_teams_are_ranked_and_what_was_refused_is_named(coins, invoke):
    for team, share in (("alpha", 0.95), ("beta", 0.7), ("=gamma", 0.69), ("delta", 0.5)):
        (coins / "sent" / f"{team}.csv").write_text(predictions(share))
    (coins / "sent" / "late.csv").write_text(predictions(0.9).replace("row7,", "row8,"))
    result = invoke("rank", "coins", coins / "sent", "--csv", coins / "ranks.csv")
    assert result.exit_code == 1
    assert "late.csv was refused" in result.output and "row8 stands on line" in result.output
    with (coins / "ranks.csv").open(encoding="utf-8-sig") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["rank"], row["team"], row["points"]) for row in rows] == [
        ("1", "alpha", "25.00"), ("2", "beta", "21.67"), ("2", "'=gamma", "21.67"),
        ("4", "delta", "12"),
    ]  # fmt: skip
    assert [row["tied"] for row in rows] == ["no", "yes", "yes", "no"]


def test_a_lab_an_empty_folder_and_missing_labels_are_said(coins, invoke):
    assert "holds no CSV file" in invoke("rank", "coins", coins / "sent").output
    (coins / "sent" / "a.csv").write_text(predictions(0.5))
    (coins / "reference" / "coins" / "labels.csv").unlink()
    result = invoke("rank", "coins", coins / "sent")
    assert result.exit_code == 2 and "labels.csv" in result.output
    (coins / "reference" / "coins").rmdir()
    assert "not on this machine" in invoke("rank", "coins", coins / "sent").output
    manifest = coins / "assignments" / "coins" / "assignment.toml"
    manifest.write_text(MANIFEST.partition("[competition]")[0])
    assert "is no competition" in invoke("rank", "coins", coins / "sent").output


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('file = "predictions.csv"\n', 'file = "other.csv"\n', "is no submitted file"),
        ("least = 15", "least = 30", "must not rise"),
        ("public = 60", 'public = 60\nsource = "coins/predict.py"', "no submitted Python file"),
        ("public = 60", 'public = 60\nsource = "predictions.csv"', "no submitted Python file"),
        ("metric", "metrik", "did you mean"),
        ('classes = ["heads", "tails"]', "", "goes with classes"),
    ],
)
def test_rules_that_do_not_agree_are_named_with_their_key(coins, invoke, old, new, message):
    manifest = coins / "assignments" / "coins" / "assignment.toml"
    head, table, rules = MANIFEST.partition("[competition]")
    manifest.write_text(head + table + rules.replace(old, new))
    result = invoke("rank", "coins", coins / "sent")
    assert result.exit_code == 2 and message in " ".join(result.output.split())


def test_labels_may_lie_elsewhere(coins, invoke):
    (coins / "sent" / "a.csv").write_text(predictions(0.8))
    (coins / "reference" / "coins" / "labels.csv").rename(coins / "labels.csv")
    assert invoke("rank", "coins", coins / "sent").exit_code == 2
    result = invoke("rank", "coins", coins / "sent", "--labels", coins / "labels.csv")
    assert result.exit_code == 0 and "0.8000" in result.output


@pytest.mark.parametrize("command", ["run", "rescore", "calibrate"])
def test_what_runs_hidden_tests_says_that_a_competition_has_none(coins, invoke, command):
    paths = [] if command == "calibrate" else [coins / "sent"]
    result = invoke(command, "coins", *paths)
    assert result.exit_code == 2 and "is a competition and has no tests" in result.output


def test_the_lists_of_labs_know_a_competition(coins, invoke):
    assert "coins" in invoke("list").output
    shown = invoke("show", "coins").output
    assert "Scored by accuracy on y; 60 rows are" in shown and "12 for what misses" in shown
