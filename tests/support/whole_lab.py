"""A lab with its public and its hidden half, graded on the stand-in that needs no data."""

import csv
import re
import tomllib
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from grader.authoring import load_mutants, reference_submission, skeleton_submission
from grader.authoring.calibrate import load_calibration
from grader.grading import GradingPool
from grader.intake import Submission
from grader.intake.submission import AcceptedFile
from grader.lab.catalogue import Catalogue
from grader.lab.manifest import load_assignment
from grader.report import Outcome, Report, RunStatus

HOME = Path(__file__).parents[2]
KEY = b"golden"
STAND_IN = "synthetic"
RUN_AGAIN = "test_study.py::test_a_claimed_cell_comes_out_again"


class WholeLab:
    """What the tests of every lab ask of it; an AssertionError says what does not hold."""

    def __init__(self, slug: str, pool: GradingPool, home: Path = HOME) -> None:
        """Take a lab of the course that stands in this repository, or of a copy in `home`."""
        self.slug = slug
        self.pool = pool
        self.lab = Catalogue(home).get(slug)
        self.assignment = load_assignment(home / "assignments" / slug)

    @cached_property
    def reference(self) -> Submission:
        """The reference with a study of the stand-in in place of that of the term's data."""
        return reference_submission(self.lab, STAND_IN)

    @cached_property
    def bars(self) -> dict:
        """The bars as they stand in bars.toml."""
        return tomllib.loads((HOME / "reference" / self.slug / "bars.toml").read_text("utf-8"))

    def handout(self, name: str) -> str:
        """Return the text of a handout."""
        return (self.assignment.folder / name).read_text("utf-8")

    def printed_points(self, name: str) -> list[float]:
        """Return the points of the table under a handout's title "Points", part by part."""
        section = re.split(r"^## (?:Points|分数)$", self.handout(name), flags=re.M)[1]
        rows = re.findall(r"^\| \S+ \| ([\d.]+) \|", section.partition("\n## ")[0], re.M)
        return list(map(float, rows))

    def grade(self, submission: Submission) -> Report:
        """Grade a submission on the stand-in."""
        report = self.pool.grade(self.lab, submission, key=KEY, variant=STAND_IN).report
        assert report.status is RunStatus.GRADED, report.fault
        return report

    def require_worth(self, *points: float) -> None:
        """Assert the points of the parts, fourteen in all, and that a person reads the report."""
        assert self.assignment.max_score == sum(points) == 14
        assert [float(part.points) for part in self.assignment.parts] == list(points)
        assert [item.id for item in self.assignment.items if item.manual] == ["report"]

    def require_full_marks(self) -> None:
        """Assert that the reference passes every test, in half of the CPU seconds at most."""
        report = self.grade(self.reference)
        assert [(test.id, test.detail) for test in report.tests if test.credit < 1] == []
        assert report.cpu_seconds < self.assignment.limits.cpu_seconds / 2

    def calibrated(self, variant: str = STAND_IN) -> frozenset[str]:
        """Return the tests that a calibration has run many times, as they and the reference are.

        These are the lab's dearest: they train, and measure what came of it. There are none if
        anything that they see has changed since.
        """
        calibration = load_calibration(self.lab)
        if calibration is None or not calibration.fresh(self.lab):
            return frozenset()
        runs = calibration.of(variant)
        return frozenset(runs.tests if runs else ())

    def without(self, left_out: Collection[str]) -> set[str]:
        """Return the tests that neither are left out nor depend on one that is."""
        tests = self.pool.collected(self.lab).by_id
        return {test for test in tests if not {test, *self.needs(test)} & set(left_out)}

    def repeated_cells(self, shown: str) -> set[str]:
        """Return the tests that train a cell of the study again, but for the cell that is shown."""
        cells = {t for t in self.tests_of("test_study.py") if t.startswith(f"{RUN_AGAIN}[")}
        assert f"{RUN_AGAIN}[{shown}]" in cells
        return cells - {f"{RUN_AGAIN}[{shown}]"}

    def require_passes_but_for_the_dearest(self, cell: str) -> None:
        """Assert that the reference passes every test that stands on no dear one.

        Dear are those that a calibration has run, and the cells of a study that are trained again
        by one and the same test; `cell` names the one that stands here for all.
        """
        tests = self.without(self.calibrated() | self.repeated_cells(cell))
        assert f"{RUN_AGAIN}[{cell}]" in tests
        outcomes = self.outcomes(self.reference, *sorted(tests))
        assert {test: outcomes[test] for test in tests} == dict.fromkeys(tests, Outcome.PASSED)

    def require_nothing_for_the_skeleton(self) -> None:
        """Assert that what is handed out earns no point."""
        report = self.grade(skeleton_submission(self.lab))
        assert [test.id for test in report.tests if test.score > 0] == []

    def require_caught(self, mutant: str) -> None:
        """Assert that a mutant fails each test that it names, of parametrised ones a case."""
        (wrong,) = [m for m in load_mutants(self.lab) if m.name == mutant]
        collected = self.pool.collected(self.lab).by_id
        cases = {
            name: [test for test in collected if test == name or test.startswith(f"{name}[")]
            for name in wrong.loses
        }
        assert all(cases.values()), f"no such test: {cases}"
        outcomes = self.outcomes(wrong.apply(self.reference), *sum(cases.values(), []))
        held = {Outcome.PASSED, Outcome.MISSING}
        for name, tests in cases.items():
            assert any(outcomes[test] not in held for test in tests), name

    def outcomes(self, submission: Submission, *tests: str) -> dict[str, Outcome]:
        """Run some hidden tests, with those that they depend on."""
        run = self.pool.run_tests(self.lab, submission, tests, key=KEY, variant=STAND_IN)
        return run.outcomes

    def claiming(self, change: Callable[[float], float]) -> Submission:
        """Return the reference with every metric of results.csv changed."""
        (study,) = [file for file in self.reference.files if file.path == "results.csv"]
        header, *rows = csv.reader(study.content.decode().splitlines())
        metric = header.index("metric")
        for row in rows:
            row[metric] = f"{change(float(row[metric])):.4f}"
        text = "\n".join(",".join(row) for row in [header, *rows])
        others = (file for file in self.reference.files if file is not study)
        return replace(self.reference, files=(*others, AcceptedFile("results.csv", text.encode())))

    def needs(self, test: str) -> set[str]:
        """Return every test that a test depends on, also by others."""
        direct = self.pool.collected(self.lab).by_id[test].needs
        return set(direct).union(*map(self.needs, direct))

    def tests_of(self, file: str) -> list[str]:
        """Return the ids of a file's hidden tests."""
        return [t for t, spec in self.pool.collected(self.lab).by_id.items() if spec.file == file]
