"""Whether what a manifest asks to be written from scratch makes sense in the lab itself."""

from __future__ import annotations

import importlib
from difflib import get_close_matches

from grader.from_scratch import findings_in_file, findings_in_source, from_scratch_files
from grader.intake.submission import Submission
from grader.lab.catalogue import Lab
from grader.lab.given import given_file
from grader.lab.manifest import Assignment
from grader.report.explain import where

COMPUTED = "?"  # stands in a finding's name for what cannot be read in the text alone


def mistaken_names(assignment: Assignment) -> list[str]:
    """Say which names of ``from_scratch`` no installed library has; such a name finds nothing."""
    names = sorted({name for file in assignment.files for name in file.from_scratch})
    return [mistake for name in names if (mistake := _mistake(name))]


def own_findings(lab: Lab, reference: Submission) -> list[str]:
    """Say where the reference or a given file mentions what students are to do without.

    A given file may look modules up by a name that it computes: it is ours.
    """
    found = list(findings_in_source(lab.assignment, reference))
    every = sorted({name for file in from_scratch_files(lab.assignment) for name in file.forbidden})
    for given in lab.assignment.given:
        if given.path.endswith(".py"):
            content = given_file(lab.public, given.path).read_bytes()
            named = findings_in_file(given.path, content, every)
            found += [one for one in named if COMPUTED not in one.name]
    return [f"{where(one)} {one.name}" for one in found]


def _mistake(name: str) -> str:
    value, reached = None, ""
    for step in name.split("."):
        found = _step(value, reached, step)
        if found is None:
            near = get_close_matches(step, dir(value), n=1)
            meant = f"; did you mean {reached}.{near[0]}?" if near else ""
            return f"there is no {name}{meant}"
        value, reached = found, f"{reached}.{step}".lstrip(".")
    return ""


def _step(value: object, reached: str, step: str) -> object | None:
    """Return an attribute, or a module that has not been imported yet; None if neither is."""
    if value is not None and hasattr(value, step):
        found: object = getattr(value, step)
        return found
    try:
        return importlib.import_module(f"{reached}.{step}".lstrip("."))
    except ImportError:
        return None
