"""The page for authors names every key, mark, fixture and helper that there is."""

import re
from pathlib import Path

import pytest
from _pytest.fixtures import FixtureFunctionDefinition

import grader.suite
from grader.grading.harness import fixtures
from grader.grading.harness.marks import MARKERS
from grader.lab import manifest as assignment
from grader.lab.bars import Bar
from grader.lab.competition import CompetitionRules

PAGE = (Path(__file__).parents[2] / "docs" / "authoring.md").read_text("utf-8")
CODE = re.findall(r"```.*?```|`[^`]+`", PAGE, re.DOTALL)
WORDS = {word for code in CODE for word in re.findall(r"\w+", code)}

MODELS = (
    assignment.Assignment,
    assignment.Limits,
    assignment.SubmittedFile,
    assignment.GivenFile,
    assignment.Part,
    assignment.RubricItem,
    CompetitionRules,
    Bar,
)
KEYS = {field.alias or name for model in MODELS for name, field in model.model_fields.items()}
FIXTURES = {
    name for name, value in vars(fixtures).items() if isinstance(value, FixtureFunctionDefinition)
}


@pytest.mark.parametrize("key", sorted(KEYS - {"folder"}))
def test_every_key_of_manifests_and_bars_is_explained(key):
    assert key in WORDS


@pytest.mark.parametrize("fixture", sorted(FIXTURES - {"suite_run"}))
def test_every_fixture_is_explained(fixture):
    assert f"| `{fixture}`" in PAGE or f"`{fixture}`, `" in PAGE or f", `{fixture}` |" in PAGE


@pytest.mark.parametrize("mark", [re.match(r"\w+", line)[0] for line in MARKERS])
def test_every_mark_is_explained(mark):
    assert f"| `{mark}(" in PAGE


@pytest.mark.parametrize("helper", sorted(grader.suite.__all__))
def test_every_helper_is_explained(helper):
    assert helper in WORDS
