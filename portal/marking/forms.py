"""What addresses and forms about many submissions hold."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from flask import request

from portal.courses.access import reader_veil, staff_term
from portal.courses.anonymity import Veil, called
from portal.courses.models import Term
from portal.marking.finding import Filter
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.platform.web import db_session, row_id
from portal.runs.models import RunState


@dataclass(frozen=True)
class Asked:
    """What a request about many submissions of a term asks for."""

    term: Term
    veil: Veil  # what hides the term's students from whoever asks
    wanted: Filter


def asked(slug: str) -> Asked:
    """Read which submissions of a term one of its staff asks for; 404 for anybody else.

    A name that is hidden finds none.
    """
    term = staff_term(db_session(), slug)
    veil = reader_veil(db_session(), term)
    return Asked(term, veil, _filter(term, veil))


def _filter(term: Term, veil: Veil) -> Filter:
    state = request.values.get("state", "")
    student = request.values.get("student", "").strip()
    return Filter(
        term_id=term.id,
        offering_id=request.values.get("offering", type=row_id),
        student=student,
        state=RunState(state) if state in set(RunState) else None,
        pseudonyms=called(db_session(), term, veil, student) if student else {},
    )


def key_of(form: Mapping[str, str]) -> str:
    """Return what a form bears, so that pressing it twice does it once."""
    try:
        return str(uuid.UUID(form.get("key", "")))
    except ValueError:
        raise Invalid(
            gettext("the form is incomplete; reload the page and press the button again")
        ) from None
