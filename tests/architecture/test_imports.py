"""Who may import whom, read from the syntax tree of every file; function-level imports count."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader import api

ROOT = Path(__file__).resolve().parents[2]
STDLIB = set(sys.stdlib_module_names)
GUEST = "grader.sandbox.guest"

GRADER_NEEDS = {
    "click", "jupytext", "matplotlib", "nbformat", "numpy", "psutil",
    "pydantic", "pydantic_core", "pyseccomp", "pytest", "_pytest", "rich", "torch",
}  # fmt: skip
PORTAL_NEEDS = {
    "alembic", "argon2", "click", "dbos", "flask", "flask_babel", "flask_limiter", "flask_login",
    "flask_wtf", "gunicorn", "jinja2", "limits", "markdown_it", "markupsafe", "pydantic",
    "sqlalchemy", "werkzeug", "wtforms",
}  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """Files (a glob from the root) and what they may import besides the standard library."""

    files: str
    may: frozenset[str]  # dotted names; a name allows what lies below it


def rule(files: str, *may: str) -> Rule:
    return Rule(files, frozenset(may))


# The first rule whose glob fits a file holds for it; "<own>" is the file's own package.
RULES = (
    rule("assignments/*/test_*.py", "numpy", "pytest", "torch", "<own>"),
    # The loaders of data sets, which labs hand out as copies.
    rule("assignments/*/*/datasets/*.py", "PIL", "numpy", "<own>"),
    rule("reference/datasets/*.py", "PIL", "numpy", "<own>"),
    rule("assignments/**/*.py", "matplotlib", "numpy", "torch", "<own>"),
    rule("reference/*/suite/**/*.py", "grader.suite", "matplotlib", "numpy", "pytest", "torch"),
    rule("reference/**/*.py", "matplotlib", "numpy", "torch", "<own>"),
    # What travels into the sandbox: there is no `grader`, and only these may use libraries.
    rule("grader/sandbox/guest/codec.py", "numpy", "torch", GUEST),
    rule("grader/sandbox/guest/runner.py", "numpy", "torch", GUEST),
    rule("grader/sandbox/guest/watch.py", "torch", GUEST),
    rule("grader/sandbox/guest/*.py", GUEST),
    # These are read by a child that has the standard library alone.
    rule("grader/intake/limited/child.py"),
    rule("grader/from_scratch/reading/*.py", "grader.from_scratch.reading"),
    rule("grader/**/*.py", "grader", *GRADER_NEEDS),
    rule("portal/**/*.py", "portal", "grader.api", *PORTAL_NEEDS),
)

# The engine's rooms, lowest first: a module imports its own room and lower ones.
ROOMS = (
    ("grader.errors", "grader.text"),
    ("grader.lab",),
    ("grader.intake",),
    ("grader.report",),
    ("grader.sandbox",),
    ("grader.public_tests",),
    ("grader.suite",),
    ("grader.from_scratch",),
    ("grader.grading",),
    ("grader.authoring",),
    ("grader.api",),
    ("grader.cli",),
)

# Imports inside a function of the engine or the portal, each with the reason it must be there.
LATE_IMPORTS: dict[tuple[str, str], str] = {}


def files() -> list[Path]:
    found = {path for folder in ("assignments", "reference", "grader", "portal")
             for path in (ROOT / folder).rglob("*.py")}  # fmt: skip
    return sorted(path.relative_to(ROOT) for path in found)


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Yield (dotted name, line) of every import; ``from a import b`` gives ``a.b``."""
    for node in ast.walk(ast.parse((ROOT / path).read_bytes())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, path)
            yield from ((f"{base}.{alias.name}", node.lineno) for alias in node.names)


def _absolute(node: ast.ImportFrom, path: Path) -> str:
    if not node.level:
        return node.module or ""
    package = path.parent.parts[: len(path.parent.parts) - node.level + 1]
    return ".".join([*package, *((node.module,) if node.module else ())])


def module_of(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def own_package(path: Path) -> set[str]:
    """Names of a lab's own package: ``fnn`` and, for relative imports, its dotted folders."""
    return {path.parts[1], ".".join(path.parts[:2])}


def within(name: str, allowed: str) -> bool:
    return name == allowed or name.startswith(f"{allowed}.")


def layer_of(name: str) -> int | None:
    for number, members in enumerate(ROOMS):
        if any(within(name, member) for member in members):
            return number
    return None


@pytest.mark.parametrize("path", files(), ids=str)
def test_a_file_imports_only_what_its_place_allows(path):
    rule = next(rule for rule in RULES if path in _matching(rule.files))
    allowed = {*rule.may} - {"<own>"} | (own_package(path) if "<own>" in rule.may else set())
    wrong = [
        f"{path}:{line} imports {name}; files like {rule.files} may import the standard library "
        f"and {', '.join(sorted(allowed))}"
        for name, line in imports(path)
        if name.partition(".")[0] not in STDLIB and not any(within(name, a) for a in allowed)
    ]
    assert not wrong, "\n".join(wrong)


_MATCHES: dict[str, set[Path]] = {}


def _matching(glob: str) -> set[Path]:
    if glob not in _MATCHES:
        _MATCHES[glob] = {path.relative_to(ROOT) for path in ROOT.glob(glob)}
    return _MATCHES[glob]


@pytest.mark.parametrize("path", [p for p in files() if p.parts[0] == "grader"], ids=str)
def test_a_lower_layer_of_the_engine_imports_no_higher_one(path):
    module = module_of(path)
    if module == "grader":
        return
    own = layer_of(module)
    assert own is not None, f"{path} has no layer; add {module} to ROOMS in {__file__}"
    wrong = [
        f"{path}:{line} imports {name} (layer {theirs}) from layer {own}; move what it needs down"
        for name, line in imports(path)
        if within(name, "grader") and (theirs := layer_of(name)) is not None and theirs > own
    ]
    assert not wrong, "\n".join(wrong)


def test_the_public_face_offers_what_the_portal_uses_and_no_more():
    used = {name.removeprefix("grader.api.") for path in files() if path.parts[0] == "portal"
            for name, _ in imports(path) if within(name, "grader.api")}  # fmt: skip
    assert used == set(api.__all__)


@pytest.mark.parametrize(
    "path", [p for p in files() if p.parts[0] in ("grader", "portal")], ids=str
)
def test_imports_stand_at_the_top(path):
    wrong = [
        f"{path}:{node.lineno} imports {name} inside {function.name}(); move it to the top and "
        f"mend the layering, or list it in LATE_IMPORTS with its reason"
        for function in ast.walk(ast.parse((ROOT / path).read_bytes()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [getattr(node, "module", None) or node.names[0].name]
        if (str(path), name) not in LATE_IMPORTS
    ]
    assert not wrong, "\n".join(wrong)


def test_every_listed_exception_is_still_needed():
    needed = {
        (str(path), getattr(node, "module", None) or node.names[0].name)
        for path in files()
        for function in ast.walk(ast.parse((ROOT / path).read_bytes()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert set(LATE_IMPORTS) <= needed


@pytest.mark.parametrize(
    "module",
    ["grader.api", "grader.cli.main", "portal.cli", "portal.app", "portal.runs.worker"],
)
def test_only_servers_and_sandboxes_import_torch(module):
    # It takes a second and 200 MB: a command that says --help, and a web process, need neither.
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
