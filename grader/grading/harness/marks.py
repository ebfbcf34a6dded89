"""The marks of a hidden test, read once at collection into a `TestSpec`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from grader.errors import GradingError
from grader.grading.collected import TestSpec
from grader.lab.manifest import Assignment
from grader.report.report import Visibility

MARKERS = (
    "item(id, weight=1.0): the rubric item a test serves, and its share of that item's points",
    "visibility(when): visible, hidden (default), after_due_date or after_published",
    "hint(text): shown to the student if the test does not pass; a case's own before its test's",
    "depends(*names): tests that must pass first; else this one is not run",
    "limits(cpu_seconds): CPU time of this test, in place of the manifest's",
)

_JOINT = frozenset({"shared_student", "shared_seed"})


def read_specs(items: Sequence[pytest.Item], assignment: Assignment) -> dict[str, TestSpec]:
    """Read the marks of every collected test; GradingError lists every mistake."""
    specs: dict[str, TestSpec] = {}
    problems: list[str] = []
    for item in items:
        try:
            spec = _read(item, assignment, list(specs))
        except (ValueError, TypeError, KeyError) as error:
            problems.append(f"{item.nodeid}: {error.args[0] if error.args else error}")
        else:
            specs[spec.id] = spec
    problems += _mixed_sharing(specs)
    problems += [
        f"{spec.id}: is visible, so it runs first, but depends on the hidden {need}"
        for spec in specs.values()
        for need in spec.needs
        if spec.shown and not specs[need].shown
    ]
    if problems:
        raise GradingError("the suite has mistakes:\n" + "\n".join(problems))
    return specs


def _read(item: pytest.Item, assignment: Assignment, earlier: list[str]) -> TestSpec:
    mark = _closest(item, "item")
    if mark is None or len(mark.args) != 1:
        raise ValueError("name the rubric item it serves: @pytest.mark.item('...')")
    rubric = mark.args[0]
    if rubric not in {entry.id for entry in assignment.items}:
        raise ValueError(f"the manifest has no rubric item {rubric!r}")
    return TestSpec(
        id=item.nodeid,
        item=rubric,
        title=_title(item),
        weight=float(mark.kwargs.get("weight", 1.0)),
        visibility=Visibility(_argument(item, "visibility", "hidden")),
        hint=str(_argument(item, "hint", "")),
        needs=_needs(item, earlier),
        cpu_seconds=_cpu_seconds(item, assignment),
        without=assignment.part_of(rubric).without,
        shares="shared_student" in getattr(item, "fixturenames", ()),
        joint=not _JOINT.isdisjoint(getattr(item, "fixturenames", ())),
    )


def _title(item: pytest.Item) -> str:
    text = (getattr(getattr(item, "function", None), "__doc__", None) or "").strip()
    if not text:
        raise ValueError("needs a docstring: its first line is the title the student sees")
    title = str(text).splitlines()[0].strip()
    callspec = getattr(item, "callspec", None)
    return f"{title.rstrip('.')} [{callspec.id}]" if callspec else title


def _closest(item: pytest.Item, name: str) -> pytest.Mark | None:
    """Return the mark nearest to a case: its own, then its function's, class's or module's.

    pytest's own search takes the function's before that of ``pytest.param(..., marks=...)``.
    """
    callspec = getattr(item, "callspec", None)
    own = (mark for mark in callspec.marks if mark.name == name) if callspec else iter(())
    return next(own, None) or item.get_closest_marker(name)


def _argument(item: pytest.Item, name: str, default: Any) -> Any:
    mark = _closest(item, name)
    return mark.args[0] if mark else default


def _cpu_seconds(item: pytest.Item, assignment: Assignment) -> float:
    mark = _closest(item, "limits")
    default = assignment.limits.test_cpu_seconds
    return float(mark.kwargs["cpu_seconds"]) if mark else default


def _needs(item: pytest.Item, earlier: list[str]) -> tuple[str, ...]:
    """Resolve names to ids; a bare name means this file, and all of its parameters."""
    needs: list[str] = []
    for mark in item.iter_markers("depends"):
        for name in mark.args:
            prefix = name if "::" in name else f"{item.nodeid.partition('::')[0]}::{name}"
            found = [i for i in earlier if i == prefix or i.startswith(f"{prefix}[")]
            if not found:
                raise ValueError(f"depends on {name!r}, which does not stand before it")
            needs += found
    return tuple(dict.fromkeys(needs))


def _mixed_sharing(specs: dict[str, TestSpec]) -> list[str]:
    """Say which tests share a process but not its kind: hidden inputs would meet visible output."""
    first: dict[str, TestSpec] = {}
    problems = []
    for spec in specs.values():
        if spec.shares:
            file = spec.id.partition("::")[0]
            other = first.setdefault(file, spec)
            if other.kind != spec.kind:
                problems.append(
                    f"{spec.id}: shares a process with {other.id}, "
                    "but differs in visibility or part"
                )
    return problems
