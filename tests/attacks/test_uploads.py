"""Hostile uploads are refused with what to do, or taken safely; the next honest one is graded."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
import tempfile
import tracemalloc
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select
from support.portal import CHEAP, Clock

from grader.errors import Rejected
from grader.grading import GradingPool
from grader.intake import receive, receive_bytes, receive_files
from grader.intake.folder import list_folder
from grader.lab.catalogue import Catalogue
from grader.lab.manifest import load_assignment
from grader.report import RunStatus
from grader.report.redaction import for_student
from grader.sandbox import Tier, best_tier
from portal.app import FEATURES, create_app
from portal.audit.models import AuditEntry
from portal.courses.service import create_term
from portal.platform.config import PortalConfig
from portal.platform.db import make_engine, read_session, write_session
from portal.platform.engine import prepare
from portal.platform.feature import tables_of
from portal.runs.grading import load_work, read_order

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("upload_desk", HERE / "uploads" / "desk.py")
_desk = importlib.util.module_from_spec(_spec)
sys.modules["upload_desk"] = _desk
_spec.loader.exec_module(_desk)
_rows = _desk.load("upload_rows", HERE / "uploads" / "rows.py")

PEAK = 64_000_000  # bytes of Python objects while a lab of 2 MB takes an upload
_HOSTILE = f"import os\nprint('{_rows.MARKER}')\nos._exit(0)\n".encode()


@pytest.fixture(scope="module")
def home():
    return HERE / "home"


@pytest.fixture(scope="module")
def lab(home):
    return load_assignment(home / "assignments" / "tiny")


@pytest.fixture(scope="module")
def ground(tmp_path_factory):
    """Things of the host that nothing may touch."""
    made = _desk.Host(tmp_path_factory.mktemp("ground"))
    yield made
    made.close()


@pytest.fixture
def host(ground, monkeypatch):
    """The host as this test finds it: where temporary files go, and where it stands."""
    monkeypatch.chdir(ground.root / "cwd")
    monkeypatch.setattr(tempfile, "tempdir", str(ground.root / "tmp"))
    ground.begin()
    return ground


@pytest.fixture(scope="module")
def site(ground, home, lab):
    """A portal with the tiny lab and one of the staff, for every row of this file."""
    config = PortalConfig(
        instance=ground.root / "instance",
        database_url=f"sqlite:///{ground.root / 'instance' / 'portal.db'}",
        secret_key="0" * 64,
        grading_key=b"1" * 32,
        home=home,
        password_cost=CHEAP,
        testing=True,
    )
    ground.store.mkdir(parents=True)
    engine = make_engine(config.database_url)
    tables_of(FEATURES).create_all(engine)
    prepare(config.database_url)
    with write_session(engine) as session:
        create_term(
            session,
            slug="2026-autumn",
            title="Deep Learning",
            timezone="Asia/Shanghai",
            labs=[lab],
            first_day=date(2026, 9, 7),
        )
    app = create_app(config, clock=Clock(), engine=engine)
    app.config["WTF_CSRF_ENABLED"] = False
    yield _desk.Site(app, engine, config)
    engine.dispose()


@pytest.fixture
def desk(site, host):
    return site.desk()


def digests(store):
    return {path.name for path in store.rglob("*") if path.is_file()}


def harmless(text):
    """Say whether a text shows nothing that was hidden in the upload, and moves nothing."""
    return _rows.MARKER not in text and _desk.Host.SECRET not in text and not _desk.unseen(text)


def told(submission):
    return "\n".join([*submission.notices, *submission.ignored])


@pytest.mark.parametrize("row", _rows.ROWS, ids=lambda row: row.name)
def test_intake_takes_it_safely_or_says_what_to_do(row, lab, host):
    files = row.files(host.folder)
    receive_files(_desk.HONEST, lab)  # what is imported once is not this upload's
    host.begin()
    tracemalloc.start()
    try:
        accepted = receive_files(files, lab)
        said = told(accepted)
    except Rejected as rejected:
        accepted, said = None, "\n".join(rejected.reasons)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert (accepted is not None) == row.taken, said
    assert row.says in said
    assert harmless(said) and len(said) < 20_000
    assert peak < PEAK
    host.check()
    if accepted:
        assert {file.path for file in accepted.files} <= {file.path for file in lab.files}
        assert all(_rows.MARKER.encode() not in file.content for file in accepted.files)
    assert receive_files(_desk.HONEST, lab).file("tiny/maths.py") == _desk.HONEST[0][1]


@pytest.mark.parametrize("row", _rows.ROWS, ids=lambda row: row.name)
def test_the_portal_takes_it_safely_or_says_what_to_do(row, desk, host, caplog):
    files, before = row.files(host.folder), digests(host.store)
    taken = row.taken and not row.in_portal
    answer = desk.send(files, json=True)
    assert answer.status_code == (201 if taken else 422), answer.text
    shown = [answer.text]
    if taken:
        said = _intake(desk.submissions()[0])
    else:
        said = "\n".join(answer.json["reasons"])
        shown.append(desk.send(files, json=False).text)
        assert "cost you no attempt" in shown[-1]
        assert desk.submissions() == []
        assert digests(host.store) == before
    assert (row.in_portal or row.says) in said
    assert desk.send(_desk.HONEST, json=True).status_code == 201
    mine = desk.submissions()
    assert digests(host.store) == before | {one.upload_sha256 for one in mine}
    shown += [*desk.pages(), *(one.filename for one in mine), caplog.text, *_audited(desk)]
    assert max(map(len, shown)) < 200_000
    shown += desk.staff_pages()
    assert [text for text in shown if not harmless(text)] == []
    _grading_reads_what_intake_took(desk, mine[0])
    host.check()


def _audited(desk):
    with read_session(desk.engine) as session:
        newest = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(6)
        return [json.dumps(entry.detail) for entry in session.scalars(newest)]


def _intake(submission):
    arrival = json.loads(submission.intake)
    return "\n".join([*arrival["notices"], *arrival["ignored"]])


def _grading_reads_what_intake_took(desk, row):
    """The stored bytes under the stored name give the worker the files the receipt names."""
    parts = desk.app.extensions["portal"]
    with read_session(desk.engine) as session:
        order = read_order(session, row.id)
    work = load_work(order, parts.catalogue, parts.store)
    listed = [(file["path"], file["sha256"]) for file in json.loads(row.intake)["files"]]
    assert [(file.path, file.sha256) for file in work.upload.files] == listed
    assert hashlib.sha256(parts.store.get(row.upload_sha256)).hexdigest() == row.upload_sha256


@pytest.mark.parametrize("row", _rows.FOLDERS, ids=lambda row: row.name)
def test_a_folder_gives_nothing_that_is_not_in_it(row, lab, host, tmp_path, monkeypatch):
    folder = tmp_path / "hw"
    folder.mkdir()
    _desk.load("upload_folders", HERE).honest(folder)
    row.make(folder, host.folder)
    if row.swap:
        _swap_after_listing(monkeypatch, lambda: row.swap(folder, host.folder))
    else:
        host.begin()
    try:
        accepted = receive(folder, lab)
        said = told(accepted)
    except Rejected as rejected:
        accepted, said = None, "\n".join(rejected.reasons)
    assert (accepted is not None) == row.taken, said
    assert row.says in said and harmless(said)
    if accepted:
        kept = b"".join(file.content for file in accepted.files)
        assert _desk.Host.SECRET.encode() not in kept
        target = tmp_path / "written"
        target.mkdir()
        accepted.write_to(target)
        names = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
        assert names == {file.path for file in accepted.files}


def _swap_after_listing(monkeypatch, swap):
    def listed(folder):
        found = list_folder(folder)
        swap()
        return found

    monkeypatch.setattr("grader.intake.folder.list_folder", listed)


@pytest.mark.skipif(
    best_tier() is Tier.PROCESS, reason="needs Landlock: hostile code runs in a sandbox alone"
)
def test_everything_that_shadows_ours_earns_nothing(lab, home, grading_processes):
    """All files that would take the place of ours, in one zip that is graded for real."""
    running = grading_processes()
    craft = _rows.craft
    shadows = [
        craft.Member(path, _HOSTILE)
        for path in (one.says for one in _rows.contents.SHADOWS)
        if path.endswith((".py", ".pth", ".so", ".pyc"))
    ]
    data = craft.archive(*craft.good(), *shadows)
    tiny = Catalogue(home).get("tiny")
    with GradingPool() as pool:
        report = pool.grade(tiny, receive_bytes("hw.zip", data, lab), key=b"k" * 32).report
        assert report.status is RunStatus.GRADED, report.fault
        plain = pool.grade(tiny, receive_files(craft.GOOD, lab), key=b"k" * 32).report
    assert [test.outcome for test in report.tests] == [test.outcome for test in plain.tests]
    told_student = for_student(report, due_passed=True, published=True).model_dump_json()
    assert _rows.MARKER not in told_student
    assert grading_processes() - running == set()


def test_the_rows_have_names_of_their_own_and_say_what_they_try():
    rows = [*_rows.ROWS, *_rows.FOLDERS]
    assert len({row.name for row in rows}) == len(rows) >= 50
    assert all(row.tries and not row.tries.endswith(".") for row in rows)
    assert all(row.says for row in rows if not row.taken), "a refusal says what to do"
