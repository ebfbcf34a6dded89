"""Writing comments on lines, reading them beside their lines, and taking them back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.audit.service import record
from portal.code.files import CodeFile
from portal.code.models import LineComment
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.submissions.models import Submission

MOST_COMMENTS = 200  # of a submission
LONGEST = 4000  # characters

Beside = Mapping[str, Mapping[int, Sequence[LineComment]]]  # path, line


def comments_on(session: Session, submission_id: str) -> dict[str, dict[int, list[LineComment]]]:
    """Return the comments on a submission by path and line, each line's oldest first."""
    query = (
        select(LineComment)
        .where(LineComment.submission_id == submission_id)
        .order_by(LineComment.path, LineComment.line, LineComment.id)
    )
    found: dict[str, dict[int, list[LineComment]]] = {}
    for one in session.scalars(query):
        found.setdefault(one.path, {}).setdefault(one.line, []).append(one)
    return found


def comments_for_student(
    session: Session, submission: Submission
) -> dict[str, dict[int, list[LineComment]]]:
    """Return the comments that a submission's student may see: once marks are published."""
    return comments_on(session, submission.id) if submission.offering.marks_published else {}


def how_many(comments: Beside) -> int:
    """Count comments."""
    return sum(len(group) for lines in comments.values() for group in lines.values())


def comment_line(
    session: Session,
    submission: Submission,
    files: Sequence[CodeFile],
    *,
    path: str,
    line: str,
    text: str,
    author_id: int,
    now: datetime,
) -> LineComment:
    """Write a comment on a line and an entry in the audit log; the caller commits.

    `files` are the submission's. Raises Invalid, with the field to be mended, unless there is such
    a line and something is said.
    """
    lines = next((file.lines for file in files if file.path == path), None)
    if lines is None:
        raise Invalid(gettext("this attempt has no text file %(path)r", path=path[:80]))
    number = int(line) if line.isascii() and line.isdigit() and len(line) < 9 else 0
    if not 1 <= number <= len(lines):
        raise Invalid(
            gettext(
                "%(path)s has no line %(line)r; name one from 1 to %(last)s",
                path=path,
                line=line[:20],
                last=len(lines),
            ),
            field="line",
        )
    text = "\n".join(text.strip().splitlines())
    if not 1 <= len(text) <= LONGEST:
        raise Invalid(
            gettext("write a comment of 1 to %(most)s characters", most=LONGEST), field="text"
        )
    here = select(func.count(LineComment.id)).where(LineComment.submission_id == submission.id)
    if (session.scalar(here) or 0) >= MOST_COMMENTS:
        raise Invalid(
            gettext("this attempt has %(most)s comments, the most there are", most=MOST_COMMENTS)
        )
    comment = LineComment(
        submission_id=submission.id,
        path=path,
        line=number,
        text=text,
        author_id=author_id,
        created_at=now,
    )
    session.add(comment)
    _record(session, comment, "comment.write", actor_id=author_id, now=now)
    return comment


def take_back(
    session: Session, submission_id: str, comment_id: int, *, actor_id: int, now: datetime
) -> bool:
    """Remove a comment, whose words stay in the audit log; the caller commits.

    Return whether it was there.
    """
    found = session.get(LineComment, comment_id)
    if found is None or found.submission_id != submission_id:
        return False
    _record(session, found, "comment.take_back", actor_id=actor_id, now=now)
    session.delete(found)
    return True


def _record(
    session: Session, comment: LineComment, action: str, *, actor_id: int, now: datetime
) -> None:
    record(
        session,
        at=now,
        actor_id=actor_id,
        action=action,
        subject=f"submission:{comment.submission_id}",
        place=f"{comment.path}:{comment.line}",
        comment=comment.text,
    )
