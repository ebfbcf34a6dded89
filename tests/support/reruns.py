"""A small competition whose sources can be run again, its sets drawn, and a worker for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
from flask.testing import FlaskClient
from small_competition import HONEST, SECRET, draw_into, packed, predictions
from sqlalchemy import select

from grader.api import Catalogue, Lab, Rerun, Verdict
from grader.authoring.draw import draw
from grader.authoring.new import Kind, new_lab
from grader.rerun import Comparison
from portal.competition.fresh import FreshSet, set_fresh
from portal.competition.labels import set_labels
from portal.competition.models import CompetitionRerun
from portal.competition.rerunning import RerunOrder, Reruns
from portal.competition.reruns import reruns_of
from portal.platform.db import read_session, write_session
from portal.platform.engine import DbosEngine
from portal.runs import service
from portal.runs.worker import Worker, WorkerParts
from support.competition import Arena, Competitor
from support.portal import Site

SLUG = "rings"


class Ring(Arena):
    """The competition of `small_competition.py`, with its labels installed and three sets drawn."""

    def __init__(self, site: Site, folder: Path) -> None:
        super().__init__(site)
        new_lab(site.config.home, SLUG, kind=Kind.COMPETITION)
        self.change(assignment_slug=SLUG, title="Rings")
        self.catalogue = Catalogue(site.config.home)
        self.lab: Lab = self.catalogue.get(SLUG)
        self.sets = [draw_into(self.lab, folder / f"set{n}", n) for n in (1, 2, 3)]
        labels = self.sets[0] / "staff" / "labels.csv"
        set_labels(site.config, site.engine, self.catalogue, site.term.slug, SLUG, labels)
        self.drawn = draw(self.lab, SECRET)

    def install(self, fresh: Path | None = None, drawn: Path | None = None) -> FreshSet:
        """Install a fresh set, the second one unless another is named."""
        site = self.site
        return set_fresh(
            site.config,
            site.engine,
            self.catalogue,
            site.term.slug,
            SLUG,
            drawn=drawn or self.sets[0],
            fresh=fresh or self.sets[1],
            now=site.clock(),
        )

    def honest(self) -> bytes:
        """Return what `HONEST` predicts."""
        radius = np.sqrt((self.drawn.test["points"] ** 2).sum(axis=1, keepdims=True))
        return predictions(self.lab, self.drawn, (radius > 1.3).astype(int) + (radius > 1.9))

    def leaked(self) -> bytes:
        """Return the labels themselves."""
        return predictions(self.lab, self.drawn, self.drawn.labels.values)

    def enter(self, username: str, data: bytes, source: str | None = HONEST) -> Competitor:
        """Enrol a student with one entry."""
        who = self.student(username)
        answer = who.enter(data, source=None if source is None else packed(source))
        assert answer.status_code == 303, answer.text
        return who

    def reruns(self) -> list[CompetitionRerun]:
        """Return all re-runs, in their order."""
        with read_session(self.site.engine) as session:
            return list(reruns_of(session, self.offering_id))

    def names(self) -> list[str]:
        """Return whose entry each re-run is of."""
        with read_session(self.site.engine) as session:
            rows = session.scalars(select(CompetitionRerun).order_by(CompetitionRerun.number))
            return [row.entry.enrolment.user.username for row in rows]

    def states(self) -> list[str]:
        """Return how each re-run stands."""
        return [one.state.value for one in self.reruns()]

    def press(self, staff: FlaskClient, **form: object) -> str:
        """Press the button that queues, for ten unless said otherwise; return the page that comes.

        A field that is "" is left out.
        """
        sent = {key: value for key, value in ({"count": "10"} | form).items() if value}
        return self._page_after(staff, "reruns", sent)

    def cancel(self, staff: FlaskClient, rerun_id: str | None = None) -> str:
        """Cancel one that waits, or all; return the page that comes."""
        return self._page_after(
            staff, "reruns/cancel", {} if rerun_id is None else {"rerun": rerun_id}
        )

    def _page_after(self, staff: FlaskClient, what: str, form: dict[str, object]) -> str:
        answer = staff.post(f"{self.staff_address}/{self.offering_id}/{what}", data=form)
        return staff.get(answer.location).text if answer.status_code == 303 else answer.text

    def parts(self, jobs: DbosEngine) -> WorkerParts:
        """Return what a worker of this portal has."""
        site = self.site
        return WorkerParts(site.config, site.engine, site.store, self.catalogue, jobs)

    def work(
        self, jobs: DbosEngine, run: Callable[[WorkerParts, RerunOrder], Rerun] | None = None
    ) -> list[str]:
        """Be a worker until nothing is owed; return what was delivered, in order."""
        worker = Worker(
            executor="w",
            database=self.site.engine,
            store=self.site.store,
            catalogue=self.catalogue,
            jobs=jobs,
            grade=None,  # type: ignore[arg-type]
            others=[Reruns(self.parts(jobs), run)],
        )
        delivered: list[str] = []
        while owed := [job.run_id for job in jobs.pending_of() if self._is_open(job.run_id)]:
            assert len(owed) == 1, "one after another"
            worker.deliver(owed[0])
            delivered += owed
        return delivered

    def _is_open(self, rerun_id: str) -> bool:
        """Tell whether an id is still to be done; here nobody takes the engine's jobs away."""
        with read_session(self.site.engine) as session:
            return session.get_one(CompetitionRerun, rerun_id).state.is_open


def said(verdict: Verdict, **values: object) -> Rerun:
    """Return what a re-run says."""
    compared = {
        Verdict.HOLDS: Comparison(0.7, 0.69, 0.02, 0.01),
        Verdict.BELOW: Comparison(1.0, 0.7, 0.02, 0.3),
    }.get(verdict)
    return Rerun("", verdict, compared, tries=1, cpu_seconds=90.0, **values)  # type: ignore[arg-type]


def beat(site: Site, executor: str, now: datetime) -> None:
    """Let a worker show that it lives."""
    with write_session(site.engine) as session:
        service.beat(session, executor=executor, host="h", pid=1, now=now)
