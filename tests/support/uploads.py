"""Sending forms as a browser does, and one student in front of the lab."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from grader.report import Report
from portal.platform.db import read_session
from portal.submissions.models import Submission
from support.attempts import ANSWER, book, fault
from support.portal import Site


def multipart(files=(), **fields: str) -> dict:
    """Return a form as bytes, whatever the files are called."""
    parts = [(f'name="{name}"', value.encode()) for name, value in fields.items()]
    parts += [(f'name="files"; filename="{name}"', data) for name, data in files]
    body = b"".join(
        f"--edge\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + data + b"\r\n"
        for head, data in parts
    )
    return {"data": body + b"--edge--\r\n", "content_type": "multipart/form-data; boundary=edge"}


def token_of(page: str) -> str:
    """Return the CSRF token that a page's form carries."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, "the page has no form with a CSRF token"
    return found.group(1)


def upload(
    browser: FlaskClient,
    offering_id: int,
    files: list[tuple[str, bytes]],
    key: str = "upload-0001",
    *,
    json: bool = True,
    again: bool = True,
    **more: str,
) -> TestResponse:
    """Send files through the upload form; ask for the receipt as JSON or for a page.

    `again` says that files which are an attempt already are meant.
    """
    more |= {"again": "yes"} if again else {}
    return browser.post(
        f"/labs/{offering_id}/submissions",
        headers={"Accept": "application/json" if json else "text/html"},
        **multipart(files, client_key=key, **more),
    )


@dataclass
class Bench:
    """One student in front of the lab."""

    site: Site
    client: FlaskClient

    def __post_init__(self) -> None:
        self.app, self.engine, self.store = self.site.app, self.site.engine, self.site.store
        self.offering_id, self.change_offering = self.site.offering_id, self.site.change_offering

    def send(
        self,
        data: bytes = ANSWER,
        *,
        key: str = "k" * 12,
        json: bool = False,
        files: list[tuple[str, bytes]] | None = None,
        client: FlaskClient | None = None,
        **options: object,
    ) -> TestResponse:
        """Post an upload; `json=True` asks for the receipt as JSON."""
        sent = files or [("answer.py", data)]
        return upload(client or self.client, self.offering_id, sent, key, json=json, **options)

    def receipt(self, **options) -> dict:
        """Send an upload that must be taken, and return its receipt."""
        answer = self.send(json=True, **options)
        assert answer.status_code in (200, 201), answer.text
        return answer.get_json()

    def submissions(self) -> list[Submission]:
        """Return the rows, oldest first."""
        with read_session(self.engine) as session:
            return list(session.scalars(select(Submission).order_by(Submission.attempt)))

    def grade(self, submission_id: str, report: Report) -> None:
        """Book a report for a submission's run."""
        book(self.site, submission_id, report)

    def fault(self, submission_id: str, **options) -> None:
        """Let grading fail through our fault."""
        fault(self.site, submission_id, **options)
