"""The manifest of an assignment: its parts, points, files and limits, and nothing about dates.

An ``assignment.toml`` is the one home of points, rubric items, submitted files and limits.
Dates, attempts and weights belong to an offering, in the portal's database.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from grader.errors import ManifestError, ManifestProblem

MANIFEST_NAME = "assignment.toml"

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
ItemId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,59}$")]
Points = Annotated[Decimal, Field(ge=0, le=1000, max_digits=7, decimal_places=3)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _relative_posix(value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or "\\" in value or str(path) != value:
        raise ValueError("write a relative path with forward slashes and without '..'")
    return value


class Limits(_Strict):
    """What one submission may spend. CPU is counted, not wall time: machines are noisy."""

    cpu_seconds: float = Field(gt=0, le=86_400, description="all tests of one run together")
    test_cpu_seconds: float = Field(10, gt=0, le=86_400, description="one test, unless it says more")
    import_cpu_seconds: float = Field(10, gt=0, le=600, description="importing the submission")
    memory_mb: int = Field(2048, ge=128, le=1_048_576)
    upload_mb: float = Field(20, gt=0, le=1024, description="the upload after unpacking")


class RubricItem(_Strict):
    """A line of the rubric. Tests name the item they serve; points live here alone."""

    id: ItemId
    title: str = Field(min_length=1)
    title_zh: str = ""
    points: Points
    manual: bool = Field(False, description="marked by a person; no test may serve it")
    all_or_nothing: bool = False
    bonus: bool = Field(False, description="adds to the score, not to the maximum")


class Part(_Strict):
    """A group of rubric items that share what student code may import."""

    id: ItemId
    title: str = Field(min_length=1)
    title_zh: str = ""
    without: tuple[str, ...] = Field((), description="libraries hidden from this part's sandbox")
    items: tuple[RubricItem, ...] = Field(min_length=1)

    @property
    def points(self) -> Decimal:
        """The part's maximum, bonus items left out."""
        return sum((item.points for item in self.items if not item.bonus), Decimal(0))


class SubmittedFile(_Strict):
    """A file the student hands in."""

    path: str
    title: str = ""
    required: bool = True
    without: tuple[str, ...] = Field((), description="libraries this file must work without")

    _path = field_validator("path")(_relative_posix)

    @property
    def module(self) -> str | None:
        """Dotted module name of a Python file (``fnn/layers.py`` -> ``fnn.layers``), else None."""
        if not self.path.endswith(".py"):
            return None
        return self.path.removesuffix(".py").replace("/", ".")


class GivenFile(_Strict):
    """A file of ours: the student's copy of it is replaced before grading."""

    path: str

    _path = field_validator("path")(_relative_posix)


class Assignment(_Strict):
    """A validated manifest together with the folder it came from."""

    schema_version: Literal[1] = Field(alias="schema")
    slug: Slug
    title: str = Field(min_length=1)
    title_zh: str = ""
    summary: str = ""
    limits: Limits
    parts: tuple[Part, ...] = Field(min_length=1)
    files: tuple[SubmittedFile, ...] = Field(min_length=1)
    given: tuple[GivenFile, ...] = ()
    variants: dict[Slug, dict[str, str | int | float | bool | list[float]]] = Field(
        default_factory=dict, description="named settings that a term chooses from"
    )
    default_variant: Slug | None = None
    folder: Path = Field(exclude=True)

    @property
    def items(self) -> tuple[RubricItem, ...]:
        """Every rubric item in the manifest's order."""
        return tuple(item for part in self.parts for item in part.items)

    @property
    def max_score(self) -> Decimal:
        """What a perfect submission earns, hand-marked items included, bonus left out."""
        return sum((part.points for part in self.parts), Decimal(0))

    def part_of(self, item_id: str) -> Part:
        """Return the part that holds a rubric item; KeyError if no part does."""
        for part in self.parts:
            if any(item.id == item_id for item in part.items):
                return part
        raise KeyError(item_id)

    def item(self, item_id: str) -> RubricItem:
        """Return a rubric item by id; KeyError if there is none."""
        for item in self.items:
            if item.id == item_id:
                return item
        raise KeyError(item_id)

    def variant(self, name: str | None) -> dict[str, Any]:
        """Return a variant's settings (the default's if `name` is None); KeyError if unknown."""
        chosen = name or self.default_variant
        return dict(self.variants[chosen]) if chosen else {}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _no_doubles("parts", (part.id for part in self.parts))
        _no_doubles("items", (item.id for item in self.items))
        _no_doubles("files", (file.path for file in self.files))
        both = {file.path for file in self.files} & {file.path for file in self.given}
        if both:
            raise ValueError(f"given: {sorted(both)[0]!r} is also a submitted file; keep one")
        if self.variants and self.default_variant not in self.variants:
            raise ValueError(f"default_variant: name one of {sorted(self.variants)}")
        keys = {frozenset(settings) for settings in self.variants.values()}
        if len(keys) > 1:
            raise ValueError("variants: give every variant the same keys")
        return self


def _no_doubles(what: str, names: Any) -> None:
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        raise ValueError(f"{what}: {doubled[0]!r} stands twice; give each its own name")


def load_assignment(folder: Path) -> Assignment:
    """Read and check ``folder/assignment.toml``.

    Raises ManifestError with every mistake found, each naming file, key and mend.
    """
    file = folder / MANIFEST_NAME
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ManifestError([ManifestProblem(file, "", "is missing; write one")]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ManifestError([ManifestProblem(file, "", f"is not valid TOML: {error}")]) from None
    try:
        assignment = Assignment.model_validate({**data, "folder": folder})
    except ValidationError as error:
        raise ManifestError(_problems(file, error)) from None
    problems = _against_folder(file, assignment)
    if problems:
        raise ManifestError(problems)
    return assignment


def _problems(file: Path, error: ValidationError) -> list[ManifestProblem]:
    found = []
    for detail in error.errors(include_url=False, include_context=False):
        key = ".".join(str(step) for step in detail["loc"])
        message = re.sub(r"^Value error, ", "", detail["msg"])
        if detail["type"] == "extra_forbidden":
            message = "is not a key of the manifest; remove it or mend its spelling"
        elif detail["type"] == "missing":
            message = "is missing; add it"
        found.append(ManifestProblem(file, key, message))
    return found


def _against_folder(file: Path, assignment: Assignment) -> list[ManifestProblem]:
    """Check what only the folder can tell: its name, and that every named file is there."""
    problems = []
    if assignment.slug != assignment.folder.name:
        problems.append(
            ManifestProblem(file, "slug", f"must equal the folder's name, {assignment.folder.name!r}")
        )
    for index, given in enumerate(assignment.given):
        if not (assignment.folder / given.path).is_file():
            problems.append(
                ManifestProblem(file, f"given.{index}.path", f"no file {given.path!r} beside it; add it")
            )
    return problems
