"""What students of the demo hand in: right and wrong solutions, from the staff's half of the labs.

They are packed as students would, and go the way of any upload but through no form.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from grader.api import Lab, Replacement, load_mutants, reference_submission, skeleton_submission
from grader.api import Submission as AcceptedFiles
from portal.courses.models import Enrolment, Offering, Term
from portal.labs.service import Sender, submit
from portal.people.models import User
from portal.platform.db import write_session
from portal.platform.engine import JobEngine
from portal.platform.store import Store
from portal.runs.queues import queue_of
from portal.runs.suites import digest_of
from portal.submissions.arrival import SentFile, Upload, receive

SENDERS = ("ada", "chen", "emmy", "grace", "karl")
WITHOUT_DATA = "synthetic"  # the variant that grades on any machine
WRONG_ANSWERS = 5  # how many of the first lab's wrong solutions are handed in


def uploads(lab: Lab) -> list[tuple[str, SentFile]]:
    """Return who hands in what, in order: wrong solutions first, as people do."""
    reference = reference_submission(lab)
    wrong = [one for one in load_mutants(lab) if all(_in_code(file) for file in one.replace)]
    step = max(1, len(wrong) // WRONG_ANSWERS)
    chosen = [as_zip(one.apply(reference)) for one in wrong[::step][:WRONG_ANSWERS]]
    plan = [(SENDERS[0], as_zip(skeleton_submission(lab)))]
    plan += [(SENDERS[number % len(SENDERS)], sent) for number, sent in enumerate(chosen)]
    plan += [(SENDERS[0], as_zip(reference)), (SENDERS[1], as_notebook(reference))]
    return plan


def few_uploads(lab: Lab) -> list[tuple[str, SentFile]]:
    """Return who hands in what of a further lab: nothing done, one thing wrong, all of it right."""
    variant = WITHOUT_DATA if WITHOUT_DATA in lab.assignment.variants else None
    reference = reference_submission(lab, variant)
    wrong = next(one for one in load_mutants(lab) if all(_in_code(file) for file in one.replace))
    return [
        (SENDERS[2], as_zip(skeleton_submission(lab))),
        (SENDERS[1], as_zip(wrong.apply(reference))),
        (SENDERS[0], as_zip(reference)),
    ]


def as_zip(files: AcceptedFiles) -> SentFile:
    """Pack a submission as a student would."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files.files:
            archive.writestr(zipfile.ZipInfo(file.path), file.content)
    return SentFile("solution.zip", packed.getvalue())


def as_notebook(files: AcceptedFiles) -> SentFile:
    """Write a submission's Python files as cells of a notebook, each under its file's name."""
    sources = [
        f"# file: {file.path}\n{file.content.decode()}"
        for file in files.files
        if file.path.endswith(".py")
    ]
    cells: list[dict[str, object]] = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate(sources)
    ]
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    return SentFile("solution.ipynb", json.dumps(notebook).encode())


def hand_in(
    store: Store,
    engine: Engine,
    jobs: JobEngine,
    lab: Lab,
    sent: Sequence[tuple[str, SentFile]],
    *,
    term: str,
    now: datetime,
) -> int:
    """Submit files to a lab of a term, each but what was submitted before; return how many."""
    added = 0
    for number, (username, file) in enumerate(sent):
        upload = receive([file], lab.assignment)
        store.put(upload.data)
        key = f"demo-{lab.assignment.slug}-{number:03}"
        with write_session(engine) as session:
            added += _submit(session, jobs, lab, username, upload, key, term=term, now=now)
    return added


def _in_code(change: Replacement) -> bool:
    return change.file.endswith(".py")


def _submit(
    session: Session,
    jobs: JobEngine,
    lab: Lab,
    username: str,
    upload: Upload,
    key: str,
    *,
    term: str,
    now: datetime,
) -> bool:
    """Submit one upload unless it was submitted before; tell whether it was new."""
    enrolment_id, offering_id = session.execute(
        select(Enrolment.id, Offering.id)
        .join(User, Enrolment.user_id == User.id)
        .join(Term, Enrolment.term_id == Term.id)
        .join(Offering, Offering.term_id == Term.id)
        .where(
            Term.slug == term,
            User.username == username,
            Offering.assignment_slug == lab.assignment.slug,
        )
    ).one()
    submitted = submit(
        session,
        jobs,
        # As staff: the demo may be built again when the lab has closed.
        sender=Sender(enrolment_id, is_staff=True),
        offering_id=offering_id,
        client_key=key,
        upload=upload,
        suite_digest=digest_of(lab),
        queue=queue_of(lab.assignment),
        now=now,
    )
    return submitted.created
