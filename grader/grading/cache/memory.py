"""What the cache knows of one submission: the way from a grading to the store and back."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

from grader.grading.cache.entry import Entry, Kept
from grader.grading.cache.identity import SuiteFiles, circumstances, read_suite_files, stamp
from grader.grading.cache.recall import Recall
from grader.grading.cache.store import ResultCache
from grader.grading.collected import CollectedSuite
from grader.intake.submission import Submission
from grader.lab.catalogue import Lab
from grader.lab.data import data_stamp
from grader.report.report import Report, RunStatus
from grader.sandbox import Tier

_known: dict[Path, tuple[str, SuiteFiles]] = {}  # by the lab's folder, with its stamp then


class Memory:
    """One grading's view of the cache, of the lab as it stands when this is made."""

    def __init__(
        self,
        cache: ResultCache,
        lab: Lab,
        submission: Submission,
        *,
        key: bytes,
        variant: str | None,
        tier: Tier,
    ) -> None:
        """Look at the lab; GradingError if its suite or its data cannot be read."""
        self._cache = cache
        self._lab = lab
        self._variant = variant
        self._secret = key
        self._stamp = self._now()
        self.files = _files_under(lab, stamp(lab))
        self._circumstances = circumstances(
            lab, self.files, submission, key=key, variant=variant, tier=tier
        )
        self._keys: dict[str, str] = {}

    def collected(self) -> CollectedSuite | None:
        """Return the suite's tests if they are known without collecting it."""
        return self._cache.get(CollectedSuite, self.files.collected_key, self._secret)

    def learn(self, suite: CollectedSuite) -> CollectedSuite:
        """Keep what a server has collected, unless the lab has changed meanwhile."""
        if not self.outdated:
            self._cache.put(self.files.collected_key, suite, self._secret)
        return suite

    def keys(self, suite: CollectedSuite) -> dict[str, str]:
        """Return the key of every test's result, by the test's id."""
        return self._circumstances.keys(self.files, suite)

    def recall(self, suite: CollectedSuite) -> Recall:
        """Return the kept results that fit."""
        self._keys = self.keys(suite)
        found = {
            name: entry
            for name, key in self._keys.items()
            if (entry := self._cache.get(Entry, key, self._secret)) is not None
        }
        limit = self._lab.assignment.limits.cpu_seconds
        return Recall(suite, self.files.joint_files, found, limit)

    def keep(self, report: Report, pictures: Mapping[str, bytes], kept: Mapping[str, Kept]) -> None:
        """Keep what a run found out, unless the lab or its data have changed meanwhile."""
        if report.status is not RunStatus.GRADED or self.outdated:
            return
        for test in report.tests:
            if test.id in kept and test.id in self._keys and not test.cached:
                drawn = tuple(artifact for artifact in report.artifacts if artifact.test == test.id)
                entry = Entry(
                    report=test,
                    kept=kept[test.id],
                    artifacts=drawn,
                    pictures={
                        artifact.sha256: base64.b64encode(pictures[artifact.sha256]).decode()
                        for artifact in drawn
                    },
                )
                self._cache.put(self._keys[test.id], entry, self._secret)

    @property
    def outdated(self) -> bool:
        """Whether a file of the lab, its data or the engine has changed since this was made."""
        return self._now() != self._stamp

    def _now(self) -> str:
        return stamp(self._lab) + data_stamp(self._lab.assignment, self._variant)


def _files_under(lab: Lab, now: str) -> SuiteFiles:
    known = _known.get(lab.public)
    if known is None or known[0] != now:
        known = _known[lab.public] = (now, read_suite_files(lab))
    return known[1]
