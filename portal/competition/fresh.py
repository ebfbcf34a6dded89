"""The sets that sources are run again on: the term's own, and a fresh one that nobody has seen.

    <instance>/competitions/<offering>/fresh.json     which folder holds, of what labels
    <instance>/competitions/<offering>/sets-.../term  as `grader draw` left it
    <instance>/competitions/<offering>/sets-.../fresh

The list is written last and at once, so that both sets are there or those before them. They hold
labels: only the portal's own account reads them, and they stand on no page and in no log.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import shutil
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import Engine

from grader.api import Catalogue, RerunSets, files_of, read_sets
from portal.audit.service import record
from portal.competition.labels import offered
from portal.competition.opening import Competition, installed_labels, judge_by_sets, judge_of
from portal.competition.private import write_private
from portal.platform.config import PortalConfig
from portal.platform.db import read_session, write_session
from portal.platform.errors import Invalid
from portal.platform.language import gettext

LIST = "fresh.json"
TERM, FRESH = "term", "fresh"
_FOLDERS = "sets-"


class FreshSet(BaseModel):
    """What is known of an installed fresh set without reading it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: str  # beside the list
    digest: str  # names the set; keyed, so that no label can be tried against it
    judge: str  # digest of the judge by the labels of the term's set
    rows: int
    at: datetime


def set_fresh(
    config: PortalConfig,
    engine: Engine,
    catalogue: Catalogue,
    term: str,
    slug: str,
    *,
    drawn: Path,
    fresh: Path,
    now: datetime,
) -> FreshSet:
    """Check a term's set and a fresh one and install both, for re-runs from then on.

    Raises ProctorError if they cannot be used, Invalid if they do not fit the competition: nothing
    is changed then.
    """
    with read_session(engine) as session:
        competition = offered(session, catalogue, term, slug)
    if competition.rules.source is None:
        raise Invalid(f"{slug} names no `source` in its manifest, so no entry can be run again")
    sets = read_sets(drawn, fresh, competition.rules)
    judge = judge_by_sets(config, competition, sets).digest
    if judge != _installed_judge(config, competition):
        raise Invalid(
            f"the labels of {drawn} are not those that entries are scored by; name the folder that "
            f"this term's data were drawn into, or install its labels with portal set-labels"
        )
    installed = _install(config, competition, sets, judge, now)
    with write_session(engine) as session:
        record(
            session,
            at=now,
            actor_id=None,
            action="competition.fresh",
            subject=f"offering:{competition.offering.id}",
            rows=installed.rows,
        )
    return installed


def known_fresh(config: PortalConfig, offering_id: int) -> FreshSet | None:
    """Return what is known of a competition's fresh set; None before one is installed."""
    try:
        return FreshSet.model_validate_json((_place(config, offering_id) / LIST).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def ready_fresh(config: PortalConfig, competition: Competition) -> FreshSet:
    """Return the fresh set that re-runs are made on; Invalid, saying what to do, without one."""
    found = known_fresh(config, competition.offering.id)
    if found is None:
        raise Invalid(
            gettext(
                "there is no fresh set to run sources on; on the server, draw one with grader draw "
                "and install it with portal set-fresh"
            )
        )
    if found.judge != judge_of(config, competition).digest:
        raise Invalid(
            gettext(
                "labels or rules have changed since the fresh set was installed; on the server, "
                "install it again with portal set-fresh"
            )
        )
    return found


def read_fresh(config: PortalConfig, competition: Competition, known: FreshSet) -> RerunSets:
    """Read a fresh set and the term's own; ProctorError if a file of theirs is not there."""
    folder = _place(config, competition.offering.id) / known.folder
    return read_sets(folder / TERM, folder / FRESH, competition.rules)


def _installed_judge(config: PortalConfig, competition: Competition) -> str:
    try:
        return judge_of(config, competition).digest
    except Invalid:
        raise Invalid(
            "there are no labels to compare with; install them first with portal set-labels"
        ) from None


def _place(config: PortalConfig, offering_id: int) -> Path:
    return installed_labels(config, offering_id).parent


def _install(
    config: PortalConfig, competition: Competition, sets: RerunSets, judge: str, now: datetime
) -> FreshSet:
    """Write both sets into a new folder, then the list that names it; remove those before."""
    place = _place(config, competition.offering.id)
    folder = place / f"{_FOLDERS}{secrets.token_hex(8)}"
    fresh = files_of(sets.fresh, competition.rules)
    files = {
        **{f"{TERM}/{path}": data for path, data in files_of(sets.term, competition.rules).items()},
        **{f"{FRESH}/{path}": data for path, data in fresh.items()},
    }
    known = FreshSet(
        folder=folder.name,
        digest=_digest(config.grading_key, fresh),
        judge=judge,
        rows=len(sets.fresh.labels.ids),
        at=now,
    )
    try:
        for path, data in files.items():
            _make_private((folder / path).parent, place)
            write_private(data, folder / path)
        write_private(known.model_dump_json().encode(), place / LIST)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    for old in place.glob(f"{_FOLDERS}*"):
        if old.name != folder.name:
            shutil.rmtree(old, ignore_errors=True)
    return known


def _make_private(folder: Path, top: Path) -> None:
    """Make a folder and those above it, up to `top`, for the portal's own account alone."""
    missing = [one for one in (folder, *folder.parents) if one != top and top in one.parents]
    top.mkdir(mode=0o700, parents=True, exist_ok=True)
    for one in reversed(missing):
        one.mkdir(mode=0o700, exist_ok=True)


def _digest(key: bytes, files: dict[str, bytes]) -> str:
    """Name a set by its bytes, under the installation's key."""
    told = b"".join(hashlib.sha256(files[path]).digest() for path in sorted(files))
    return hmac.digest(key, b"fresh set" + told, hashlib.sha256).hex()
