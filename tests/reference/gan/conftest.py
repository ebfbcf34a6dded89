"""The reference of gan, loaded as the engine loads it: with the course's data sets beside it."""

import importlib
import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

FOLDER = Path(__file__).parents[3] / "reference" / "gan"
NAME = "reference_of_gan"


@pytest.fixture(scope="session")
def gan() -> SimpleNamespace:
    """The modules of the gan reference by name, and its data sets."""
    spec = importlib.util.spec_from_file_location(
        NAME,
        FOLDER / "__init__.py",
        submodule_search_locations=[str(FOLDER), str(FOLDER.parent)],
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = package
    spec.loader.exec_module(package)
    names = ("losses", "metrics", "model", "study", "draws", "features", "datasets")
    return SimpleNamespace(**{name: importlib.import_module(f"{NAME}.{name}") for name in names})


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
