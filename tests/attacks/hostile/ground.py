"""The ground attacks are tried on: grade one, look at everything it may have brought."""

import itertools
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import psutil
from hostile.attack import LEAKED, SMUGGLED, Attack, Files
from hostile.host import CANARY, Host

import grader.suite
from grader.authoring import reference_submission, skeleton_submission
from grader.grading import GradedSubmission, GradingPool
from grader.grading.harness.messages import read_messages
from grader.intake.submission import AcceptedFile, Submission
from grader.lab.bars import BARS_NAME, load_bars
from grader.lab.catalogue import Lab
from grader.report import Outcome, Report, RunStatus, TestReport
from grader.report.causes import is_fixed
from grader.report.diagnosis import WITH_CONSTANT
from grader.report.explain import explain, render_text
from grader.report.export import to_csv, to_gradescope
from grader.report.redaction import StudentReport, for_student
from grader.sandbox import Tier
from grader.text import invisible

KEY = b"k" * 32
# Words of the hidden suites and the references, which no student may ever read.
SECRETS = {
    "tiny": ("Leibniz", "not even near", "3.14159265", CANARY),
    "fnn": ("descend_to_the_floor", "unseen_function", "spread_first_layer", CANARY),
}


class Ground:
    """One tier of this machine, with the labs that are attacked on it and a warm pool."""

    def __init__(self, tier: Tier, labs: dict[str, Lab], processes: Callable[[], set[int]]) -> None:
        self.tier = tier
        self._labs = labs
        self._processes = processes
        self._host = Host()
        self._bare = self._look()
        self._pool = GradingPool(tier=int(tier))
        self._warm: set[str] = set()

    def _look(self) -> dict[str, list[str]]:
        """Return the state of the host, with the processes that could be this ground's."""
        found = {pid for pid in self._processes() if self._host.started(pid)}
        return self._host.state() | {"processes": sorted(map(_describe, found))}

    def withstands(self, attack: Attack) -> None:
        """Grade an attack; AssertionError tells what it has gained."""
        lab = self._labs[attack.lab]
        self._warm_up(lab)
        before = self._look()
        for files in attack.before:
            self._grade(lab, self._submission(attack, files, lab))
        said: list[str] = []
        graded = self._grade(lab, self._submission(attack, attack.files, lab), said)
        _check_score(graded.report, attack)
        _check_words(graded, SECRETS[attack.lab], said)
        _check_constants(graded.report, lab)
        self._check_host(before, besides={"groups"})  # those of idle sandboxes come and go

    def keeps_back_what_is_lost(self, attack: Attack) -> None:
        """Run only what an attack within the reference must lose; AssertionError if it passes."""
        lab = self._labs[attack.lab]
        submission = self._submission(attack, attack.files, lab)
        tests = [
            test.id
            for test in self._pool.collected(lab).by_id.values()
            if any(_serves(test.id, test.item, name) for name in attack.loses)
        ]
        outcomes = self._pool.run_tests(lab, submission, tuple(tests), key=KEY).outcomes
        gained = [test for test in tests if outcomes[test] is Outcome.PASSED]
        assert not gained, f"points that were not earned: {gained}"
        assert Outcome.FAILED in outcomes.values(), f"lost for another reason: {outcomes}"

    def _warm_up(self, lab: Lab) -> None:
        """Let the lab's server start, so that its processes and folders are no attack's."""
        if lab.assignment.slug not in self._warm:
            self._grade(lab, skeleton_submission(lab))
            self._warm.add(lab.assignment.slug)

    def _check_host(self, before: dict[str, list[str]], besides: Collection[str] = ()) -> None:
        """Assert that nothing runs, lies about or has changed since `before`."""
        callers = self._host.callers()
        assert not callers, f"somebody knocked at {callers}"
        after = self._look()
        changed = [name for name in after if after[name] != before[name] and name not in besides]
        assert not changed, "\n".join(
            f"{name}: gone {sorted(set(before[name]) - set(after[name]))}, "
            f"new {sorted(set(after[name]) - set(before[name]))}"
            for name in changed
        )

    def grades_honest_work(self) -> None:
        """Assert that an honest submission has full marks here."""
        lab = self._labs["tiny"]
        report = self._grade(lab, reference_submission(lab)).report
        assert (report.status, report.score) == (RunStatus.GRADED, report.max_score), report.fault

    def _grade(
        self, lab: Lab, submission: Submission, said: list[str] | None = None
    ) -> GradedSubmission:
        hear = [] if said is None else said
        return self._pool.grade(
            lab, submission, key=KEY, on_progress=lambda news: hear.append(str(news))
        )

    def close(self) -> None:
        """End the pool; AssertionError if anything is left of it or of any attack."""
        try:
            self._pool.close()
            left = [_describe(pid) for pid in psutil.pids() if self._host.named_by(pid)]
            assert not left, f"processes are left: {left}"
            self._check_host(self._bare)
        finally:
            self._host.close()

    def _submission(self, attack: Attack, files: Files, lab: Lab) -> Submission:
        """Pack skeleton or reference with the attack's files, as if intake had let them by."""
        skeleton, reference = skeleton_submission(lab), reference_submission(lab)
        start = reference if attack.loses else skeleton
        packed = {file.path: file.content for file in start.files}
        for path, text in files.items():
            given, model = (found.file(path) or b"" for found in (skeleton, reference))
            text = text.replace("@SKELETON@", given.decode()).replace("@REFERENCE@", model.decode())
            packed[path] = text.replace("@HOST@", repr(self._host.known())).encode()
        return Submission(attack.name, tuple(AcceptedFile(p, packed[p]) for p in sorted(packed)))


def _describe(pid: int) -> str:
    try:
        return f"{pid} {' '.join(psutil.Process(pid).cmdline())[:200]}"
    except psutil.Error:
        return f"{pid} (gone)"


def _check_score(report: Report, attack: Attack) -> None:
    assert report.status is RunStatus.GRADED, f"a fault of ours: {report.fault}"
    due = {test.id: test.max_score for test in _named(report, attack.earned)}
    has = {test.id: test.score for test in report.tests if test.score}
    if attack.loses:
        gained = [test.id for test in _named(report, attack.loses) if test.id in has]
        assert not gained, f"points that were not earned: {gained}"
        assert due.items() <= has.items(), f"points that are due: {due.keys() - has.keys()}"
        return
    assert has == due, "points that were not earned" if has.keys() - due else "points that are due"
    assert abs((report.score or 0) - sum(due.values())) < 1e-6


def _named(report: Report, names: Collection[str]) -> list[TestReport]:
    """Return the tests that are named, or serve an item that is; AssertionError for no such one."""
    found = {name: [t for t in report.tests if _serves(t.id, t.item, name)] for name in names}
    assert all(found.values()), f"no such item or test: {found}"
    return [test for tests in found.values() for test in tests]


def _serves(test: str, item: str, name: str) -> bool:
    bare = test.partition("::")[2]
    return name == item or bare == name or bare.startswith(f"{name}[")


def _check_words(graded: GradedSubmission, secrets: tuple[str, ...], said: list[str]) -> None:
    report = graded.report
    everything = report.model_dump_json()
    assert LEAKED not in everything, everything[everything.index(LEAKED) :][:300]
    for name, text in _shown(graded, said):
        found = [word for word in (LEAKED, SMUGGLED, *secrets) if word in text]
        assert not found, f"{found} in {name}: {text[text.index(found[0]) :][:300]}"
    for due, published in itertools.product((False, True), repeat=2):
        _check_fields(for_student(report, due_passed=due, published=published))


def _shown(graded: GradedSubmission, said: list[str]) -> Iterator[tuple[str, str]]:
    """Yield every text and picture that leaves the staff's hands, with where it would be seen."""
    report = graded.report
    for due, published in itertools.product((False, True), repeat=2):
        student = for_student(report, due_passed=due, published=published)
        yield "the student's report", student.model_dump_json()
        yield "the student's explanation", render_text(explain(student))
    yield "the table of scores", to_csv([report])
    yield "the export for Gradescope", to_gradescope(report)
    yield "the news of the run", "\n".join(said)
    for digest, data in graded.artifacts.items():
        yield f"the picture {digest[:8]}", data.decode("latin-1")


def _check_constants(report: Report, lab: Lab) -> None:
    """Assert that what is told in words of an author's stands in the lab's files."""
    bars = load_bars(lab.reference / BARS_NAME, lab.assignment).values()
    messages = read_messages(lab.reference / "suite", Path(grader.suite.__file__).parent)
    known = {bar.title for bar in bars} | {message.shown for message in messages}
    for test in report.tests:
        if test.diagnosis and test.diagnosis.said:
            assert test.diagnosis.said in known


def _check_fields(student: StudentReport) -> None:
    """Assert that closed tests tell nothing but outcome and points, and no text hides a part."""
    for test in student.tests:
        assert test.open or (test.id, test.detail, test.output) == (None, "", "")
        assert test.open or test.cpu_seconds is None
        assert is_fixed(test.reason) or test.cause in WITH_CONSTANT
        for text in (test.title, test.detail, test.output, test.hint):
            assert not [char for char in text if invisible(char) and char not in "\n\t"]
    for text in student.messages:
        assert not [char for char in text if invisible(char) and char not in "\n\t"]
