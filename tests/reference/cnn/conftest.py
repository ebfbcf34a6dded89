"""The modules of the cnn reference, and one thread: more make small networks slower."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

HOME = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def cnn() -> SimpleNamespace:
    """The modules of the cnn reference by name, and the data sets it loads."""
    folder = HOME / "reference" / "cnn"
    spec = importlib.util.spec_from_file_location(
        "reference_of_cnn",
        folder / "__init__.py",
        submodule_search_locations=[str(folder), str(folder.parent)],
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules["reference_of_cnn"] = package
    spec.loader.exec_module(package)
    names = ("layers", "model", "study", "datasets")
    return SimpleNamespace(
        **{name: importlib.import_module(f"reference_of_cnn.{name}") for name in names}
    )


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
