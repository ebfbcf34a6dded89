"""A term's pledge belongs to every upload and is kept with it, as it was read."""

import re

from sqlalchemy import select
from support.attempts import ANSWER
from support.uploads import upload

from portal.courses.models import Term
from portal.platform.db import read_session, write_session
from portal.submissions.arrival import Arrival
from portal.submissions.models import Submission

FILES = [("answer.py", ANSWER)]
PLEDGE = "I wrote this myself <b>alone</b>."


def ask_for(site, text=PLEDGE):
    with write_session(site.engine) as session:
        session.get_one(Term, site.term.id).pledge = text


def ticked(browser, site):
    page = browser.get(f"/labs/{site.offering_id}/").text
    assert "I wrote this myself &lt;b&gt;alone&lt;/b&gt;." in page
    return re.search(r'name="pledge" value="(\w+)"', page)[1]


def test_an_upload_without_the_pledge_is_refused_and_costs_nothing(site, bench):
    ask_for(site)
    answer = upload(bench.client, site.offering_id, FILES)
    assert answer.status_code == 422 and "pledge" in answer.json["reasons"][0]
    with read_session(site.engine) as session:
        assert session.scalars(select(Submission)).all() == []


def test_what_was_agreed_to_is_kept_and_shown(site, bench):
    ask_for(site)
    key = ticked(bench.client, site)
    answer = upload(bench.client, site.offering_id, FILES, pledge=key)
    assert answer.status_code == 201
    with read_session(site.engine) as session:
        kept = session.scalars(select(Submission)).one()
        assert Arrival.model_validate_json(kept.intake).pledge == PLEDGE
    assert "I wrote this myself" in bench.client.get(f"{answer.json['url']}/receipt").text


def test_a_pledge_that_changed_meanwhile_has_to_be_read(site, bench):
    ask_for(site)
    key = ticked(bench.client, site)
    ask_for(site, "And I used no assistant.")
    assert upload(bench.client, site.offering_id, FILES, pledge=key).status_code == 422


def test_staff_who_try_a_lab_out_pledge_nothing(site):
    site.make_member("tess", "ta")
    ask_for(site)
    assert upload(site.log_in("tess"), site.offering_id, FILES).status_code == 201
