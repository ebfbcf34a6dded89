"""The notebook of a lab: the skeleton, one cell a file, each below what its handout says of it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from grader.intake.notebook import marks
from grader.lab.manifest import Assignment

_SET_UP = '''import re
import sys
from collections.abc import Sequence
from pathlib import Path

__package__ = "{slug}"  # lets a cell import its neighbours: from .{module} import ...
__name__ = "{slug}.notebook"  # not "__main__": cells define functions and run no script
sys.modules[__name__] = sys.modules["__main__"]  # where @dataclass looks for a cell's names

FILES = {files}

# The grader finds the cell of each file by these same lines.

{rule}


def python_of(cell: str) -> str:
    """Return a cell with its notebook commands turned into comments, as the grader does."""
    try:
        compile(cell, "cell", "exec")
    except SyntaxError:
        cell = re.sub(r"(?m)^(?=[!%])", "# ", cell)
        cell = re.sub(r"(?m)^([ \\t]+)(?=[!%])", r"\\1pass  # ", cell)
    return cell


def save_graded_cell(info) -> None:
    """Write a cell that begins with "# file: name.py" to that file."""
    mark = mark_of(info.raw_cell)
    name = mark["name"] if mark else ""
    path = path_of(name, FILES) or own_path(name, "{slug}")
    if path is None or ("%%" in mark[0] and name == path):
        return  # of no file, or %%writefile writes it itself
    text = info.raw_cell.replace(mark.string, "", 1).lstrip("\\n")
    Path(path).parent.mkdir(exist_ok=True)
    with open(path, "a" if appends(mark) else "w", encoding="utf-8") as file:
        file.write(python_of(text))


get_ipython().events.register("pre_run_cell", save_graded_cell)'''

_TESTS = """import subprocess
import sys

tests = [sys.executable, "-m", "pytest", "-q", {tests}]
print(subprocess.run(tests, capture_output=True, text=True).stdout)"""

_PREDICT = """from {slug}.files import write_predictions

write_predictions(predict)"""

_ITEM = re.compile(r"^(?:\d+\.|[-*]) +`([^`]+)`[:,]? *(.*)$")


def notebook_of(
    assignment: Assignment,
    handouts: Mapping[str, str],
    skeleton: Mapping[str, str],
    tests: list[str],
) -> str:
    """Return the notebook as JSON.

    `handouts` are the texts of README.md and, if there is one, README.zh.md; `skeleton` gives
    the modules by manifest path; `tests` names the files with public tests.
    """
    slug = assignment.slug
    descriptions = _descriptions(handouts["README.md"])
    modules = [path for path in skeleton if PurePosixPath(path).parent.name == slug]
    cells = [_text(_introduction(assignment, handouts))]
    if modules:
        cells.append(_code(_set_up(slug, modules)))
    titles = {file.path: file.title for file in assignment.files}
    for path in modules:
        text = skeleton[path].rstrip("\n")
        cells.append(_text(_section(path, descriptions.get(path) or titles[path], text)))
        cells.append(_code(f"# file: {PurePosixPath(path).name}\n{text}"))
    if assignment.competition:
        cells.append(_text(f"## {assignment.competition.file}\n\nTrain, predict, write the file."))
        cells.append(_code(_PREDICT.format(slug=slug)))
    if tests:
        cells.append(_text("## Public tests"))
        cells.append(_code(_TESTS.format(tests=", ".join(f'"{test}"' for test in tests))))
    return _as_json(slug, cells)


def _set_up(slug: str, modules: list[str]) -> str:
    """Return the cell that saves graded cells as files, by the rule of the grader itself."""
    first = PurePosixPath(modules[0]).stem
    return _SET_UP.format(slug=slug, module=first, files=json.dumps(modules), rule=_rule())


def _rule() -> str:
    """Return the text of the functions by which the grader reads marks."""
    source = Path(marks.__file__).read_text(encoding="utf-8")
    parts = [part for part in ast.parse(source).body if _name_of(part) in marks.RULE]
    return "\n\n\n".join(ast.get_source_segment(source, part) or "" for part in parts)


def _name_of(part: ast.stmt) -> str:
    target = part.targets[0] if isinstance(part, ast.Assign) else part
    return getattr(target, "name", "") or getattr(target, "id", "")


def _introduction(assignment: Assignment, handouts: Mapping[str, str]) -> str:
    slug = assignment.slug
    title = next(
        (line for line in handouts["README.md"].splitlines() if line.startswith("# ")),
        f"# {assignment.title}",
    )
    chinese = " (`README.zh.md` in Chinese)" if "README.zh.md" in handouts else ""
    if assignment.competition:
        return _introduction_to_competition(assignment, title, chinese)
    beside = [f"`{file.path}`" for file in assignment.files if file.module is None]
    together = f" together with {_listed(beside)} in a zip" if beside else ""
    return f"""{title}

The task, the conventions and the points stand in `README.md`{chinese}; this notebook is the same
skeleton as the folder `{slug}`, one cell a file. Write your code in the cells that start with
`# file:` and keep that first line. Everything else in the notebook is yours: only those cells are
graded. Hand in the notebook{together}.

Start Jupyter in the folder that holds this notebook. The next cell saves each graded cell as a
file in `{slug}/` when you run it, so that the cells can import one another and the public tests
work here as they do in the grader."""


def _introduction_to_competition(assignment: Assignment, title: str, chinese: str) -> str:
    slug = assignment.slug
    predictions = assignment.competition.file if assignment.competition else ""
    return f"""{title}

The task, the rules and the points stand in `README.md`{chinese}. Start Jupyter in the folder that
holds this notebook and, in `data/`, the term's data. The cells that start with `# file:` are the
files of `{slug}/`: the next cell saves each of them there when you run it. Make them yours, run
all cells, and hand in `{predictions}`; the source of your finals goes with it."""


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _section(path: str, description: str, text: str) -> str:
    rows = [f"## {path}"]
    if description:
        rows += ["", description[0].upper() + description[1:]]
    if '__name__ == "__main__"' in text:
        module = path.removesuffix(".py").replace("/", ".")
        script = f"`!python -m {module}` in a cell of your own"
        rows += ["", f"This cell defines functions and runs no script: {script} does."]
    return "\n".join(rows)


def _descriptions(readme: str) -> dict[str, str]:
    """Return what a handout's list says of each file: items that begin with its path."""
    found: dict[str, str] = {}
    current = ""
    for line in readme.splitlines():
        item = _ITEM.match(line)
        if item:
            current = item[1]
            found.setdefault(current, item[2])
        elif current and line.startswith("  ") and line.strip():
            found[current] += f"\n{line.strip()}"
        else:
            current = ""
    return found


def _text(source: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def _code(source: str) -> dict[str, Any]:
    empty: dict[str, Any] = {"execution_count": None, "outputs": []}
    return {"cell_type": "code", "metadata": {}, "source": source, **empty}


def _as_json(slug: str, cells: list[dict[str, Any]]) -> str:
    """Write a notebook as Jupyter does: keys sorted, a source as a list of lines."""
    numbered = [
        {**cell, "id": f"{slug}-{number}", "source": cell["source"].splitlines(keepends=True)}
        for number, cell in enumerate(cells)
    ]
    book = {
        "cells": numbered,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(book, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
