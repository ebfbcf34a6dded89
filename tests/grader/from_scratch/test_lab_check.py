"""A lab learns which of its names do not exist, and where its own files use what it forbids."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from grader.authoring import reference_submission
from grader.authoring.validate import ValidationPlan, check_count
from grader.from_scratch.lab_check import mistaken_names, own_findings
from grader.lab.catalogue import Catalogue

HOME = Path(__file__).parents[2] / "home"


@pytest.fixture
def lab_with(tmp_path):
    """Return a function that gives the scratch lab with texts replaced: ``(path, old, new)``."""

    def make(*changes):
        shutil.copytree(HOME, tmp_path / "home")
        for path, old, new in changes:
            file = tmp_path / "home" / path
            assert old in file.read_text()
            file.write_text(file.read_text().replace(old, new))
        return Catalogue(tmp_path / "home").get("scratch")

    return make


MANIFEST = "assignments/scratch/assignment.toml"
CONV = '"torch.nn.functional.conv2d"'


def test_a_lab_that_keeps_its_own_rule_has_no_finding(lab_with):
    lab = lab_with()
    assert own_findings(lab, reference_submission(lab)) == []
    assert mistaken_names(lab.assignment) == []


def test_a_reference_that_uses_a_forbidden_name_is_found_with_its_line(lab_with):
    lab = lab_with(("reference/scratch/layers.py", "size, (kernels", "F.conv2d; size, (kernels"))
    (found,) = own_findings(lab, reference_submission(lab))
    assert found.endswith("torch.nn.functional.conv2d")
    assert found.startswith("scratch/layers.py:9")


def test_a_given_file_that_offers_a_forbidden_name_is_found(lab_with):
    given = "assignments/scratch/scratch/__init__.py"
    lab = lab_with((given, '"""The', 'from torch import conv2d\n"""The'))
    assert own_findings(lab, reference_submission(lab)) == ["scratch/__init__.py:1 torch.conv2d"]


def test_a_given_file_may_look_modules_up_and_students_may_not(lab_with):
    given = "assignments/scratch/scratch/__init__.py"
    lookup = "import importlib\n\n\ndef load(name):\n    return importlib.import_module(name)\n"
    lab = lab_with((given, '"""The', f'"""Loads."""\n\n{lookup}\n\n"""The'))
    assert own_findings(lab, reference_submission(lab)) == []
    (lab.reference / "layers.py").write_text(f'"""Layers."""\n\n{lookup}')
    (found,) = own_findings(lab, reference_submission(lab))
    assert "importlib.import_module(?)" in found


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("torch.nn.functional.conv2", "did you mean torch.nn.functional.conv2d?"),
        pytest.param("torch.nn.Conv2D", "did you mean torch.nn.Conv2d?"),
        pytest.param("torh.nn.Conv2d", "there is no torh.nn.Conv2d"),
        pytest.param("torch.nn.attention.flex_attention.flex_attention", None, id="not-imported"),
        pytest.param("numpy.linalg.lstsq", None, id="another-library"),
    ],
)
def test_a_name_that_no_library_has_is_a_mistake_with_the_nearest(lab_with, name, said):
    mistakes = mistaken_names(lab_with((MANIFEST, CONV, f'"{name}"')).assignment)
    assert [said in one for one in mistakes] == ([True] if said else [])


def test_only_labs_that_forbid_something_have_more_to_prove(lab_with):
    lab = lab_with()
    free = tuple(file.model_copy(update={"from_scratch": ()}) for file in lab.assignment.files)
    assignment = lab.assignment.model_copy(update={"files": free})
    plan = ValidationPlan(seeds=1)
    free_lab = dataclasses.replace(lab, assignment=assignment)
    more = check_count(lab, plan) - check_count(free_lab, plan)
    assert more == 2
