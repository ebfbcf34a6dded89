"""Build the golden set: mixed submissions for the lab fnn, whose verdicts `expected.toml` gives.

    python tests/submissions/build.py OUTDIR
    grader run --assignment fnn OUTDIR

The set is made from the reference, so no copy of it is kept. Misbehaving submissions take the
reference's `layers.py` and leave the rest as in the skeleton: they differ in one function each.
So do the mutants, with the file that they change.
"""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import nbformat

from grader.authoring import Mutant, load_mutants, reference_submission, skeleton_submission
from grader.intake.submission import Submission
from grader.lab.catalogue import Catalogue, Lab, find_home

MUTANTS = (
    "softmax_overflows",
    "relu_grad_at_zero",
    "adam_without_bias_correction",
    "fnn_activates_output",
    "cross_entropy_sums",
)

# What is appended to the reference's layers.py: the last definition of a name counts. The loop is
# met by the logits of one test alone, four rows near 1000: each that meets it costs its whole
# limit. The flood comes once a process: some tests call softmax a thousand times.
BEHAVIOURS = {
    "import_crash": "\nraise RuntimeError('the data set is not on this machine')\n",
    "infinite_loop": """

_honest_softmax = softmax


def softmax(z):
    while len(z) == 4 and np.min(z) > 500:
        pass
    return _honest_softmax(z)
""",
    "huge_allocation": """


def softmax(z):
    return np.ones(10 * 2**30 // 8) * z.sum()
""",
    "output_flood": """

_honest_softmax = softmax
_megabytes = 50


def softmax(z):
    global _megabytes
    while _megabytes:
        print("x" * 1_000_000)
        _megabytes -= 1
    return _honest_softmax(z)
""",
    "os_exit": """


def softmax(z):
    import os

    os._exit(0)
""",
    "wrong_shapes": """

_honest_softmax = softmax


def softmax(z):
    return _honest_softmax(z)[..., None]
""",
    "nan": """


def softmax(z):
    return np.full_like(z, np.nan)
""",
}


def build(folder: Path, lab: Lab) -> None:
    """Write every submission of the set below `folder`, which must be empty or absent."""
    folder.mkdir(parents=True, exist_ok=True)
    reference, skeleton = reference_submission(lab), skeleton_submission(lab)
    _write(folder / "correct", reference)
    (folder / "correct_notebook.ipynb").write_bytes(_notebook(reference))
    (folder / "correct_zip.zip").write_bytes(_zip(reference))
    _write(folder / "skeleton", skeleton)
    for mutant in load_mutants(lab):
        if mutant.name in MUTANTS:
            _write(folder / f"mutant_{mutant.name}", _mutated(mutant, skeleton, reference))
    for name, code in BEHAVIOURS.items():
        _write(folder / name, _changed(skeleton, reference, lambda text, c=code: text + c))
    _broken(folder, skeleton, reference)
    _hostile_archives(folder, reference)


def _mutated(mutant: Mutant, skeleton: Submission, reference: Submission) -> Submission:
    """Return the skeleton with the mutant's changed files: whole, a run takes ten times longer."""
    changed = mutant.apply(reference)
    touched = {change.file for change in mutant.replace}
    files = tuple(
        mine if mine.path in touched else type(mine)(mine.path, blank)
        for mine in changed.files
        if (blank := skeleton.file(mine.path)) is not None
    )
    return Submission(mutant.name, files)


def _changed(base: Submission, reference: Submission, change: Callable[[str], str]) -> Submission:
    """Return `base` with the reference's layers.py, changed."""
    source = (reference.file("fnn/layers.py") or b"").decode()
    files = tuple(
        type(file)(file.path, change(source).encode()) if file.path == "fnn/layers.py" else file
        for file in base.files
    )
    return Submission(base.name, files)


def _broken(folder: Path, skeleton: Submission, reference: Submission) -> None:
    _write(
        folder / "syntax_error",
        _changed(skeleton, reference, lambda text: f"{text}\ndef broken(:\n    pass\n"),
    )
    _write(folder / "missing_file", reference)
    (folder / "missing_file" / "fnn" / "optim.py").unlink()
    _write(folder / "empty_file", _changed(skeleton, reference, lambda text: ""))


def _hostile_archives(folder: Path, reference: Submission) -> None:
    with zipfile.ZipFile(folder / "zip_bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        _add_all(bomb, reference)
        with bomb.open("fnn/data.bin", "w") as entry:
            for _ in range(300):
                entry.write(bytes(1_000_000))
    with zipfile.ZipFile(folder / "zip_slip.zip", "w") as slip:
        _add_all(slip, reference)
        slip.writestr("../../../zip_slip_marker.py", "print('written outside')\n")


def _write(folder: Path, submission: Submission) -> None:
    for file in submission.files:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)


def _zip(submission: Submission) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        _add_all(archive, submission)
    return buffer.getvalue()


def _add_all(archive: zipfile.ZipFile, submission: Submission) -> None:
    for file in submission.files:
        archive.writestr(file.path, file.content)


def _notebook(submission: Submission) -> bytes:
    """Return the modules as a notebook, one marked cell a file. Data files cannot ride along."""
    cells = [nbformat.v4.new_markdown_cell("My solution", id="title")]
    for number, file in enumerate(f for f in submission.files if f.path.endswith(".py")):
        source = f"# file: {file.path}\n{file.content.decode()}"
        cells.append(nbformat.v4.new_code_cell(source, id=f"cell-{number}"))
    return nbformat.writes(nbformat.v4.new_notebook(cells=cells)).encode()


def main() -> None:
    """Build the set in the folder the command line names."""
    if len(sys.argv) != 2:
        sys.exit("usage: python tests/submissions/build.py OUTDIR")
    folder = Path(sys.argv[1])
    if folder.exists() and any(folder.iterdir()):
        sys.exit(f"{folder} is not empty; name a new folder")
    build(folder, Catalogue(find_home()).get("fnn"))


if __name__ == "__main__":
    main()
