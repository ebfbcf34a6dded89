"""How what a manifest names may be called: slugs, item ids, paths, libraries, functions, data."""

from __future__ import annotations

import re
from decimal import Decimal
from keyword import iskeyword
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from grader.lab.operators import full_name

_DATA_FOLDER = r"[a-z0-9][a-z0-9._-]{0,59}"


def _named(pattern: str, rule: str) -> BeforeValidator:
    """Check a name against a pattern; `rule` is the pattern in words."""

    def check(value: object) -> object:
        if isinstance(value, str) and not re.fullmatch(pattern, value):
            raise ValueError(rule)
        return value

    return BeforeValidator(check)


def _path(value: str) -> str:
    """Let pass only paths that mean the same on every system."""
    path = PurePosixPath(value)
    if (
        not path.parts
        or path.is_absolute()
        or ".." in path.parts
        or "\\" in value
        or str(path) != value
    ):
        raise ValueError("write a relative path with forward slashes and without '..'")
    if not all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", part) for part in path.parts):
        raise ValueError("use only letters, digits, '_', '-' and '.' in file and folder names")
    if path.suffix == ".py" and not all(map(_is_name, path.with_suffix("").parts)):
        raise ValueError("Python cannot import this path; use names such as 'fnn/layers.py'")
    return value


def _library(value: str) -> str:
    if not _is_name(value):
        raise ValueError("write a library's import name, such as 'torch'")
    return value


def _dotted(value: str) -> str:
    """Let pass a name as ``import`` and dots would reach it; shorthands are no names."""
    meant = full_name(value)
    if meant is not None:
        raise ValueError(f"write the full name; did you mean {meant!r}?")
    parts = value.split(".")
    if len(parts) < 2 or not all(map(_is_name, parts)):
        raise ValueError("write a full dotted name, such as 'torch.nn.functional.conv2d'")
    return value


def is_data_folder(value: object) -> bool:
    """Tell whether a value may name a folder below the data directory."""
    return isinstance(value, str) and re.fullmatch(_DATA_FOLDER, value) is not None


def _is_name(value: str) -> bool:
    return value.isascii() and value.isidentifier() and not iskeyword(value)


Slug = Annotated[
    str,
    _named(
        r"[a-z][a-z0-9_]{0,39}",
        "use lower-case letters, digits and '_', a letter first, at most 40 characters",
    ),
]
ItemId = Annotated[
    str,
    _named(
        r"[a-z][a-z0-9-]{0,59}",
        "use lower-case letters, digits and '-', a letter first, at most 60 characters",
    ),
]
DataFolder = Annotated[
    str,
    _named(
        _DATA_FOLDER,
        "write a folder's name, such as 'planetoid': lower-case letters, digits, '.', '_' and '-'",
    ),
]
Points = Annotated[Decimal, Field(ge=0, le=1000, max_digits=7, decimal_places=3)]
FilePath = Annotated[str, AfterValidator(_path)]
Library = Annotated[str, AfterValidator(_library)]
DottedName = Annotated[str, AfterValidator(_dotted)]
