"""The manifest says by full names what a file is to do without."""

import pytest

from grader.errors import ManifestError
from grader.from_scratch import from_scratch_files
from grader.lab.manifest import load_assignment

MANIFEST = """
schema = 1
slug = "lab"
title = "A lab"
files = [{{ path = "{path}", from_scratch = {names} }}]
[limits]
cpu_seconds = 60
[[parts]]
id = "p"
title = "P"
items = [{{ id = "i", title = "I", points = 1 }}]
"""


def load(tmp_path, names, path="lab/layers.py"):
    folder = tmp_path / "lab"
    folder.mkdir()
    (folder / "assignment.toml").write_text(MANIFEST.format(path=path, names=names))
    return load_assignment(folder)


def test_one_name_stands_for_all_that_do_the_same_work(tmp_path):
    (file,) = from_scratch_files(load(tmp_path, '["torch.nn.LSTM"]'))
    assert (file.path, file.module) == ("lab/layers.py", "lab.layers")
    assert {"torch.nn.LSTM", "torch.nn.LSTMCell", "torch.lstm", "torch.ops.aten.lstm"} <= {
        *file.forbidden
    }
    assert "torch.nn.GRU" not in file.forbidden


def test_a_name_of_no_family_stands_for_itself(tmp_path):
    (file,) = from_scratch_files(load(tmp_path, '["numpy.linalg.lstsq"]'))
    assert file.forbidden == ("numpy.linalg.lstsq",)


def test_other_spellings_of_torch_are_understood(tmp_path):
    (file,) = from_scratch_files(load(tmp_path, '["torch.nn.modules.conv.Conv2d"]'))
    assert "torch.nn.functional.conv2d" in file.forbidden


def test_files_that_declare_nothing_are_left_out(tmp_path):
    assert from_scratch_files(load(tmp_path, "[]")) == ()


@pytest.mark.parametrize(
    ("names", "mend"),
    [
        pytest.param('["F.conv2d"]', "did you mean 'torch.nn.functional.conv2d'?", id="alias"),
        pytest.param('["nn.LSTM"]', "did you mean 'torch.nn.LSTM'?", id="nn"),
        pytest.param('["Conv2d"]', "did you mean 'torch.nn.Conv2d'?", id="bare"),
        pytest.param('["np.dot"]', "did you mean 'numpy.dot'?", id="np"),
        pytest.param('["torch"]', "write a full dotted name, such as", id="whole-library"),
        pytest.param('["torch.nn.functional."]', "write a full dotted name", id="trailing-dot"),
        pytest.param('["torch.nn.conv 2d"]', "write a full dotted name", id="space"),
        pytest.param('["torch.nn.LSTM", "torch.nn.LSTM"]', "stands 2 times", id="twice"),
        pytest.param('"torch.nn.LSTM"', "a list in [brackets]", id="no-list"),
    ],
)
def test_a_mistaken_name_is_refused_with_its_mend(tmp_path, names, mend):
    with pytest.raises(ManifestError) as caught:
        load(tmp_path, names)
    assert mend in str(caught.value)
    assert "files.0.from_scratch" in str(caught.value)


def test_only_a_python_file_can_have_it(tmp_path):
    with pytest.raises(ManifestError, match="only a Python file"):
        load(tmp_path, '["torch.nn.LSTM"]', "answers.csv")
