"""Entries are read as uploads are, and what cannot be run is said by team."""

import pytest
from small_competition import HONEST, SECRET, packed, predictions, rings

from grader.authoring.draw import draw
from grader.errors import ProctorError
from grader.rerun import read_entries


@pytest.fixture
def lab(tmp_path):
    return rings(tmp_path)


@pytest.fixture
def sent(tmp_path):
    (tmp_path / "sent").mkdir()
    return tmp_path / "sent"


def read(lab, sent):
    drawn = draw(lab, SECRET)
    return drawn, lambda: read_entries(
        sent, lab.assignment, lab.assignment.competition, drawn.labels.ids
    )


def test_what_a_team_lacks_or_broke_is_said_and_the_others_are_run(lab, sent):
    drawn, entries = read(lab, sent)
    right = predictions(lab, drawn, drawn.labels.values)
    for team in ("whole", "no_source", "bad_zip", "other_zip"):
        (sent / f"{team}.csv").write_bytes(right)
    (sent / "short.csv").write_bytes(right.rpartition(b"\nr1499")[0] + b"\n")
    for team in ("whole", "short", "no_claim"):
        (sent / f"{team}.zip").write_bytes(packed(HONEST, mine="X = 1\n"))
    (sent / "bad_zip.zip").write_bytes(b"PK nothing")
    (sent / "other_zip.zip").write_bytes(packed(HONEST).replace(b"predict.py", b"unknown.py"))
    (sent / "notes.txt").write_text("mine")
    found = entries()
    assert [one.team for one in found.entries] == ["whole"]
    assert {file.path for file in found.entries[0].source.files} == {
        "rings/predict.py", "rings/mine.py",
    }  # fmt: skip
    assert set(found.refused) == {"no_source", "bad_zip", "other_zip", "short", "no_claim"}
    assert "1 row lack a prediction: r1499" in found.refused["short"]
    assert "There is no no_source.zip" in found.refused["no_source"]
    assert "There is no no_claim.csv" in found.refused["no_claim"]


def test_a_folder_without_entries_is_said(lab, sent):
    _, entries = read(lab, sent)
    with pytest.raises(ProctorError, match=r"holds no entries; put team\.csv and team\.zip"):
        entries()
