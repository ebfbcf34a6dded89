"""A notebook's bytes as cells, whatever the bytes are. Nothing of it runs.

Outputs and all metadata but the tags are dropped before anything of ours looks at the notebook,
and a fresh one is built from the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import nbformat

from grader.errors import Rejected
from grader.intake.limited import run_limited
from grader.text import megabytes

MOST_CELLS = 2000  # checking one costs more than its bytes say; nobody writes so many
SAVE_AGAIN = "Open it in Jupyter, save it (Ctrl+S) and upload the saved file"

# Keeps of a notebook what grading needs, as a notebook of format 4.4. Runs in the limited child,
# since JSON nested deep or made of millions of tiny lists costs far more memory than its bytes.
_SLIM = (
    f"MOST_CELLS = {MOST_CELLS}"
    """
import json, sys
book = json.loads(sys.stdin.buffer.read().decode("utf-8-sig"))
version = int(book["nbformat"])
sheets = [book] if version > 3 else book["worksheets"]
def text(value):
    return "".join(value) if isinstance(value, list) else str(value)
def slim(cell):
    tags = (cell.get("metadata") or {}).get("tags") or []
    tags = [tag for tag in tags if isinstance(tag, str) and tag and "," not in tag]
    kept = {"metadata": {"tags": sorted(set(tags))}}
    kept["source"] = text(cell.get("source", cell.get("input", "")))
    if cell["cell_type"] == "code":
        return {**kept, "cell_type": "code", "outputs": [], "execution_count": None}
    return {**kept, "cell_type": "raw"}
cells = [slim(cell) for sheet in sheets for cell in sheet["cells"]][:MOST_CELLS + 1]
if not 2 <= version <= 4:
    cells = None
json.dump({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}, sys.stdout)
"""
)


@dataclass(frozen=True)
class NotebookCell:
    """A cell that is not blank: its place among all cells (from 1), its text and its tags."""

    number: int
    source: str
    tags: tuple[str, ...]
    is_code: bool


def read_cells(label: str, data: bytes, limit: int) -> list[NotebookCell]:
    """Return a notebook's cells; `limit` caps it in bytes. Raises Rejected if it cannot be read."""
    return [
        NotebookCell(
            number,
            cell.source.replace("\r\n", "\n"),
            tuple(cell.metadata.get("tags", ())),
            cell.cell_type == "code",
        )
        for number, cell in enumerate(_slim_notebook(label, data, limit).cells, start=1)
        if cell.source.strip()
    ]


def _slim_notebook(label: str, data: bytes, limit: int) -> nbformat.NotebookNode:
    """Read any notebook into a small, fresh one of code and text cells."""
    if len(data) > limit:
        raise Rejected(
            [
                f"{label} has {megabytes(len(data))}; the limit is {megabytes(limit)}. Clear its "
                f"outputs (Kernel > Restart and Clear All Outputs), save and upload again."
            ]
        )
    if not data.strip():
        raise Rejected([f"{label} is empty: nothing was saved in it. {SAVE_AGAIN}."])
    answer = run_limited(_SLIM, data)
    if answer is None:
        raise Rejected([f"{label} is damaged or is not a notebook. {SAVE_AGAIN}."])
    try:
        notebook: nbformat.NotebookNode = nbformat.reads(  # type: ignore[no-untyped-call]
            answer.decode(), as_version=4
        )
    except Exception:  # a hostile text through a library whose exceptions are no closed set
        raise Rejected([f"{label} is of a format that is not known here. {SAVE_AGAIN}."]) from None
    if len(notebook.cells) > MOST_CELLS:
        raise Rejected(
            [f"{label} has more than {MOST_CELLS:,} cells. Hand in only the cells of the lab."]
        )
    return notebook
