"""Wrong solutions: the reference with one line changed, and the test that must notice.

A mutant is a TOML file in ``reference/<slug>/mutants/``::

    title = "softmax subtracts no maximum"
    loses = "test_layers.py::test_softmax_survives_large_logits"

    [[replace]]
    file = "fnn/layers.py"
    old = "z - z.max(axis=-1, keepdims=True)"
    new = "z"

`old` must stand exactly once in the reference's file. `loses` may be a list: all of them.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from grader.errors import ManifestError, ManifestProblem
from grader.intake.submission import AcceptedFile, Submission
from grader.lab.catalogue import Lab


class Replacement(BaseModel):
    """One change to one file of the reference."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    old: str = Field(min_length=1)
    new: str


class ReferenceEdit(BaseModel):
    """The reference with some of its text replaced."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str = Field(min_length=1)
    replace: tuple[Replacement, ...] = Field(min_length=1)

    def apply(self, reference: Submission) -> Submission:
        """Return the reference with the replacements made.

        Raises ValueError if a replaced text does not stand exactly once in its file.
        """
        contents = {file.path: file.content for file in reference.files}
        for change in self.replace:
            old, new = change.old.encode(), change.new.encode()
            count = contents.get(change.file, b"").count(old)
            if count != 1:
                raise ValueError(
                    f"{self.name}: its text stands {count} times in {change.file}, not once"
                )
            contents[change.file] = contents[change.file].replace(old, new)
        files = tuple(AcceptedFile(path, content) for path, content in contents.items())
        return Submission(self.name, files)


class WrongSolution(ReferenceEdit):
    """An edit that makes the reference wrong."""


class Mutant(WrongSolution):
    """A wrong solution and the tests it must lose."""

    loses: tuple[str, ...] = Field(min_length=1)

    @field_validator("loses", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value


AnyEdit = TypeVar("AnyEdit", bound=ReferenceEdit)
Kind = TypeVar("Kind", bound=WrongSolution)


def load_mutants(lab: Lab) -> list[Mutant]:
    """Read a lab's mutants, by name; ManifestError lists every file that is wrong."""
    return load_wrong(lab.mutants, Mutant)


def load_wrong(folder: Path | None, kind: type[Kind]) -> list[Kind]:
    """Read the wrong solutions of a folder, by name; as `load_mutants`."""
    solutions, problems = [], []
    for file in sorted(folder.glob("*.toml")) if folder else []:
        try:
            solutions.append(load_edit(file, kind))
        except ManifestError as error:
            problems += error.problems
    if problems:
        raise ManifestError(problems)
    return solutions


def load_edit(file: Path, kind: type[AnyEdit]) -> AnyEdit:
    """Read one edit of the reference; ManifestError says what is wrong with its file."""
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
        return kind.model_validate({"name": file.stem, **data})
    except tomllib.TOMLDecodeError as error:
        raise ManifestError([ManifestProblem(file, "", f"is not valid TOML: {error}")]) from None
    except ValidationError as error:
        raise ManifestError(
            [
                ManifestProblem(file, ".".join(map(str, detail["loc"])), detail["msg"])
                for detail in error.errors(include_url=False)
            ]
        ) from None
