"""Students of a lab that teams hand in together."""

from __future__ import annotations

from sqlalchemy import select
from werkzeug.test import TestResponse

from portal.platform.db import read_session
from portal.teams.models import TeamInvitation
from support.attempts import ANSWER
from support.portal import Site
from support.uploads import upload


class Teammate:
    """A student in front of a lab of teams."""

    def __init__(self, site: Site, name: str) -> None:
        self.site, self.name = site, name
        self.enrolment = site.make_member(name)
        self.browser = site.log_in(name)
        self._sent = 0

    def post(self, path: str, **form: object) -> TestResponse:
        """Post a form of the lab."""
        return self.browser.post(f"/labs/{self.site.offering_id}/{path}", data=form)

    def page(self) -> str:
        """Return the page of the lab."""
        return self.browser.get(f"/labs/{self.site.offering_id}/").text

    def invite(self, other: Teammate) -> None:
        """Ask somebody into the team."""
        assert self.post("team/invitations", username=other.name).status_code == 303

    def answer(self, said: str = "accept") -> TestResponse:
        """Answer the newest invitation."""
        with read_session(self.site.engine) as session:
            asked = select(TeamInvitation.id).where(
                TeamInvitation.enrolment_id == self.enrolment.id, TeamInvitation.answer.is_(None)
            )
            number = session.scalars(asked.order_by(TeamInvitation.id.desc())).first()
        return self.post(f"team/invitations/{number}", answer=said)

    def team_with(self, other: Teammate) -> None:
        """Ask somebody, who accepts."""
        self.invite(other)
        assert other.answer().status_code == 303

    def send(self, code: bytes = ANSWER, again: bool = True) -> TestResponse:
        """Hand in; the same files once more unless said otherwise."""
        self._sent += 1
        key = f"{self.name}-{self._sent:09}"
        files = [("answer.py", code)]
        return upload(self.browser, self.site.offering_id, files, key, again=again)

    def sees(self, submission_id: str) -> bool:
        """Tell whether each page of a submission is there, or none is."""
        pages = ("", "/code", "/receipt", "/upload", "/progress")
        place = f"/submissions/{submission_id}"
        found = {self.browser.get(place + page).status_code for page in pages}
        assert len(found) == 1, found
        return found == {200}
