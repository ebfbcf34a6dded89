"""Notebooks, files that shadow ours, and what only a browser's form can send."""

import json

import upload_craft as craft
from upload_craft import GOOD, MATHS, NET, Member, archive, cell, good, graded, notebook
from upload_row import LEAK, MARKER, Upload, one_notebook

_SCRIPT = f"<script>document.title='{MARKER}'</script>"
_SVG = f"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><text>{MARKER}</text></svg>"


def _output(**data):
    """Return a cell's output of these media types."""
    return {"output_type": "display_data", "metadata": {}, "data": data}


def _shown(**data):
    """Return a notebook whose graded cells have such outputs."""
    return lambda: notebook(*graded(outputs=[_output(**data)]))


def _with(before):
    """Return a maker of a notebook with these lines before the graded code."""
    return lambda: notebook(*graded(before))


NOTEBOOKS = (
    one_notebook(
        "huge-output",
        "carries 1.5 MB of output",
        _shown(**{"text/plain": MARKER * 136_000}),
        "",
        taken=True,
    ),
    one_notebook(
        "too-huge-output",
        "carries more output than the lab takes",
        _shown(**{"text/plain": MARKER * 200_000}),
        "the limit is",
    ),
    one_notebook("html-output", "shows HTML", _shown(**{"text/html": _SCRIPT}), "", taken=True),
    one_notebook(
        "script-output",
        "shows JavaScript",
        _shown(**{"application/javascript": f"document.title='{MARKER}'"}),
        "",
        taken=True,
    ),
    one_notebook("svg-output", "shows SVG", _shown(**{"image/svg+xml": _SVG}), "", taken=True),
    one_notebook(
        "attachment",
        "carries a page as an attachment of a text cell",
        lambda: notebook(
            *graded(),
            {
                "cell_type": "markdown",
                "metadata": {},
                "source": f"![]({_SCRIPT})",
                "attachments": {"x.html": {"text/html": _SCRIPT}},
            },
        ),
        "",
        taken=True,
    ),
    one_notebook("not-json", "is no JSON", lambda: b"{" + LEAK, "is damaged or is not a notebook"),
    one_notebook(
        "deep-json",
        "is nested 500,000 deep",
        lambda: b'{"nbformat":4,"cells":' + b"[" * 500_000,
        "is damaged or is not a notebook",
    ),
    one_notebook(
        "deep-closed-json",
        "is nested 100,000 deep and sound",
        lambda: notebook(*graded())[:-1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "is damaged or is not a notebook",
    ),
    one_notebook(
        "long-number",
        "holds a number of a million digits",
        lambda: b'{"nbformat":' + b"9" * 1_000_000 + b"}",
        "is damaged or is not a notebook",
    ),
    one_notebook(
        "no-dictionary", "is a list", lambda: b"[1, 2]", "is damaged or is not a notebook"
    ),
    one_notebook(
        "nbformat-99",
        "says a version from the future",
        lambda: notebook(*graded(), nbformat=99),
        "save it (Ctrl+S)",
    ),
    one_notebook(
        "nbformat-1",
        "says a version before notebooks had cells",
        lambda: json.dumps({"nbformat": 1, "worksheets": [], "cells": []}).encode(),
        "save it (Ctrl+S)",
    ),
    one_notebook(
        "cell-flood",
        "holds 30,000 cells",
        lambda: notebook(*graded(), *[{"cell_type": "raw", "source": "", "metadata": {}}] * 30_000),
        "more than 2,000 cells",
    ),
    one_notebook(
        "marked-flood",
        "marks 1,000 cells for a file nobody asked for",
        lambda: notebook(*graded(), *[cell("# file: ../other.py")] * 1000),
        "990 more lines or cells like these",
        taken=True,
    ),
    one_notebook(
        "own-flood",
        "marks 1,000 cells for one module that nobody asked for",
        lambda: notebook(*graded(), *[cell(f"# file: other.py\n'{MARKER}'")] * 1000),
        "and 990 more are all marked as tiny/other.py",
        taken=True,
    ),
    one_notebook(
        "own-many",
        "marks 1,000 cells for as many modules that nobody asked for",
        lambda: notebook(*graded(), *[cell(f"# file: m{n}.py\n'{MARKER}'") for n in range(1000)]),
        "1,000 Python files beside those asked for",
        taken=True,
    ),
    one_notebook(
        "doubled-cells",
        "marks 1,000 cells for one file",
        lambda: notebook(*graded(), *[cell("# file: maths.py")] * 1000),
        "and 991 more are all marked",
    ),
    Upload(
        "notebook-flood",
        "holds 500 notebooks, each read by a process of its own",
        lambda _: [("hw.zip", archive(*(Member(f"{n}.ipynb", b"{}") for n in range(500))))],
        "at most 20 are read",
    ),
    one_notebook(
        "zip-as-notebook",
        "is a zip called notebook",
        lambda: archive(*good()),
        "is damaged or is not a notebook",
    ),
)

MAGICS = (
    one_notebook(
        "bash-magic",
        "runs a cell by %%bash",
        lambda: notebook(*graded(), cell(f"%%bash\necho {MARKER}")),
        "",
        taken=True,
    ),
    one_notebook(
        "shell-line",
        "runs a line by !",
        _with(f"!echo {MARKER[:6]}\n".encode()),
        "!echo",
        taken=True,
    ),
    one_notebook(
        "load-ext", "loads an extension", _with(b"%load_ext evil\n"), "'%load_ext evil'", taken=True
    ),
    one_notebook(
        "run-magic", "runs another file", _with(b"%run ../../x.py\n"), "'%run ../", taken=True
    ),
    one_notebook(
        "live-magics",
        "tells the converter to leave commands live",
        lambda: notebook(
            *graded(b"!id\n"),
            metadata={"jupytext": {"comment_magics": False, "text_representation": {}}},
        ),
        "'!id'",
        taken=True,
    ),
    one_notebook(
        "assigned-command", "assigns what ! prints", _with(b"x = !id\n"), "'x = !id'", taken=True
    ),
    one_notebook(
        "system-call",
        "calls the shell in plain Python, which runs in the sandbox alone",
        _with(b"import os\nos.system('touch pwned')\n"),
        "",
        taken=True,
    ),
    one_notebook(
        "ipython-system",
        "calls IPython's shell",
        _with(b"get_ipython().system('touch pwned')\n"),
        "",
        taken=True,
    ),
    one_notebook(
        "writefile-outside",
        "writes a file outside by %%writefile",
        lambda: notebook(*graded(), cell("%%writefile ../../pwned.py\nx = 1\n")),
        "",
        taken=True,
    ),
    one_notebook(
        "command-flood",
        "makes a notice of each of 100,000 lines",
        _with(b"!a\n" * 100_000),
        "99,990 more lines or cells like these",
        taken=True,
    ),
)


def _beside(name, tries, path, content=LEAK):
    """Return a row of the honest zip with a file beside ours, which is ignored by name."""
    return Upload(name, tries, lambda _: craft.zipped(Member(path, content)), path, taken=True)


SHADOWS = (
    _beside("conftest", "ships a conftest.py", "conftest.py"),
    _beside("conftest-inside", "ships a conftest.py in the package", "tiny/conftest.py"),
    _beside("test-inside", "ships a test in the package", "tiny/test_maths.py"),
    _beside("package-over-module", "hides a module by a package", "tiny/maths/__init__.py"),
    _beside("package-within-module", "hides a module by a folder", "tiny/maths/more.py"),
    _beside("pytest-ini", "ships a pytest.ini", "pytest.ini", b"[pytest]\naddopts = --co\n"),
    _beside("pyproject", "ships a pyproject.toml", "pyproject.toml"),
    _beside("sitecustomize", "ships a sitecustomize.py", "sitecustomize.py"),
    _beside("usercustomize", "ships a usercustomize.py", "usercustomize.py"),
    _beside("path-file", "ships a .pth, whose import lines run at start", "x.pth", b"import os\n"),
    _beside("numpy", "ships a package called numpy", "numpy/__init__.py"),
    _beside("torch", "ships a module called torch", "torch.py"),
    _beside("reference", "ships a module called reference", "reference.py"),
    _beside("shadowed-test", "ships a test of our test's name", "test_maths.py"),
    _beside("compiled", "ships compiled code for a graded file", "tiny/maths.cpython-311.pyc"),
    _beside("extension", "ships a shared library for a graded file", "tiny/maths.so"),
    Upload(
        "given-file",
        "changes a file the course gives",
        lambda _: craft.zipped(Member("tiny/__init__.py", LEAK)),
        "tiny/__init__.py is replaced by the course's",
        taken=True,
    ),
    Upload(
        "cached-bytecode",
        "hides compiled code in a cache folder",
        lambda _: craft.zipped(Member("tiny/__pycache__/maths.cpython-311.pyc", LEAK)),
        "files made by tools",
        taken=True,
    ),
)

SENT = (
    Upload(
        "same-name-twice",
        "sends one name twice in the form",
        lambda _: [*GOOD, ("notes.txt", b"1"), ("notes.txt", LEAK)],
        "",
        taken=True,
        in_portal="notes.txt was sent more than once. Keep one",
    ),
    Upload(
        "graded-name-twice",
        "sends two files for one graded name",
        lambda _: [*GOOD, ("old/tiny/maths.py", LEAK)],
        "Keep the one to be graded",
    ),
    Upload(
        "long-name",
        "sends a name of 70,000 characters, more than a zip can hold",
        lambda _: [*GOOD, ("n" * 70_000 + ".txt", LEAK)],
        "nnn",
        taken=True,
    ),
    Upload(
        "climbing-name",
        "sends a name that climbs out",
        lambda _: [("../../../tmp/pwned.py", LEAK), *GOOD],
        "tmp/pwned.py",
        taken=True,
    ),
    Upload(
        "hidden-ending",
        "sends a name that a NUL cuts to a graded one",
        lambda _: [("tiny/maths.py\0.txt", LEAK), ("tiny/net.py", NET)],
        "tiny/maths.py is missing",
    ),
    Upload(
        "turned-name",
        "sends a folder name with direction and terminal characters",
        lambda _: [("\u202e\x1b[2J/tiny/maths.py", MATHS), ("tiny/net.py", NET)],
        "",
        taken=True,
    ),
    Upload(
        "not-utf8",
        "sends Python in no known encoding",
        lambda _: [("maths.py", b"x = '\xff'\n" + LEAK), ("net.py", NET)],
        "not UTF-8",
    ),
    Upload(
        "other-encoding",
        "sends Python that reads as a comment and runs as code, by its encoding",
        lambda _: [("maths.py", b"# coding: utf-7\n#+AAo-import os\n" + MATHS), ("net.py", NET)],
        "written in 'utf-7'",
    ),
    Upload(
        "escaped-encoding",
        "sends Python whose comment holds an escaped line end, which its encoding turns into one",
        lambda _: [
            ("maths.py", b"# coding: raw-unicode-escape\n#\\u000aimport os\n" + MATHS),
            ("net.py", NET),
        ],
        "written in 'raw-unicode-escape'",
    ),
    Upload(
        "turned-source",
        "sends Python whose comment turns the order of what stands behind it",
        lambda _: [("maths.py", MATHS + "# \u202e\u2066 if staff\n".encode()), ("net.py", NET)],
        "cannot be seen (U+202E, U+2066)",
        taken=True,
    ),
    Upload(
        "deep-source",
        "sends Python nested until a parser breaks",
        lambda _: [("maths.py", b"x = " + b"-" * 400_000 + b"1\n"), ("net.py", NET)],
        "SyntaxError",
        taken=True,
    ),
    Upload(
        "long-source",
        "sends a Python file of 1.5 MB",
        lambda _: [("maths.py", b"#" * 1_500_000), ("net.py", NET)],
        "Take data and weights out of it",
    ),
    Upload(
        "nothing",
        "sends no file at all",
        lambda _: [("", b"")],
        "is missing. Add it",
        in_portal="Choose your files",
    ),
)
