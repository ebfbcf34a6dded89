"""Whatever may change a test's result changes its key; what cannot leaves the result in use."""

import dataclasses
import os

import pytest

from grader.authoring import reference_submission
from grader.errors import GradingError
from grader.grading.cache import Kept, Memory, ResultCache, identity
from grader.grading.collected import CollectedSuite, TestSpec
from grader.intake.submission import AcceptedFile
from grader.lab.catalogue import Catalogue
from grader.report import Artifact, Outcome, TestReport, Visibility
from grader.sandbox import Tier

KEY = b"k" * 32
VECTOR = "test_maths.py::test_double_of_a_vector"
RANDOM = "test_maths.py::test_double_of_random_input"
ESTIMATE = "test_maths.py::test_estimate"
MAPS = "test_net.py::test_linear_maps_three_to_two"
AFFINE = "test_net.py::test_linear_is_affine"
ALL = {VECTOR, RANDOM, ESTIMATE, MAPS, AFFINE}
MATHS, NET = {VECTOR, RANDOM, ESTIMATE}, {MAPS, AFFINE}

VARIANTS = """
[variants.real]
size = 1
needs = ["graphs"]
[variants.toy]
size = 2
"""


@pytest.fixture
def home(home, monkeypatch, tmp_path):
    """Return the course with variants, bars, a conftest, a helper and data in the tiny lab."""
    edit(home / MANIFEST, "[limits]", 'default_variant = "real"\n[limits]')
    edit(home / MANIFEST, "[[given]]", f"{VARIANTS}\n[[given]]")
    suite = home / "reference" / "tiny" / "suite"
    (suite / "conftest.py").write_text("WIDE = 1\n")
    (suite / "vectors.txt").write_text("1 2 3\n")
    (suite.parent / "bars.toml").write_text("")
    (suite.parent / "calibration.json").write_text("{}")
    (home / "reference" / "datasets").mkdir()
    (home / "reference" / "datasets" / "__init__.py").write_text("")
    data = tmp_path / "data" / "graphs"
    data.mkdir(parents=True)
    (data / "edges").write_text("0 1\n")
    monkeypatch.setenv("GRADER_DATA", str(tmp_path / "data"))
    return home


MANIFEST = "assignments/tiny/assignment.toml"
SUITE = "reference/tiny/suite"


def edit(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    later = file.stat().st_mtime_ns + 1_000_000
    os.utime(file, ns=(later, later))


def collected_suite():
    """Return the tiny suite as a server collects it."""

    def spec(name, **ties):
        return TestSpec(id=name, item="i", title="T", cpu_seconds=2, **ties)

    return CollectedSuite(
        tests=(
            spec(VECTOR, visibility=Visibility.VISIBLE, without=("matplotlib", "torch")),
            spec(RANDOM, without=("matplotlib", "torch")),
            spec(ESTIMATE, without=("matplotlib", "torch")),
            spec(MAPS, joint=True, without=("torch",)),
            spec(AFFINE, needs=(MAPS,), joint=True, without=("torch",)),
        )
    )


@dataclasses.dataclass
class Desk:
    """Grades the tiny lab from the cache alone."""

    root: object
    cache: ResultCache
    report: object
    submission: object
    key: bytes = KEY
    variant: str | None = None
    tier: Tier = Tier.NAMESPACES
    extra: bytes = b""
    own: tuple[AcceptedFile, ...] = ()

    def memory(self):
        lab = Catalogue(self.root).get("tiny")
        handed_in = self.submission.files
        files = tuple(AcceptedFile(f.path, f.content + self.extra) for f in handed_in)
        return Memory(
            self.cache,
            lab,
            dataclasses.replace(self.submission, files=(*files, *self.own)),
            key=self.key,
            variant=self.variant,
            tier=self.tier,
        )

    def keep(self):
        """Keep a result of every test."""
        memory = self.memory()
        memory.recall(collected_suite())
        kept = Kept(blocked=False, findings=(), import_cpu_seconds=0, idle_seconds=0)
        memory.keep(self.report, {"a" * 64: b"png"}, dict.fromkeys(ALL, kept))

    def served(self):
        """Return the tests whose results can be used."""
        return set(self.memory().recall(collected_suite()).served)


@pytest.fixture
def desk(home, tmp_path, make_report):
    base = {"item": "i", "title": "T", "outcome": Outcome.PASSED, "credit": 1}
    tests = tuple(TestReport(id=name, score=0, max_score=0, **base) for name in sorted(ALL))
    artifact = Artifact(name="n", caption="c", sha256="a" * 64, test=AFFINE)
    report = make_report(tests=tests, artifacts=(artifact,))
    submission = reference_submission(Catalogue(home).get("tiny"))
    desk = Desk(home, ResultCache(tmp_path / "results"), report, submission)
    desk.keep()
    assert desk.served() == ALL
    return desk


def by_edit(path, old, new):
    return lambda desk: edit(desk.root / path, old, new)


def by_setting(**settings):
    return lambda desk: [setattr(desk, name, value) for name, value in settings.items()]


def by_writing(path, text):
    return lambda desk: (desk.root / path).write_text(text)


TEST_MATHS, TEST_NET = f"{SUITE}/test_maths.py", f"{SUITE}/test_net.py"
HELPER = "\n\ndef helper():\n    return 1\n"
CHANGES = {
    "body": (by_edit(TEST_MATHS, "error < 0.01", "error < 0.02"), ALL - {ESTIMATE}),
    "decorator": (by_edit(TEST_MATHS, "Use more terms.", "Use many."), ALL - {ESTIMATE}),
    "body of one that shares": (by_edit(TEST_NET, "== 8", "== 9"), MATHS),
    "body of one that is needed": (by_edit(TEST_NET, "ones((5, 3))", "ones((6, 3))"), MATHS),
    "fixture": (by_edit(TEST_NET, "Linear(3, 2)", "Linear(3, 3)"), MATHS),
    "helper": (by_edit(TEST_MATHS, "import pytest\n", f"import pytest\n{HELPER}"), NET),
    "conftest": (by_edit(f"{SUITE}/conftest.py", "WIDE = 1", "WIDE = 2"), set()),
    "new helper module": (by_writing(f"{SUITE}/more.py", "X = 1\n"), set()),
    "vectors": (by_writing(f"{SUITE}/vectors.txt", "3 2 1\n"), set()),
    "import of a test file": (
        by_edit(f"{SUITE}/conftest.py", "WIDE = 1", "WIDE = 1\nimport test_net"),
        set(),
    ),
    "suite that drives the run": (
        by_edit(TEST_MATHS, "def test_estimate(student,", "def test_estimate(suite_run, student,"),
        set(),
    ),
    "reference": (by_edit("reference/tiny/maths.py", "2 * x", "x + x"), set()),
    "bars": (by_writing("reference/tiny/bars.toml", "# a bar\n"), set()),
    "datasets": (by_writing("reference/datasets/__init__.py", "X = 1\n"), set()),
    "given file": (by_writing("assignments/tiny/tiny/__init__.py", '"""T."""\n'), set()),
    "limits": (by_edit(MANIFEST, "memory_mb = 700", "memory_mb = 701"), set()),
    "files": (by_edit(MANIFEST, "required = false", "required = true"), set()),
    "without of a file": (
        by_edit(MANIFEST, '"torch"]\n\n[[files]]', '"torch", "pandas"]\n\n[[files]]'),
        set(),
    ),
    "settings of the variant": (by_edit(MANIFEST, "size = 1", "size = 3"), set()),
    "other variant": (by_setting(variant="toy"), set()),
    "data": (lambda desk: edit_data("0 2\n"), set()),
    "key": (by_setting(key=b"l" * 32), set()),
    "tier": (by_setting(tier=Tier.FULL), set()),
    "submission": (by_setting(extra=b"\n# mine\n"), set()),
    "a module beside the files": (by_setting(own=(AcceptedFile("tiny/own.py", b""),)), set()),
    # What decides no result:
    "another variant's settings": (by_edit(MANIFEST, "size = 2", "size = 4"), ALL),
    "default variant by name": (by_setting(variant="real"), ALL),
    "points": (by_edit(MANIFEST, "points = 4", "points = 5"), ALL),
    "title": (by_edit(MANIFEST, '"A tiny lab"', '"A small lab"'), ALL),
    "mutant": (by_edit("reference/tiny/mutants/triple.toml", "3 * x", "4 * x"), ALL),
    "calibration": (by_writing("reference/tiny/calibration.json", '{"a": 1}'), ALL),
    "comment": (by_edit(TEST_MATHS, "import pytest\n", "import pytest\n\n# a word\n"), ALL),
    "handout": (by_writing("assignments/tiny/README.md", "# New\n"), ALL),
}


def edit_data(text):
    file = os.path.join(os.environ["GRADER_DATA"], "graphs", "edges")
    with open(file, "w") as out:
        out.write(text)
    os.utime(file, (1, 1))


@pytest.mark.parametrize(("change", "served"), CHANGES.values(), ids=CHANGES)
def test_what_a_change_leaves_in_use(desk, change, served):
    change(desk)
    assert desk.served() == served


def test_what_is_changed_back_is_known_again(desk):
    edit(desk.root / TEST_MATHS, "error < 0.01", "error < 0.02")
    edit(desk.root / TEST_MATHS, "error < 0.02", "error < 0.01")
    assert desk.served() == ALL


@pytest.mark.parametrize(
    "ingredient",
    ["library_version", "_processor", "_engine_files", "FORMAT"],
)
def test_engine_libraries_and_processor_are_part_of_every_key(desk, monkeypatch, ingredient):
    new = {
        "library_version": lambda name: f"{name} of tomorrow",
        "_processor": lambda: "abacus",
        "_engine_files": lambda: iter([]),
        "FORMAT": 2,
    }[ingredient]
    monkeypatch.setattr(identity, ingredient, new)
    identity._environment.cache_clear()
    assert desk.served() == set()
    monkeypatch.undo()
    identity._environment.cache_clear()


def test_pictures_come_with_their_test(desk):
    recall = desk.memory().recall(collected_suite())
    assert recall.served[AFFINE].artifacts[0].name == "n"
    assert list(recall.served[AFFINE].pictures) == ["a" * 64]
    assert recall.served[MAPS].artifacts == ()


def test_a_lab_that_changes_while_it_grades_keeps_nothing(desk, tmp_path):
    desk.cache = ResultCache(tmp_path / "other")
    memory = desk.memory()
    memory.recall(collected_suite())
    edit(desk.root / TEST_MATHS, "error < 0.01", "error < 0.02")
    assert memory.outdated
    kept = Kept(blocked=False, findings=(), import_cpu_seconds=0, idle_seconds=0)
    memory.keep(desk.report, {"a" * 64: b"png"}, dict.fromkeys(ALL, kept))
    memory.learn(collected_suite())
    assert desk.cache.extent().entries == 0


def test_a_plan_outlives_points_and_titles_but_no_test(desk):
    desk.memory().learn(collected_suite())
    edit(desk.root / MANIFEST, "points = 4", "points = 5")
    assert desk.memory().collected() == collected_suite()
    edit(desk.root / TEST_MATHS, "def test_estimate", "def test_estimates")
    assert desk.memory().collected() is None


def test_missing_data_are_our_fault(desk, monkeypatch):
    monkeypatch.setenv("GRADER_DATA", "/nowhere")
    with pytest.raises(GradingError, match="graphs"):
        desk.memory()
    desk.variant = "toy"
    assert desk.served() == set()


@pytest.mark.parametrize(
    ("path", "old", "new", "joint"),
    [
        pytest.param(TEST_MATHS, "(student, credit)", "(student, credit)", set(), id="plain"),
        pytest.param(
            TEST_MATHS,
            "(student, credit)",
            "(suite_run, student, credit)",
            {"test_maths.py", "test_net.py"},
            id="drives the run",
        ),
        pytest.param(
            TEST_MATHS,
            "(student, credit):",
            "(request, credit):\n    student = request.getfixturevalue('shared_student')",
            {"test_maths.py"},
            id="asks late",
        ),
        pytest.param(
            f"{SUITE}/conftest.py",
            "WIDE = 1",
            "def ask(request):\n    return request.getfixturevalue('shared_student')",
            {"test_maths.py", "test_net.py"},
            id="a helper asks late",
        ),
    ],
)
def test_what_only_running_shows_makes_a_files_tests_one(home, path, old, new, joint):
    edit(home / path, old, new)
    assert identity.read_suite_files(Catalogue(home).get("tiny")).joint_files == joint
