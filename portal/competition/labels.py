"""Installing the labels of a term's competition, and scoring what was entered by them anew."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from grader.api import Catalogue, Judge, Scores, TableError
from portal.audit.service import record
from portal.competition.entries import all_entries
from portal.competition.models import CompetitionEntry
from portal.competition.opening import Competition, competition_of, installed_labels, judge_by
from portal.competition.private import write_private
from portal.courses.models import Offering, OfferingKind
from portal.courses.service import find_term
from portal.platform.config import PortalConfig
from portal.platform.db import read_session, utc_now, write_session
from portal.platform.errors import Invalid
from portal.platform.store import Store


def set_labels(
    config: PortalConfig, engine: Engine, catalogue: Catalogue, term: str, slug: str, file: Path
) -> int:
    """Check labels and install them; return how many entries were scored anew by them.

    Raises ManifestError if the labels cannot be used, and Invalid if entries do not fit them:
    nothing is changed then.
    """
    with read_session(engine) as session:
        competition = offered(session, catalogue, term, slug)
        judge = judge_by(config, competition, file)
        scores = _scored(session, Store(config.store), judge, competition)
    write_private(file.read_bytes(), installed_labels(config, competition.offering.id))
    with write_session(engine) as session:
        for entry_id, new in scores.items():
            # The one column of an entry that may change: what was sent and when stays as it is.
            session.execute(
                update(CompetitionEntry)
                .where(CompetitionEntry.id == entry_id)
                .values(
                    public_score=new.public, private_score=new.private, judge_digest=judge.digest
                )
            )
        record(
            session,
            at=utc_now(),
            actor_id=None,
            action="competition.labels",
            subject=f"offering:{competition.offering.id}",
            entries=len(scores),
        )
    return len(scores)


def offered(session: Session, catalogue: Catalogue, term: str, slug: str) -> Competition:
    """Return the competition SLUG that a term offers; Invalid or UnknownAssignment without one."""
    offerings = session.scalars(
        select(Offering).where(
            Offering.term_id == find_term(session, term).id,
            Offering.kind == OfferingKind.COMPETITION,
        )
    ).all()
    catalogue.get(slug)  # an unknown one is named as such
    found = next((one for one in offerings if one.assignment_slug == slug), None)
    competition = competition_of(catalogue, found) if found else None
    if competition is None:
        known = [one.assignment_slug or "" for one in offerings]
        near = get_close_matches(slug, known, n=1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise Invalid(
            f"{term} offers no competition {slug!r}; {meant}choose its assignment in the settings"
        )
    return competition


def _scored(
    session: Session, store: Store, judge: Judge, competition: Competition
) -> dict[str, Scores]:
    """Return what each entry scores by these labels, of those that were scored by others."""
    found = {}
    for entry in all_entries(session, competition.offering.id):
        if entry.judge_digest == judge.digest:
            continue
        try:
            found[entry.id] = judge.scores(judge.read(store.get(entry.sha256)))
        except TableError:
            raise Invalid(
                "these labels name other rows than those that students were given: an entry of "
                f"{entry.received_at:%Y-%m-%d} does not fit them; nothing was changed"
            ) from None
    return found
