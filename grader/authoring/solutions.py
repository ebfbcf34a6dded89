"""Submissions made from a lab itself: reference, skeleton, and answers of the wrong kind."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from grader.authoring.variants import of_variant
from grader.errors import GradingError
from grader.intake.own import is_own, package_of
from grader.intake.submission import AcceptedFile, Submission
from grader.lab.catalogue import Lab
from grader.lab.manifest import Assignment

# What a hurried or hostile student returns instead of an answer, as an expression.
_ODD_VALUES = {
    "none": "None",
    "text": "'0'",
    "empty": "__import__('numpy').empty((0, 1))",
    "nan": "float('nan')",
    "zero": "0",
    "true": "True",
    "list": "[]",
    "dict": "{}",
    "object": "object()",
    "agreeable": "Agreeable()",
}
_ODD_MODULE = '''
class Agreeable:
    """Equal to everything, true, and every attribute of it is callable."""

    def __eq__(self, other):
        return True

    __hash__ = object.__hash__

    def __call__(self, *args, **kwargs):
        return self

    def __getattr__(self, name):
        return self


def _answer(*args, **kwargs):
    return {value}


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return _answer
'''


def reference_submission(lab: Lab, variant: str | None = None) -> Submission:
    """Return the model solution of a variant as a student would hand it in."""
    if lab.reference is None:
        raise GradingError(f"{lab.assignment.slug}: no reference here")
    plain = _collect(lab, "reference", lab.reference, strip=True)
    own = own_files(lab.assignment, lab.reference)
    every = [*plain.files, *(AcceptedFile(path, file.read_bytes()) for path, file in own.items())]
    plain = Submission(plain.name, tuple(sorted(every, key=lambda file: file.path)))
    return of_variant(lab, plain, variant)


def own_files(assignment: Assignment, reference: Path) -> dict[str, Path]:
    """Return the reference's own modules by path: those beside the files that are asked for."""
    package = package_of(assignment)
    files = {f"{package}/{file.name}": file for file in sorted(reference.glob("*.py"))}
    return {path: file for path, file in files.items() if package and is_own(path, assignment)}


def skeleton_submission(lab: Lab) -> Submission:
    """Return the untouched skeleton."""
    return _collect(lab, "skeleton", lab.public, strip=False)


def _collect(lab: Lab, name: str, folder: Path, *, strip: bool) -> Submission:
    """Gather the manifest's files; `strip` drops the package folder, which a reference lacks."""
    files = []
    for entry in lab.assignment.files:
        path = PurePosixPath(entry.path)
        source = folder / (path.name if strip else path)
        if source.is_file():
            files.append(AcceptedFile(entry.path, source.read_bytes()))
        elif entry.required:
            raise GradingError(f"the {name} of {lab.assignment.slug} lacks {source}")
    return Submission(name, tuple(sorted(files, key=lambda file: file.path)))


def odd_submissions(lab: Lab) -> list[Submission]:
    """Return submissions whose every function gives one value of the wrong kind.

    None of them may earn a point, and none may stop the suite: a suite that trips over an odd
    value turns a student's mistake into a fault of ours.
    """
    paths = [entry.path for entry in lab.assignment.files if entry.module]
    return [
        Submission(
            f"returns-{name}",
            tuple(
                AcceptedFile(path, _ODD_MODULE.replace("{value}", value).encode())
                for path in sorted(paths)
            ),
        )
        for name, value in _ODD_VALUES.items()
    ]
