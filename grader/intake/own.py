"""Modules of a student's own: Python files of the lab's package that the manifest does not name.

They are taken so that the files that are asked for can import them, and never in the place of a
file that the course gives or asks for, whatever Python would make of their names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from grader.intake.notebook.marks import OWN_PATH, own_path
from grader.lab.manifest import Assignment

MOST_OWN = 50  # nobody splits a lab into more


def package_of(assignment: Assignment) -> str:
    """Return the top folder that all Python files asked for lie in; "" if they share none."""
    folders = {file.path.rpartition("/")[0] for file in assignment.files if file.module}
    package = folders.pop() if len(folders) == 1 else ""
    return "" if "/" in package else package


def own_named(name: str, assignment: Assignment) -> str | None:
    """Return the path of a student's own module that a notebook's mark names."""
    package = package_of(assignment)
    path = own_path(name, package) if package else None
    return path if path and is_own(path, assignment) else None


def is_own(path: str, assignment: Assignment) -> bool:
    """Tell whether a path in the package may be a module of the student's own."""
    if not OWN_PATH.fullmatch(path):
        return False
    named = [*(file.path for file in assignment.files), *(file.path for file in assignment.given)]
    reserved = set(map(_module, named))
    package, *steps = _module(path).split("/")
    above = ["/".join([package, *steps[:end]]) for end in range(1, len(steps))]
    return reserved.isdisjoint([_module(path), *above])


def own_modules(
    names: Iterable[str], taken: Mapping[str, str], assignment: Assignment
) -> dict[str, str]:
    """Return path -> name of the student's own modules among `names`, which nothing else takes.

    They lie where the files that were `taken` lie, as path -> name; one folder, or none is sure.
    """
    package = package_of(assignment)
    names = [name for name in names if name.lower().endswith(".py")]
    folder = _folder(names, taken, package) if package else None
    if folder is None:
        return {}
    found: dict[str, str] = {}
    known: set[str] = set()
    for name in names:
        rest = name.removeprefix(folder)
        loose = not f"/{folder}".endswith(f"/{package}/")
        path = f"{package}/{rest}"
        if not name.startswith(folder) or (loose and "/" in rest) or path.casefold() in known:
            continue
        if is_own(path, assignment):
            found[path] = name
            known.add(path.casefold())
    return found


def too_many(count: int) -> str:
    """Say that so many modules beside the asked ones are not taken."""
    return (
        f"The upload holds {count:,} Python files beside those asked for; up to {MOST_OWN} are "
        f"taken, so none was. Keep those that your files import."
    )


def _module(path: str) -> str:
    """Return what Python would import for a path, in lower case: some systems know no other."""
    return path.removesuffix(".py").removesuffix("/__init__").casefold()


def _folder(names: Sequence[str], taken: Mapping[str, str], package: str) -> str | None:
    """Return what the names of the package's modules begin with in this upload."""
    python = {path: name for path, name in taken.items() if path.endswith(".py")}
    full = {name.removesuffix(path) for path, name in python.items() if _is_below(path, name)}
    loose = {name[: name.rfind("/") + 1] for name in python.values()}
    if full or not python:
        tops = full or {name[: f"/{name}".index(f"/{package}/")] for name in names
                        if f"/{package}/" in f"/{name}"}  # fmt: skip
        return f"{tops.pop()}{package}/" if len(tops) == 1 else None
    return loose.pop() if len(loose) == 1 else None


def _is_below(path: str, name: str) -> bool:
    return f"/{name}".endswith(f"/{path}")
