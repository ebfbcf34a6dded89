"""Installed packages that bring data: a Python package, or one of the system's.

``[packages.NAME]`` in a manifest says which package has the files of the data folder NAME, for
machines on which no folder of that name was made. Its files are read where they lie; no code of a
package is imported.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path, PurePosixPath
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from grader.lab.naming import Library


class DataPackage(BaseModel):
    """A package that brings the files of one data folder."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    install: str = Field(min_length=1, description="the command that installs it")
    folder: str = Field(description="its files: below the Python package, else on this machine")
    module: Library | None = Field(None, description="as Python finds it; None: the system's")

    @model_validator(mode="after")
    def _folder_fits(self) -> Self:
        path = PurePosixPath(self.folder)
        if ".." in path.parts or path.is_absolute() == bool(self.module):
            raise ValueError(
                "folder lies below the module, such as 'data/files'; without a module it is a "
                "whole path, such as '/usr/share/datasets/faces'"
            )
        return self

    def place(self) -> Path | None:
        """Return the folder of its files, None if it is not installed here."""
        if self.module is None:
            return _if_folder(Path(self.folder))
        spec = importlib.util.find_spec(self.module)  # of a top-level name: it runs nothing
        parts = (spec and spec.submodule_search_locations) or []
        places = (_if_folder(Path(part) / self.folder) for part in parts)
        return next(filter(None, places), None)


def _if_folder(path: Path) -> Path | None:
    return path if path.is_dir() else None
