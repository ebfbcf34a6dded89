"""Which versions of libraries a run is made with."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def library_version(name: str) -> str:
    """Return the installed version of a package."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
