"""Hostile uploads, one row each: what is sent, and whether it is refused or taken safely.

The rows stand in `archives.py` and `contents.py`; this file loads them by path, since the tests
are no package.
"""

import importlib.util
import sys
from pathlib import Path


def _load(name):
    path = Path(__file__).with_name(f"{name}.py")
    spec = importlib.util.spec_from_file_location(f"upload_{name}", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and the other tables look it up
    spec.loader.exec_module(module)
    return module


craft = _load("craft")
row = _load("row")
archives = _load("archives")
contents = _load("contents")
folders = _load("folders")

ROWS = (
    *archives.PATHS,
    *archives.KINDS,
    *archives.BOMBS,
    *archives.FORMAT,
    *contents.NOTEBOOKS,
    *contents.MAGICS,
    *contents.SHADOWS,
    *contents.SENT,
)
FOLDERS = folders.FOLDERS
MARKER = row.MARKER
