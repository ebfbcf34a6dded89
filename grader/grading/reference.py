"""Load the reference implementation by path; it is no installed package.

Data sets are shared by labs: ``reference/datasets`` is found beside the lab's own modules, so the
text ``from .datasets import load`` means the same here as in a lab's public package.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

from grader.errors import GradingError
from grader.lab.given import DATASETS
from grader.lab.manifest import Assignment


def load_reference(folder: Path, assignment: Assignment) -> SimpleNamespace:
    """Return the reference's modules by short name (``layers``, ``model``, ...).

    They are imported as a package ``reference_<slug>``, so that their relative imports work. If the
    course has data sets, their package is among them as ``datasets``.
    Raises GradingError if one of them cannot be imported: a fault of ours.
    """
    package = f"reference_{assignment.slug}"
    try:
        _import_package(package, folder)
        modules = {}
        for file in assignment.files:
            if file.module:
                short = file.module.rpartition(".")[2]
                modules[short] = importlib.import_module(f"{package}.{short}")
        if (folder.parent / DATASETS / "__init__.py").is_file():
            modules[DATASETS] = importlib.import_module(f"{package}.{DATASETS}")
    except Exception as error:
        raise GradingError(f"the reference in {folder} cannot be imported: {error!r}") from error
    return SimpleNamespace(**modules)


def reference_module(folder: Path, slug: str, name: str) -> ModuleType:
    """Import one module of a lab's staff's half as it now stands, with its relative imports.

    Raises GradingError if it cannot be imported: a fault of ours.
    """
    package = f"reference_{slug}"
    for known in [known for known in sys.modules if known.startswith(f"{package}.")]:
        del sys.modules[known]  # of another folder, or of an earlier text
    try:
        _import_package(package, folder)
        return importlib.import_module(f"{package}.{name}")
    except Exception as error:
        raise GradingError(f"{folder / name}.py cannot be imported: {error!r}") from error


def _import_package(name: str, folder: Path) -> None:
    spec = importlib.util.spec_from_file_location(
        name,
        folder / "__init__.py",
        submodule_search_locations=[str(folder), str(folder.parent)],
    )
    if spec is None or spec.loader is None:
        raise GradingError(f"{folder} holds no package")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
