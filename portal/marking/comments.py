"""Keeping comments to use again, for all who mark a lab."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.marking.models import SavedComment
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.standings.models import ManualMark, Opinion

MOST_KEPT = 100  # of a lab: a longer list finds nothing faster than typing


def kept_comments(session: Session, offering_id: int) -> dict[str, list[SavedComment]]:
    """Return the kept comments of a lab by item, in the order of their words."""
    query = (
        select(SavedComment)
        .where(SavedComment.offering_id == offering_id)
        .order_by(SavedComment.text, SavedComment.id)
    )
    found: dict[str, list[SavedComment]] = {}
    for one in session.scalars(query):
        found.setdefault(one.item_id, []).append(one)
    return found


def keep_comment(session: Session, mark: ManualMark | Opinion, *, now: datetime) -> None:
    """Keep a mark's comment unless it is empty or kept already; the caller commits.

    Raises Invalid if the list is full.
    """
    here = SavedComment.offering_id == mark.offering_id
    same = select(SavedComment.id).where(
        here, SavedComment.item_id == mark.item_id, SavedComment.text == mark.comment
    )
    if not mark.comment or session.scalar(same) is not None:
        return
    if (session.scalar(select(func.count(SavedComment.id)).where(here)) or 0) >= MOST_KEPT:
        raise Invalid(
            gettext("%(most)s comments are kept for this lab; forget one first", most=MOST_KEPT),
            field="comment",
        )
    session.add(
        SavedComment(
            offering_id=mark.offering_id,
            item_id=mark.item_id,
            text=mark.comment,
            author_id=mark.author_id,
            created_at=now,
        )
    )


def with_kept(session: Session, offering_id: int, comment_id: int | None, typed: str) -> str:
    """Return what was typed, and below it a kept comment of the lab that was chosen."""
    found = session.get(SavedComment, comment_id) if comment_id is not None else None
    if found is None or found.offering_id != offering_id:
        return typed
    return f"{typed.rstrip()}\n{found.text}".strip()


def forget_comment(session: Session, offering_id: int, comment_id: int | None) -> None:
    """Remove a kept comment of a lab, if it is there; the caller commits."""
    found = session.get(SavedComment, comment_id) if comment_id is not None else None
    if found is not None and found.offering_id == offering_id:
        session.delete(found)
