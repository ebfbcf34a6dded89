"""Claims about a lab's files that need no run."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

from grader.authoring.calibrate import unproven_bars
from grader.authoring.release import plan_release
from grader.authoring.release.skeleton import solution_blocks
from grader.authoring.solutions import reference_submission, skeleton_submission
from grader.authoring.validate.checks.finding import Finding
from grader.errors import ProctorError
from grader.from_scratch.lab_check import mistaken_names
from grader.lab.catalogue import Lab

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def names_exist(lab: Lab) -> Finding:
    """Check the names of ``from_scratch``."""
    return Finding.unless("every name in from_scratch exists", mistaken_names(lab.assignment))


def skeleton_is_generated(lab: Lab) -> Finding:
    """Check that the public folder is what the reference makes of it, and gives nothing away."""
    claim = "the skeleton, the notebook and the given files are as the reference makes them"
    try:
        release = plan_release(lab.public.parents[1], lab.assignment.slug)
    except ProctorError as error:
        return Finding(claim, False, str(error))
    return Finding.unless(claim, [*release.changes(), *release.leaks])


def bars_are_proven(lab: Lab) -> Finding:
    """Check that calibration bears out every bar of the suite."""
    claim = "every bar is proven: the reference misses it in at most 0.1 % of its runs"
    try:
        return Finding.unless(claim, unproven_bars(lab))
    except ProctorError as error:
        return Finding(claim, False, str(error))


def signatures_agree(lab: Lab) -> Finding:
    """Check that what students call and write has one signature in skeleton and reference."""
    claim = "skeleton and reference have the same functions, classes and parameters"
    try:
        problems = list(_disagreements(lab))
    except (ProctorError, SyntaxError) as error:
        problems = [str(error)]
    return Finding.unless(claim, problems)


def _disagreements(lab: Lab) -> Iterator[str]:
    skeleton = skeleton_submission(lab)
    for file in reference_submission(lab).files:
        given = skeleton.file(file.path)
        if not file.path.endswith(".py") or given is None:
            continue
        text = file.content.decode()
        blocks = solution_blocks(text, file.path)
        ours = _signatures(text)
        theirs = _signatures(given.decode())
        hidden = {
            name
            for name, one in ours.items()
            if any(block.begin < one.line < block.end for block in blocks)
        }
        for name in sorted(theirs.keys() - ours.keys()):
            yield f"{file.path}: the reference has no {name}"
        for name in sorted(ours.keys() - theirs.keys() - hidden):
            yield f"{file.path}: the skeleton has no {name}"
        for name in sorted(ours.keys() & theirs.keys()):
            if ours[name].text != theirs[name].text:
                yield f"{file.path}: {theirs[name].text}, in the reference {ours[name].text}"


@dataclass(frozen=True)
class _Signature:
    text: str  # name and parameters, or name and bases
    line: int


def _signatures(text: str) -> dict[str, _Signature]:
    """Return the signatures of a module's functions, classes and methods by dotted name."""
    return dict(_collect(ast.parse(text).body, ""))


def _collect(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, _Signature]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            bases = ", ".join(ast.unparse(base) for base in node.bases)
            name = f"{prefix}{node.name}"
            yield name, _Signature(f"class {name}({bases})", node.lineno)
            yield from _collect(node.body, f"{name}.")
        elif isinstance(node, _Function):
            name = f"{prefix}{node.name}"
            yield name, _Signature(f"{name}({_parameters(node.args)})", node.lineno)


def _parameters(arguments: ast.arguments) -> str:
    """Return parameters with kinds and defaults, without annotations."""
    plain = copy.deepcopy(arguments)
    for node in ast.walk(plain):
        if isinstance(node, ast.arg):
            node.annotation = None
    return ast.unparse(plain)
