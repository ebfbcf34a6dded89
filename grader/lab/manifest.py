"""The manifest of an assignment: its parts, points, files and limits, and nothing about dates.

An ``assignment.toml`` is the one home of points, rubric items, submitted files and limits.
Dates, attempts and weights belong to an offering, in the portal's database.

Real data that a suite reads are named as folders below the data directory (`grader.lab.data` says
where that is): ``data = ["planetoid"]`` at the top for what every run reads, and ``needs`` in a
variant's table for what only runs of that variant read::

    [variants.cora]
    dataset = "cora"
    needs = ["planetoid"]

    [variants.synthetic]
    dataset = "synthetic-cora"

A machine that lacks a folder can run the variants that do without it. Where a package brings the
files of a folder, ``[packages.FOLDER]`` says which (`grader.lab.packages`).
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
)
from pydantic_core import ErrorDetails

from grader.errors import ManifestError, ManifestProblem
from grader.lab.competition import CompetitionRules
from grader.lab.given import given_file
from grader.lab.naming import (
    DataFolder,
    DottedName,
    FilePath,
    ItemId,
    Library,
    Points,
    Slug,
    is_data_folder,
)
from grader.lab.packages import DataPackage
from grader.lab.table import Column

MANIFEST_NAME = "assignment.toml"
NEEDS = "needs"  # the key of a variant that names data folders and is no setting


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


WALL_PER_CPU_SECOND = 4  # on a busy machine; what passes beyond that is waiting
IDLE_SECONDS = 600.0  # of waiting, in all tests and imports of a run together


class Limits(_Strict):
    """What one submission may spend. CPU is counted, not wall time: machines are noisy."""

    cpu_seconds: float = Field(gt=0, le=86_400, description="all tests of one run together")
    test_cpu_seconds: float = Field(10, gt=0, le=86_400, description="one test by default")
    import_cpu_seconds: float = Field(10, gt=0, le=600, description="importing the submission")
    judging_cpu_seconds: float = Field(
        30, gt=0, le=3_600, description="the suite's own work on one test"
    )
    memory_mb: int = Field(2048, ge=128, le=1_048_576)
    upload_mb: float = Field(20, gt=0, le=1024, description="the upload after unpacking")

    @property
    def longest_hold_seconds(self) -> float:
        """Wall time after which no test of a run is given any more: how long it holds a worker.

        On a machine that everybody computes on, code gets a part of the time that passes.
        """
        return WALL_PER_CPU_SECOND * self.cpu_seconds + IDLE_SECONDS


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
    without: tuple[Library, ...] = Field((), description="libraries hidden from its sandbox")
    items: tuple[RubricItem, ...] = Field(min_length=1)

    @property
    def points(self) -> Decimal:
        """The part's maximum, bonus items left out."""
        return sum((item.points for item in self.items if not item.bonus), Decimal(0))


class SubmittedFile(_Strict):
    """A file the student hands in."""

    path: FilePath
    title: str = ""
    required: bool = True
    without: tuple[Library, ...] = Field((), description="libraries this file must work without")
    from_scratch: tuple[DottedName, ...] = Field(
        (), description="what must not do this file's work; its use is shown to staff"
    )
    columns: dict[str, Column] = Field(
        default_factory=dict, description="of a CSV file: what stands in each, in their order"
    )

    @property
    def module(self) -> str | None:
        """Dotted module name of a Python file (``fnn/layers.py`` -> ``fnn.layers``), else None."""
        if not self.path.endswith(".py"):
            return None
        return self.path.removesuffix(".py").replace("/", ".")


class GivenFile(_Strict):
    """A file of ours: the student's copy of it is replaced before grading."""

    path: FilePath


class Assignment(_Strict):
    """A validated manifest together with the folder it came from."""

    schema_version: Literal[1] = Field(alias="schema")
    slug: Slug
    title: str = Field(min_length=1)
    title_zh: str = ""
    summary: str = ""
    gpu: bool = Field(False, description="graded on a machine with a GPU, which tests may use")
    limits: Limits
    parts: tuple[Part, ...] = Field(min_length=1)
    files: tuple[SubmittedFile, ...] = Field(min_length=1)
    given: tuple[GivenFile, ...] = ()
    data: tuple[DataFolder, ...] = Field((), description="data folders that every run reads")
    packages: dict[DataFolder, DataPackage] = Field(
        default_factory=dict, description="of data folders: packages that bring their files"
    )
    variants: dict[Slug, dict[str, str | int | float | bool | list[float] | list[str]]] = Field(
        default_factory=dict, description="named settings that a term chooses from"
    )
    default_variant: Slug | None = None
    competition: CompetitionRules | None = Field(None, description="scored by rank, not by tests")
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
        settings = self.variants[chosen] if chosen else {}
        return {key: value for key, value in settings.items() if key != NEEDS}

    def data_of(self, name: str | None) -> tuple[str, ...]:
        """Return the data folders a run of a variant reads, sorted; `name` as for `variant`."""
        chosen = name or self.default_variant
        needs: Any = self.variants[chosen].get(NEEDS, ()) if chosen else ()
        return tuple(sorted({*self.data, *needs}))


def load_assignment(folder: Path, *, released: bool = True) -> Assignment:
    """Read and check ``folder/assignment.toml``.

    A lab that is still to be `released` may lack the given files that its release copies.
    Raises ManifestError with every mistake found, each naming file, key and mend.
    """
    file = folder / MANIFEST_NAME
    try:
        assignment = Assignment.model_validate({**_read(file), "folder": folder})
    except ValidationError as error:
        raise ManifestError(_problems(file, error)) from None
    found = [*_consistency(assignment), *_against_folder(assignment, released)]
    if found:
        raise ManifestError([ManifestProblem(file, key, mend) for key, mend in found])
    return assignment


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        mend = "is missing; write one"
    except OSError as error:
        mend = f"cannot be read ({error.strerror}); make it a readable file"
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        mend = f"is not valid TOML: {error}"
    raise ManifestError([ManifestProblem(file, "", mend)])


_Found = Iterator[tuple[str, str]]  # pairs of key and mend


def _consistency(assignment: Assignment) -> _Found:
    """Check what no single key can tell."""
    yield from _doubled("parts", "id", [part.id for part in assignment.parts])
    yield from _doubled("parts.items", "id", [item.id for item in assignment.items])
    submitted = [file.path.casefold() for file in assignment.files]
    given = [file.path.casefold() for file in assignment.given]
    yield from _doubled("files", "path", submitted)
    yield from _doubled("given", "path", given)
    yield from _doubled("data", "folder", assignment.data)
    for path in sorted(set(submitted) & set(given)):
        yield "given", f"{path!r} is also a submitted file; keep it in one of the two lists"
    for index, file in enumerate(assignment.files):
        yield from _doubled(f"files.{index}.from_scratch", "name", file.from_scratch)
        if file.from_scratch and file.module is None:
            yield f"files.{index}.from_scratch", "only a Python file can have it; remove it"
        if file.columns and not file.path.endswith(".csv"):
            yield f"files.{index}.columns", "only a CSV file can have them; remove them"
    yield from _variants(assignment)
    yield from _packages(assignment)
    yield from _competition(assignment)


def _competition(assignment: Assignment) -> _Found:
    rules = assignment.competition
    if rules is None:
        return
    file = next((one for one in assignment.files if one.path == rules.file), None)
    if file is None:
        yield "competition.file", f"{rules.file!r} is no submitted file; list it in files"
    elif not rules.file.endswith(".csv"):
        yield "competition.file", "predictions are a CSV file; name one"
    source = next((one for one in assignment.files if one.path == rules.source), None)
    if rules.source is not None and (source is None or source.module is None):
        mend = f"{rules.source!r} is no submitted Python file; list it in files"
        yield "competition.source", mend


def _doubled(key: str, what: str, names: Sequence[str]) -> _Found:
    for name, count in Counter(names).items():
        if count > 1:
            yield key, f"the {what} {name!r} stands {count} times; give each its own"


def _variants(assignment: Assignment) -> _Found:
    names = sorted(assignment.variants)
    default = assignment.default_variant
    if names and default is None:
        yield "default_variant", f"is missing; name one of {', '.join(names)}"
    elif default is not None and default not in names:
        known = ", ".join(names) or "no variant is defined: add [variants.<name>] or remove this"
        yield "default_variant", f"there is no variant {default!r}; known: {known}"
    every = {key for settings in assignment.variants.values() for key in settings} - {NEEDS}
    for name in names:
        for key in sorted(every - assignment.variants[name].keys()):
            yield f"variants.{name}", f"lacks {key!r}, which another variant sets; add it here too"
        yield from _needs(f"variants.{name}.{NEEDS}", assignment.variants[name].get(NEEDS, []))


def _packages(assignment: Assignment) -> _Found:
    variants = assignment.variants.values()
    read = {*assignment.data, *(name for settings in variants for name in _list(settings, NEEDS))}
    for name in sorted(assignment.packages.keys() - read):
        mend = f"nothing reads {name!r}: name it in data or in a variant's {NEEDS}, or remove this"
        yield f"packages.{name}", mend


def _list(settings: Mapping[str, object], key: str) -> list[Any]:
    value = settings.get(key)
    return value if isinstance(value, list) else []


def _needs(key: str, value: object) -> _Found:
    if not isinstance(value, list) or not all(map(is_data_folder, value)):
        yield key, 'names data folders; write a list such as needs = ["planetoid"]'


def _against_folder(assignment: Assignment, released: bool) -> _Found:
    """Check what only the folder can tell: its name, and that every given file is there."""
    if assignment.slug != assignment.folder.name:
        yield "slug", f"must equal the folder's name, {assignment.folder.name!r}"
    for index, given in enumerate(assignment.given if released else ()):
        if not given_file(assignment.folder, given.path).is_file():
            mend = f"there is no file {given.path!r} here; run grader release, or add it"
            yield f"given.{index}.path", mend


# Where each model stands in the file, list positions and names left out: for "did you mean".
_MODEL_AT: dict[tuple[str, ...], type[BaseModel]] = {
    (): Assignment,
    ("limits",): Limits,
    ("files",): SubmittedFile,
    ("given",): GivenFile,
    ("parts",): Part,
    ("parts", "items"): RubricItem,
    ("competition",): CompetitionRules,
    ("packages",): DataPackage,
}

# What was expected, by the start of pydantic's error type.
_EXPECTED = {
    "int": "a whole number",
    "float": "a number",
    "decimal_parsing": "a number",
    "decimal_type": "a number",
    "string_type": "text in quotes",
    "bool": "true or false",
    "tuple_type": "a list in [brackets]",
    "dict_type": "a table",
    "model_type": "a table",
}

_VARIANT_VALUE = "expected text, a number, true or false, or a list of numbers or of texts"


def _problems(file: Path, error: ValidationError) -> list[ManifestProblem]:
    """Turn pydantic's errors into sentences; a union's alternatives count as one mistake."""
    found: dict[str, str] = {}
    for detail in error.errors(include_url=False):
        location = detail["loc"]
        if location[0] == "variants" and len(location) > 3:
            found[".".join(map(str, location[:3]))] = _VARIANT_VALUE
        else:
            found[".".join(map(str, location))] = _mend(detail)
    return [ManifestProblem(file, key, mend) for key, mend in found.items()]


def _mend(detail: ErrorDetails) -> str:
    """Say how to mend one mistake that pydantic found."""
    kind = detail["type"]
    if kind == "extra_forbidden":
        return _misspelt(detail["loc"])
    if kind == "missing":
        return "is missing; add it"
    if kind == "too_short":
        return "is empty; name at least one"
    for start, expected in _EXPECTED.items():
        if kind.startswith(start):
            return f"expected {expected}, got {_shown(detail['input'])}"
    message = detail["msg"].removeprefix("Value error, ").replace("Input should", "it should")
    return f"{_shown(detail['input'])} will not do: {message}"


def _misspelt(location: tuple[int | str, ...]) -> str:
    steps = tuple(step for step in location if isinstance(step, str))
    if steps[0] == "packages":  # whose next step is a folder's name
        steps = (steps[0], steps[-1])
    model = _MODEL_AT[steps[:-1]]
    keys = [field.alias or name for name, field in model.model_fields.items() if name != "folder"]
    near = get_close_matches(steps[-1], keys, n=1)
    if near:
        return f"is not a key of the manifest; did you mean {near[0]!r}?"
    return f"is not a key of the manifest; remove it, or use one of {', '.join(keys)}"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
