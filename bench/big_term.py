"""A term of many students and submissions, written as rows: what pages are measured on.

The rows are those that grading would have left, with reports of the size of real ones. Nothing of
it is graded, and no upload lies in the store.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session

from grader.lab.catalogue import Catalogue, Lab
from grader.report import ItemReport, Outcome, PartReport, Report, RunStatus, TestReport
from portal.courses.models import AttemptPolicy, Enrolment, Offering, OfferingKind, Role, Term
from portal.people.models import User
from portal.runs.models import Event, EventKind, GradingRun, Result, RunState
from portal.runs.tests import fill_tests
from portal.standings.keeping import rebuild
from portal.standings.models import ManualMark
from portal.submissions.models import Submission, SubmissionMember

START = datetime(2026, 9, 7, tzinfo=UTC)
NOW = START + timedelta(days=80)
TESTS = 50  # of a submission
KINDS = 24  # different reports a lab
SLUG = "big"
BATCH = 500  # submissions written at a time


@dataclass(frozen=True)
class Size:
    """How much there is."""

    students: int
    labs: int
    submissions: int


def fill(engine: Engine, catalogue: Catalogue, size: Size, password_hash: str) -> None:
    """Write the term; every account has the same password."""
    dice = random.Random(1)
    graded = [lab for lab in catalogue.labs() if lab.assignment.competition is None]
    labs = list(itertools.islice(itertools.cycle(graded), size.labs))
    with Session(engine, expire_on_commit=False) as session, session.begin():
        term = Term(slug=SLUG, title="A large term", timezone="Asia/Shanghai")
        session.add(term)
        session.flush()
        offerings = [_offering(term, place, lab) for place, lab in enumerate(labs, 1)]
        session.add_all(offerings)
        people = list(_people(term, size.students, password_hash))
        session.add_all(people)
        session.flush()
        students = [one.id for one in people if one.role is Role.STUDENT]
        author = next(one.user_id for one in people if one.role is Role.TA)
        places = [(offering, lab) for offering, lab in zip(offerings, labs, strict=True)]
    reports = {offering.id: _reports(lab, dice) for offering, lab in places}
    sent = _submissions(students, [one.id for one in offerings], reports, size.submissions, dice)
    for rows in _batches(sent, BATCH):
        with Session(engine, expire_on_commit=False) as session, session.begin():
            for model in (Submission, SubmissionMember, GradingRun, Result):
                session.execute(insert(model), [row[model] for row in rows])
            session.execute(insert(Event), [event for row in rows for event in row[Event]])
    with Session(engine, expire_on_commit=False) as session, session.begin():
        marks = list(_marks(students, places, author, dice))
        if marks:
            session.execute(insert(ManualMark), marks)
        fill_tests(session)
    rebuild(engine)


def _people(term: Term, students: int, password_hash: str) -> Iterator[Enrolment]:
    roles = [("ines", Role.INSTRUCTOR), ("tess", Role.TA)]
    roles += [(f"student{number:04}", Role.STUDENT) for number in range(students)]
    for username, role in roles:
        user = User(
            username=username,
            display_name=username.title(),
            password_hash=password_hash,
            created_at=START,
        )
        yield Enrolment(term_id=term.id, user=user, role=role, student_number=username[-4:])


def _offering(term: Term, place: int, lab: Lab) -> Offering:
    return Offering(
        term_id=term.id,
        kind=OfferingKind.LAB,
        assignment_slug=lab.assignment.slug,
        title=f"Lab {place}: {lab.assignment.title}",
        points=Decimal(14),
        position=place,
        opens_at=START + timedelta(days=13 * (place - 1)),
        due_at=START + timedelta(days=13 * place),
        closes_at=START + timedelta(days=13 * place + 7),
        late_percent=Decimal(10),
        policy=AttemptPolicy.BEST,
        published=True,
        marks_published=True,
    )


def _submissions(
    students: Sequence[int],
    offerings: Sequence[int],
    reports: Mapping[int, Sequence[tuple[str, float, float]]],
    count: int,
    dice: random.Random,
) -> Iterator[dict[type, Any]]:
    """Deal the submissions out evenly, a round a time: each a row, its run, result and events."""
    places = [(student, lab) for student in students for lab in offerings]
    for number in range(count):
        student, lab = places[number % len(places)]
        attempt = number // len(places) + 1
        # Ever further into the lab, and some after it was due.
        day = min(19.0, dice.random() * 10 + attempt / (count / len(places)) * 6)
        began = 13 * offerings.index(lab)
        yield _rows(student, lab, attempt, START + timedelta(days=began + day), dice, reports[lab])


def _rows(
    student: int,
    lab: int,
    attempt: int,
    when: datetime,
    dice: random.Random,
    reports: Sequence[tuple[str, float, float]],
) -> dict[type, Any]:
    name, run = str(uuid.UUID(int=dice.getrandbits(128))), str(uuid.UUID(int=dice.getrandbits(128)))
    report, score, most = dice.choice(reports)
    digest = hashlib.sha256(name.encode()).hexdigest()
    files = [{"path": f"file{n}.py", "size": 4000, "sha256": digest} for n in range(4)]
    return {
        Submission: {
            "id": name,
            "enrolment_id": student,
            "offering_id": lab,
            "client_key": name,
            "upload_sha256": digest,
            "filename": "solution.zip",
            "size": 9000,
            "content_digest": digest,
            "intake": json.dumps({"files": files}),
            "attempt": attempt,
            "received_at": when,
        },
        SubmissionMember: {"submission_id": name, "enrolment_id": student},
        GradingRun: {
            "id": run,
            "submission_id": name,
            "suite_digest": digest,
            "reason_key": "",
            "queue": "cpu",
            "priority": 1,
            "state": RunState.GRADED,
            "fence": 1,
            "attempts": 0,
            "created_at": when,
        },
        Result: {
            "run_id": run,
            "fence": 1,
            "report": report,
            "score": score,
            "max_score": most,
            "pending_score": 0.0,
            "environment": "",
            "created_at": when + timedelta(seconds=20),
        },
        Event: [
            {"run_id": run, "kind": kind, "data": "{}", "at": when}
            for kind in (EventKind.QUEUED, EventKind.STARTED, EventKind.GRADED)
        ],
    }


def _reports(lab: Lab, dice: random.Random) -> list[tuple[str, float, float]]:
    """Make some reports of a lab: JSON, score, and the most that tests can earn."""
    return [_report(lab, dice.random(), dice) for _ in range(KINDS)]


def _report(lab: Lab, skill: float, dice: random.Random) -> tuple[str, float, float]:
    items = [item for item in lab.assignment.items if not item.manual]
    most = float(sum(item.points for item in items if not item.bonus))
    tests = tuple(
        _test(number, items[number % len(items)].id, dice.random() < skill**0.3, most)
        for number in range(TESTS)
    )
    found = tuple(
        ItemReport(
            id=item.id,
            title=item.title,
            score=round(sum(test.score for test in tests if test.item == item.id), 4),
            max_score=float(item.points),
            tests=tuple(test.id for test in tests if test.item == item.id),
        )
        for item in items
    )
    score = round(sum(test.score for test in tests), 4)
    report = Report(
        assignment=lab.assignment.slug,
        assignment_title=lab.assignment.title,
        submission="solution.zip",
        digest="0" * 64,
        status=RunStatus.GRADED,
        score=score,
        max_score=most,
        parts=(PartReport(id="all", title="All", score=score, max_score=most, items=found),),
        tests=tests,
    )
    return report.model_dump_json(), score, most


def _test(number: int, item: str, passed: bool, most: float) -> TestReport:
    worth = round(most / TESTS, 4)
    frames = "\n".join(f"suite/test_layers.py:{line}: in check" for line in range(20))
    return TestReport(
        id=f"suite/test_layers.py::test_claim[{number}]",
        item=item,
        title=f"Claim number {number} about the layer holds",
        outcome=Outcome.PASSED if passed else Outcome.FAILED,
        credit=1.0 if passed else 0.0,
        score=worth if passed else 0.0,
        max_score=worth,
        hint="Look at the shapes first.",
        reason="" if passed else "The numbers differ.",
        detail="" if passed else f"{frames}\nE   relative error 0.{number} > 1e-07",
        output="some words that the code printed\n" * 3,
    )


def _marks(
    students: Sequence[int],
    places: Sequence[tuple[Offering, Lab]],
    author: int,
    dice: random.Random,
) -> Iterator[dict[str, Any]]:
    """Mark two of three students' work in every lab."""
    for student in students:
        for offering, lab in places:
            for item in lab.assignment.items:
                if item.manual and dice.random() < 2 / 3:
                    yield {
                        "enrolment_id": student,
                        "offering_id": offering.id,
                        "item_id": item.id,
                        "points": item.points / 2,
                        "comment": "Good.",
                        "author_id": author,
                        "created_at": NOW,
                    }


def _batches(rows: Iterator[dict[type, Any]], size: int) -> Iterator[list[dict[type, Any]]]:
    while batch := list(itertools.islice(rows, size)):
        yield batch
