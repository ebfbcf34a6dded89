"""Of what the student's process claims, only what can be true is passed on."""

from types import SimpleNamespace

import pytest

from grader.from_scratch import findings_in_run, first_of_each
from grader.intake.submission import AcceptedFile, Submission
from grader.lab.manifest import SubmittedFile

CODE = b"import torch\n\ny = torch.conv2d(x, w)  # \x1b[31m<script>\n"


@pytest.fixture
def assignment():
    """What is asked of an assignment here: its files."""
    layers = SubmittedFile(path="lab/layers.py", from_scratch=("torch.nn.functional.conv2d",))
    return SimpleNamespace(files=(layers, SubmittedFile(path="lab/model.py")))


@pytest.fixture
def submission():
    return Submission("ada", (AcceptedFile("lab/layers.py", CODE),))


def test_a_claim_is_shown_with_our_copy_of_its_line(assignment, submission):
    claims = [["lab.layers", 3, "torch.conv2d"]]
    (finding,) = findings_in_run(assignment, submission, claims, "test_a.py::test_b")
    assert finding.model_dump() == {
        "path": "lab/layers.py",
        "line": 3,
        "source": "y = torch.conv2d(x, w) # <script>",
        "name": "torch.conv2d",
        "how": "run",
        "sure": "likely",
        "test": "test_a.py::test_b",
    }


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param(None, id="nothing"),
        pytest.param({"a": 1}, id="not-a-list"),
        pytest.param([["lab.layers", 3]], id="too-short"),
        pytest.param([["lab.layers", True, "torch.conv2d"]], id="bool-for-a-line"),
        pytest.param([["lab.layers", -1, "torch.conv2d"]], id="negative-line"),
        pytest.param([["lab.layers", 10**9, "torch.conv2d"]], id="huge-line"),
        pytest.param([["lab.model", 3, "torch.conv2d"]], id="file-that-may"),
        pytest.param([["os", 3, "torch.conv2d"]], id="no-file-of-ours"),
        pytest.param([["lab.layers", 3, "torch.relu"]], id="name-that-is-free"),
        pytest.param([["lab.layers", 3, "<b>SECRET</b>"]], id="free-text"),
        pytest.param([[["lab.layers"], 3, "torch.conv2d"]], id="nested"),
    ],
)
def test_a_claim_that_cannot_be_true_is_dropped(claims, assignment, submission):
    assert findings_in_run(assignment, submission, claims, "t") == ()


def test_a_line_the_file_does_not_have_becomes_no_line(assignment, submission):
    (finding,) = findings_in_run(assignment, submission, [["lab.layers", 99, "torch.conv2d"]], "t")
    assert (finding.line, finding.source) == (0, "")


def test_claims_are_capped_and_listed_once(assignment, submission):
    claims = [["lab.layers", 3, "torch.conv2d"]] * 5000
    found = findings_in_run(assignment, submission, claims, "t")
    assert len(found) == 200
    assert len(first_of_each(found)) == 1
