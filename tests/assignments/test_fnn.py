"""The public folder of fnn: manifest, handouts and skeleton hang together."""

import re

import pytest

from grader.lab.manifest import load_assignment


def test_the_lab_is_worth_fourteen_points_in_the_parts_of_the_course(fnn_lab):
    assignment = load_assignment(fnn_lab)
    assert assignment.max_score == 14
    assert [int(part.points) for part in assignment.parts] == [5, 4, 3, 2]
    assert [item.id for item in assignment.items if item.manual] == ["report"]


@pytest.mark.parametrize("handout", ["README.md", "README.zh.md"])
def test_the_handout_prints_the_points_of_the_manifest(fnn_lab, handout):
    rows = re.findall(r"^\| \S+ \| (\d+) \| .*\d", (fnn_lab / handout).read_text("utf-8"), re.M)
    points = [int(part.points) for part in load_assignment(fnn_lab).parts]
    assert [int(row) for row in rows] == points[:3]  # the last row names no item


@pytest.mark.parametrize("module", ["__init__.py", "layers.py", "optim.py"])
def test_the_numpy_files_do_not_touch_torch(fnn_lab, module):
    assert "import torch" not in (fnn_lab / "fnn" / module).read_text("utf-8")
