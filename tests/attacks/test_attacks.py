"""Hostile submissions earn nothing, leak nothing, leave nothing, and hurt nobody after them."""

import hashlib
import importlib.util
import os
import sys
from pathlib import Path

import psutil
import pytest

from grader.authoring import reference_submission, skeleton_submission
from grader.catalogue import Catalogue
from grader.grading import grade
from grader.redaction import for_student
from grader.report import RunStatus
from grader.sandbox import Tier, best_tier, cgroup
from grader.submission.model import AcceptedFile, Submission

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("attack_rows", HERE / "rows.py")
_rows = importlib.util.module_from_spec(_spec)
sys.modules["attack_rows"] = _rows  # dataclasses look their module up
_spec.loader.exec_module(_rows)

# Every tier with namespaces that this user can have here.
TIERS = [tier for tier in (Tier.FULL, Tier.NAMESPACES) if tier >= best_tier()]
SECRETS = ("LEAKED", "Leibniz", "CANARY-7f3a", "not even near", "3.14159265")

pytestmark = [
    pytest.mark.skipif(not TIERS, reason="needs bubblewrap: hostile code runs nowhere else"),
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def lab():
    return Catalogue(HERE.parent / "home").get("tiny")


@pytest.fixture(scope="module")
def canary(tmp_path_factory):
    """Return a folder of the host with a secret that any local user may read and change."""
    folder = tmp_path_factory.mktemp("canary")
    (folder / "secret.txt").write_text("CANARY-7f3a")
    (folder / "secret.txt").chmod(0o666)
    return folder


def digest(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [(str(path), hashlib.sha256(path.read_bytes()).hexdigest()) for path in files]


def groups():
    """Return the control groups of this process's runs that still exist."""
    found = []
    for controller in ("memory", ""):
        base = cgroup.ROOT / controller / cgroup.PARENT
        found += [f.name for f in base.iterdir() if f.is_dir()] if base.is_dir() else []
    alive = {str(p.pid) for p in psutil.Process().children(recursive=True)}
    return [name for name in found if name.partition("-")[0] in alive | {str(os.getpid())}]


def submission(attack, lab, canary):
    """Pack the skeleton with the attack's files in it, past intake, as if it had let them by."""
    files = {file.path: file.content for file in skeleton_submission(lab).files}
    files["tiny/maths.py"] = attack.maths.replace("{canary!r}", repr(str(canary))).encode()
    files |= {path: text.encode() for path, text in attack.extra.items()}
    accepted = tuple(AcceptedFile(path, files[path]) for path in sorted(files))
    return Submission(attack.name, accepted)


@pytest.mark.parametrize("tier", TIERS, ids=lambda tier: f"tier{int(tier)}")
@pytest.mark.parametrize("attack", _rows.ATTACKS, ids=lambda attack: attack.name)
def test_attack_earns_nothing(attack, tier, lab, canary, grading_processes):
    before, running = digest(canary), grading_processes()
    report = grade(lab, submission(attack, lab, canary), key=b"k" * 32, tier=int(tier)).report
    assert report.status is RunStatus.GRADED, report.fault
    assert report.score == 0, [(t.id, t.outcome, t.score) for t in report.tests if t.score]
    told = for_student(report, due_passed=True, published=False).model_dump_json()
    assert [secret for secret in SECRETS if secret in told] == []
    assert "LEAKED" not in report.model_dump_json()
    assert grading_processes() - running == set()
    assert groups() == []
    assert digest(canary) == before


@pytest.mark.parametrize("tier", TIERS, ids=lambda tier: f"tier{int(tier)}")
def test_an_honest_submission_has_full_marks_afterwards(tier, lab):
    report = grade(lab, reference_submission(lab), key=b"k" * 32, tier=int(tier)).report
    assert (report.status, report.score) == (RunStatus.GRADED, report.max_score)
