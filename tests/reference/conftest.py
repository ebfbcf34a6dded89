"""The staff's half of every lab, loaded as the package it is."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

HOME = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def fnn() -> SimpleNamespace:
    """The modules of the fnn reference by name."""
    folder = HOME / "reference" / "fnn"
    spec = importlib.util.spec_from_file_location(
        "reference_of_fnn", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules["reference_of_fnn"] = package
    spec.loader.exec_module(package)
    names = ("layers", "optim", "model", "study")
    return SimpleNamespace(
        **{name: importlib.import_module(f"reference_of_fnn.{name}") for name in names}
    )
