"""Pictures in the documents are there, small, and made by the one script."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "pictures"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
IMAGE = re.compile(r"!\[([^\]]*)\]\(((?:docs/)?pictures/[^)\s]+\.png)\)")
MOST, MOST_IN_ALL = 150_000, 1_000_000  # bytes


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("pictures", ROOT / "docs" / "pictures.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look for what their annotations name
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        del sys.modules[spec.name]


def shown():
    """Return the pictures that documents show: page, words, file."""
    return [
        (page, words, (page.parent / target).resolve())
        for page in PAGES
        for words, target in IMAGE.findall(page.read_text(encoding="utf-8"))
    ]


def test_every_picture_is_there_and_made_by_the_script(script):
    assert {file.name for _, _, file in shown()} == set(script.SHOTS)
    for page, words, file in shown():
        assert file.is_file() and file.parent == FOLDER, f"{page.name}: {file.name}"
        assert len(words) > 10, f"{page.name}: say in words what {file.name} shows"


def test_nothing_else_lies_there_and_all_of_it_is_small(script):
    files = {file.name: file.stat().st_size for file in FOLDER.iterdir()}
    assert set(files) == set(script.SHOTS)
    assert max(files.values()) < MOST and sum(files.values()) < MOST_IN_ALL


def test_the_front_page_holds_a_transcript_of_grading(script):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = text[text.index(script.BEGIN) : text.index(script.END)]
    assert f"$ grader run --assignment {script.LAB} submissions/" in block
    assert all(f"{name}.zip" in block for name in ("ada", "emmy", "grace"))
