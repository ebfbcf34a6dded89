"""Who may import whom, read from the syntax tree of every file; function-level imports count."""

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from grader import api

ROOT = Path(__file__).resolve().parents[2]
STDLIB = set(sys.stdlib_module_names)
GUEST = "grader.sandbox.guest"

GRADER_NEEDS = {
    "click", "matplotlib", "nbformat", "numpy", "psutil",
    "pydantic", "pydantic_core", "pyseccomp", "pytest", "_pytest", "rich", "torch",
}  # fmt: skip
PORTAL_NEEDS = {
    "alembic", "argon2", "babel", "click", "dbos", "flask", "flask_babel", "flask_limiter",
    "flask_login", "flask_wtf", "gunicorn", "jinja2", "limits", "markdown_it", "markupsafe",
    "pydantic", "pydantic_core", "sqlalchemy", "tomlkit", "werkzeug", "wtforms",
}  # fmt: skip
SIGN_ON_NEEDS = {"authlib", "joserfc", "requests"}


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
    rule("reference/datasets/encoder.py", "torch", "<own>"),
    rule("reference/datasets/wordpieces.py", "numpy", "tokenizers", "<own>"),
    rule("reference/datasets/*.py", "PIL", "numpy", "<own>"),
    rule("assignments/**/*.py", "matplotlib", "numpy", "torch", "<own>"),
    rule("reference/*/suite/**/*.py", "grader.suite", "matplotlib", "numpy", "pytest", "torch"),
    rule("reference/**/*.py", "matplotlib", "numpy", "torch", "<own>"),
    # What travels into the sandbox: there is no `grader`, and only these may use libraries.
    rule("grader/sandbox/guest/codec/*.py", "numpy", "torch", GUEST),
    rule("grader/sandbox/guest/runner.py", "numpy", "torch", GUEST),
    rule("grader/sandbox/guest/watch.py", "torch", GUEST),
    rule("grader/sandbox/guest/*.py", GUEST),
    # These are read by a child that has the standard library alone.
    rule("grader/intake/limited/child.py"),
    rule("grader/intake/compiling.py"),
    rule("grader/intake/notebook/commands.py"),
    rule("grader/intake/notebook/bindings.py"),
    rule("grader/from_scratch/reading/*.py", "grader.from_scratch.reading"),
    rule("grader/**/*.py", "grader", *GRADER_NEEDS),
    rule("portal/people/provider.py", "portal", "grader.api", "flask", *SIGN_ON_NEEDS),
    rule("portal/**/*.py", "portal", "grader.api", *PORTAL_NEEDS),
)

# The engine's rooms, lowest first: a module imports its own room and lower ones.
ROOMS = (
    ("grader.errors", "grader.text", "grader.encoding", "grader.sheet"),
    ("grader.lab",),
    ("grader.intake",),
    ("grader.competition",),
    ("grader.report",),
    ("grader.sandbox",),
    ("grader.public_tests",),
    ("grader.suite",),
    ("grader.from_scratch",),
    ("grader.grading",),
    ("grader.rerun",),
    ("grader.authoring",),
    ("grader.api",),
    ("grader.cli",),
)

# The portal's features, lowest first, and which others each uses; all may use the platform.
FEATURES = {
    "audit": (),
    "people": ("audit",),
    "courses": ("audit", "people"),
    "grants": ("audit", "courses", "people"),
    "teams": ("audit", "courses", "grants", "people"),
    "submissions": ("courses", "teams"),
    "runs": ("courses", "submissions"),
    "standings": ("audit", "courses", "grants", "people", "runs", "submissions", "teams"),
    "competition": ("audit", "courses", "grants", "people", "runs", "standings", "teams"),
    "settings": (
        "audit",
        "competition",
        "courses",
        "grants",
        "people",
        "standings",
        "submissions",
        "teams",
    ),
    "history": ("audit", "courses", "people", "settings", "submissions"),
    "code": ("audit", "people", "submissions"),
    "results": (
        "code",
        "audit",
        "courses",
        "grants",
        "people",
        "runs",
        "standings",
        "submissions",
    ),
    "marking": (
        "code",
        "audit",
        "courses",
        "people",
        "runs",
        "standings",
        "submissions",
    ),
    "inbox": ("competition", "courses", "people", "runs", "standings", "submissions"),
    "dashboard": ("courses", "people", "runs", "standings", "submissions"),
    "labs": ("audit", "courses", "grants", "people", "runs", "standings", "submissions", "teams"),
    "system": ("competition", "runs"),
}
# What stands on all of them, lowest first: each uses those before it.
ABOVE_FEATURES = (
    "app",
    "migrations",
    "serving",
    "demo",
    "cli",
    "__main__",
)

# Imports inside a function of the engine or the portal, each with the reason it must be there.
LATE_IMPORTS: dict[tuple[str, str], str] = {
    ("portal/people/sign_on.py", "portal.people.provider"): "its libraries are an extra's",
}


def files() -> list[Path]:
    found = {path for folder in ("assignments", "reference", "grader", "portal")
             for path in (ROOT / folder).rglob("*.py")}  # fmt: skip
    copies = set(ROOT.glob("assignments/*/*/datasets/*.py"))  # of reference/datasets, by a release
    return sorted(path.relative_to(ROOT) for path in found - copies)


@dataclass(frozen=True)
class Import:
    """One imported name; of ``from a import b`` that is ``a.b``, and its source is ``a``."""

    name: str
    source: str
    line: int
    function: str  # the innermost one it stands in, or ""


@cache
def imports(path: Path) -> tuple[Import, ...]:
    """Return every import of a file, wherever it stands; a file is read once for all tests."""
    return tuple(_imports_below(ast.parse((ROOT / path).read_bytes()), path, ""))


def _imports_below(node: ast.AST, path: Path, function: str) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.names[0].name, child.lineno, function)
        elif isinstance(child, ast.ImportFrom):
            base = _absolute(child, path)
            for alias in child.names:
                yield Import(
                    f"{base}.{alias.name}", child.module or alias.name, child.lineno, function
                )
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _imports_below(child, path, child.name)
        elif not isinstance(child, ast.expr):  # an import is a statement
            yield from _imports_below(child, path, function)


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
        f"{path}:{one.line} imports {one.name}; files like {rule.files} may import the standard "
        f"library and {', '.join(sorted(allowed))}"
        for one in imports(path)
        if one.name.partition(".")[0] not in STDLIB
        and not any(within(one.name, name) for name in allowed)
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
        f"{path}:{one.line} imports {one.name} (layer {theirs}) from layer {own}; move what it "
        f"needs down"
        for one in imports(path)
        if within(one.name, "grader")
        and (theirs := layer_of(one.name)) is not None
        and theirs > own
    ]
    assert not wrong, "\n".join(wrong)


def portal_room(name: str) -> str:
    """Return the folder or module right below `portal` that a dotted name lies in."""
    return name.split(".")[1]


def usable_from(room: str) -> set[str]:
    """Return the rooms of the portal that a room's files may import."""
    if room == "platform":
        return {"platform"}
    if room in FEATURES:
        return {"platform", room, *FEATURES[room]}
    return {"platform", *FEATURES, *ABOVE_FEATURES[: ABOVE_FEATURES.index(room) + 1]}


def portal_files() -> list[Path]:
    """Return the portal's files but its face, which hands `create_app` on."""
    return [path for path in files() if path.parts[0] == "portal" and len(module_of(path)) > 6]


@pytest.mark.parametrize("path", portal_files(), ids=str)
def test_a_feature_imports_only_the_features_it_is_listed_with(path):
    room = portal_room(module_of(path))
    wrong = [
        f"{path}:{one.line} imports {one.name}; {room} may use "
        f"{', '.join(sorted(usable_from(room)))}"
        for one in imports(path)
        if within(one.name, "portal") and portal_room(one.name) not in usable_from(room)
    ]
    assert not wrong, "\n".join(wrong)


def test_the_rooms_of_the_portal_are_those_that_are_listed():
    rooms = {portal_room(module_of(path)) for path in portal_files()}
    assert rooms == {"platform", *FEATURES, *ABOVE_FEATURES}


def test_no_arrow_between_features_runs_up():
    order = list(FEATURES)
    up = [
        f"{feature} -> {used}"
        for feature, uses in FEATURES.items()
        for used in uses
        if order.index(used) >= order.index(feature)
    ]
    assert not up


def test_every_listed_arrow_between_features_is_used():
    arrows = {
        (portal_room(module_of(path)), portal_room(one.name))
        for path in portal_files()
        for one in imports(path)
        if within(one.name, "portal")
    }
    listed = {(feature, used) for feature, uses in FEATURES.items() for used in uses}
    assert listed <= arrows


def test_a_class_of_the_portal_has_a_name_of_its_own():
    homes = defaultdict(list)
    for path in files():
        if path.parts[0] in ("grader", "portal"):
            for node in ast.walk(ast.parse((ROOT / path).read_bytes())):
                if isinstance(node, ast.ClassDef):
                    homes[node.name].append(str(path))
    doubled = {
        name: places
        for name, places in homes.items()
        if len(places) > 1
        and not name.startswith("_")
        and any(place.startswith("portal/") for place in places)
    }
    assert set(doubled) == {"Submission"}, doubled  # the engine's is imported as AcceptedFiles


def test_the_public_face_offers_what_the_portal_uses_and_no_more():
    names = {one.name for path in files() if path.parts[0] == "portal" for one in imports(path)}
    used = {name.removeprefix("grader.api.") for name in names if within(name, "grader.api")}
    assert used == set(api.__all__)


@pytest.mark.parametrize(
    "path", [p for p in files() if p.parts[0] in ("grader", "portal")], ids=str
)
def test_imports_stand_at_the_top(path):
    wrong = [
        f"{path}:{one.line} imports {one.source} inside {one.function}(); move it to the top and "
        f"mend the layering, or list it in LATE_IMPORTS with its reason"
        for one in imports(path)
        if one.function and (str(path), one.source) not in LATE_IMPORTS
    ]
    assert not wrong, "\n".join(wrong)


def test_every_listed_exception_is_still_needed():
    needed = {(str(path), one.source) for path in files() for one in imports(path) if one.function}
    assert set(LATE_IMPORTS) <= needed


def test_only_servers_and_sandboxes_import_torch():
    # It takes a second and 200 MB: a command that says --help, and a web process, need neither.
    modules = ["grader.api", "grader.cli.main", "portal.cli", "portal.app", "portal.runs.worker"]
    code = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]:\n"
        "    importlib.import_module(name)\n"
        "    if 'torch' in sys.modules:\n"
        "        sys.exit(f'{name} imports torch')"
    )
    subprocess.run([sys.executable, "-c", code, *modules], check=True, cwd=ROOT)
