"""A secret draws one set; what staff's code draws wrongly is told without a label."""

import numpy as np
import pytest
from small_competition import SECRET, rings

from grader.authoring.draw import draw
from grader.competition.drawn import files_of
from grader.errors import AuthoringError, GradingError
from grader.lab.catalogue import Catalogue


@pytest.fixture
def lab(tmp_path):
    return rings(tmp_path)


def files(lab, secret=SECRET, number=1):
    return files_of(draw(lab, secret, number), lab.assignment.competition)


def test_the_same_secret_draws_the_same_bytes(lab):
    assert files(lab) == files(lab)


def test_another_secret_draws_other_rows_in_every_file_but_the_sample(lab):
    one, other = files(lab), files(lab, SECRET[::-1])
    same = {path for path in one if one[path] == other[path]}
    assert same == {"students/sample_submission.csv"}


def test_a_further_set_is_a_fresh_test_and_nothing_to_train_on(lab):
    first, second, third = (draw(lab, SECRET, number) for number in (1, 2, 3))
    assert second.train is None and third.train is None and first.train is not None
    rows = [{row.tobytes() for row in one.test["points"]} for one in (first, second, third)]
    assert not rows[0] & rows[1] and not rows[1] & rows[2] and len(rows[0]) == 1500
    assert not np.array_equal(second.labels.values, third.labels.values)


def written(lab, text):
    (lab.reference / "draw.py").write_text(f"import numpy as np\n{text}")
    return lab


WRONG = {
    "must return a dict": "return np.zeros(rows)",
    "must name its inputs": "return {'labels': np.zeros(rows)}, np.zeros(rows)",
    "x must have": "return {'x': np.zeros(rows - 1)}, np.zeros(rows)",
    "x must be finite": "return {'x': np.full(rows, np.nan)}, np.zeros(rows)",
    "x must be an array": "return {'x': ['a'] * rows}, np.zeros(rows)",
    "from 0 to 2": "return {'x': np.zeros(rows)}, np.full(rows, 7)",
    "labels must be": "return {'x': np.zeros(rows)}, np.zeros((rows, 2))",
}


@pytest.mark.parametrize("told", WRONG)
def test_what_is_drawn_wrongly_is_named_with_its_part(lab, told):
    code = f"def draw(rng, part, rows):\n    {WRONG[told]}\n"
    with pytest.raises(AuthoringError, match=f"draw.py, test: .*{told}") as raised:
        draw(written(lab, code), SECRET)
    assert "7" not in str(raised.value)


def test_code_that_cannot_be_imported_is_a_fault_of_ours(lab):
    with pytest.raises(GradingError, match=r"draw\.py cannot be imported"):
        draw(written(lab, "import nothing_of_that_name"), SECRET)


def test_missing_data_are_named(lab, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    manifest = lab.public / "assignment.toml"
    manifest.write_text(
        manifest.read_text().replace("\n\n[limits]", '\ndata = ["far"]\n\n[limits]')
    )
    with pytest.raises(AuthoringError, match="reads data that are not here: far"):
        draw(Catalogue(tmp_path).get("rings"), SECRET)


def test_a_competition_whose_labels_come_from_elsewhere_draws_nothing(lab, tmp_path):
    manifest = lab.public / "assignment.toml"
    text = manifest.read_text()
    manifest.write_text(text.replace("train = 900\ntest = 1500\n", ""))
    with pytest.raises(AuthoringError, match="draws no data"):
        draw(Catalogue(tmp_path).get("rings"), SECRET)
