"""The rules of a term's competition, its labels, and which of its rows are public."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from grader.api import (
    Catalogue,
    CompetitionRules,
    Judge,
    Lab,
    Ladder,
    ManifestError,
    RerunSets,
    UnknownAssignment,
    points_of,
)
from portal.courses.models import Offering, OfferingKind
from portal.platform.config import PortalConfig
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.standings.scores import scaled

LABELS = "labels.csv"


@dataclass(frozen=True)
class Competition:
    """An offering that ranks score, and the rules its manifest states."""

    offering: Offering
    lab: Lab
    rules: CompetitionRules

    @property
    def ladder(self) -> Ladder:
        """The rule by which the public board moves."""
        return Ladder(self.rules.step, self.rules.metric.higher_is_better)

    @property
    def decimals(self) -> int:
        """How many decimals a number on the board has: those of its step."""
        exponent = Decimal(str(self.rules.step)).normalize().as_tuple().exponent
        return max(0, -int(exponent))

    def better(self, first: float, second: float) -> bool:
        """Tell whether the first of two scores is the better one."""
        return first > second if self.rules.metric.higher_is_better else first < second

    def points(self, score: float, place: int, teams: int) -> Decimal:
        """Return what a score at a place is worth in the term, by the printed rule."""
        by_rule = points_of(self.rules, score, place, teams)
        return scaled(by_rule, self.rules.most, self.offering.points)

    def in_term(self, by_rule: Decimal) -> Decimal:
        """Return points of the printed rule as points of the term."""
        return scaled(by_rule, self.rules.most, self.offering.points)


def competition_of(catalogue: Catalogue, offering: Offering) -> Competition | None:
    """Return an offering as a competition; None if it is none, or its files are not here."""
    if offering.kind is not OfferingKind.COMPETITION:
        return None
    try:
        lab = catalogue.get(offering.assignment_slug or "")
    except (UnknownAssignment, ManifestError):
        return None
    rules = lab.assignment.competition
    return Competition(offering, lab, rules) if rules else None


def judge_of(config: PortalConfig, competition: Competition) -> Judge:
    """Return the judge of a competition. Raises Invalid if its labels are not on this server."""
    file = labels_file(config, competition)
    try:
        changed = file.stat().st_mtime_ns
        return _open(file, changed, competition.rules, _secret(config, competition.offering.id))
    except (OSError, ManifestError):
        raise Invalid(
            gettext("This competition cannot score entries at the moment; tell your instructor.")
        ) from None


def labels_file(config: PortalConfig, competition: Competition) -> Path:
    """Return where a competition's labels lie: in the instance, else in the staff's half."""
    own = installed_labels(config, competition.offering.id)
    if own.is_file() or competition.lab.reference is None:
        return own
    return competition.lab.reference / competition.rules.labels


def installed_labels(config: PortalConfig, offering_id: int) -> Path:
    """Return where `portal set-labels` puts the labels of an offering."""
    return config.competitions / str(offering_id) / LABELS


def judge_by(config: PortalConfig, competition: Competition, file: Path) -> Judge:
    """Return the judge by other labels. Raises ManifestError, which names no label."""
    return Judge.open(file, competition.rules, _secret(config, competition.offering.id))


def judge_by_sets(config: PortalConfig, competition: Competition, sets: RerunSets) -> Judge:
    """Return the judge by the labels of a term's set, to tell whether they are the installed."""
    secret = _secret(config, competition.offering.id)
    return Judge(competition.rules, sets.term.labels, secret)


@lru_cache(maxsize=8)
def _open(file: Path, _changed: int, rules: CompetitionRules, secret: bytes) -> Judge:
    return Judge.open(file, rules, secret)


def _secret(config: PortalConfig, offering_id: int) -> bytes:
    """Derive a competition's own secret: every term draws other public rows."""
    what = f"public rows of competition {offering_id}".encode()
    return hmac.digest(config.grading_key, what, hashlib.sha256)
