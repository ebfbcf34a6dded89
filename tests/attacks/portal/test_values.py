"""Values that one database takes and the other does not, on each of them."""

from __future__ import annotations

import pytest
from attacks.portal.rows import row
from attacks.portal.web import send
from sqlalchemy import select

from portal.audit.models import AuditEntry
from portal.platform.db import read_session


@pytest.fixture
def database_url(each_database_url):
    return each_database_url


@row("numbers-too-large")
def test_a_number_that_no_row_has_is_nothing(school, app):
    app.config["PROPAGATE_EXCEPTIONS"] = False
    tess = school.log_in("tess")
    for number in (2**31 - 1, 2**31, 2**63 - 1, 2**63, 10**30, 10**4000):
        ids = school.ids | {"offering_id": number, "enrolment_id": number}
        for verb in ("GET", "POST"):
            for endpoint, address in _with_numbers(app, ids, verb):
                answer = tess.open(address, method=verb, data={} if verb == "POST" else None)
                assert answer.status_code == 404, (endpoint, number)
        slug = school.ids["slug"]
        for query in (f"offering={number}", f"page={number}", f"page=-{number}"):
            page = tess.get(f"/staff/{slug}/submissions?{query}")
            assert page.status_code == 200, query
        assert tess.get(f"/staff/{slug}/dashboard?offering={number}").status_code in (200, 404)
        events = f"/submissions/{school.ids['submission_id']}/events"
        heard = tess.get(events, headers={"Last-Event-ID": str(number)})
        assert heard.status_code == 200
        heard.close()


@row("nul-everywhere")
def test_a_nul_is_refused_or_made_visible(school, app, whole, engine):
    app.config["PROPAGATE_EXCEPTIONS"] = False
    ada, tess, slug = school.log_in("ada"), school.log_in("tess"), school.ids["slug"]
    answers = [
        tess.get(f"/staff/{slug}/submissions?student=a%00b"),
        tess.get(f"/staff/{slug}/submissions?a%00=b"),
        tess.get(f"/staff/{slug}/gradebook?q=%00"),
        tess.get("/staff/%00/gradebook"),
        app.test_client().post("/login", data={"username": "a\0", "password": "x"}),
        tess.post(
            f"/staff/{slug}/gradebook/{school.ids['enrolment_id']}/{whole}/marks",
            data={"item": "whole", "points": "1", "comment": "a\0b"},
        ),
    ]
    assert [answer.status_code for answer in answers] == [400] * 6
    sent = send(ada, school.ids["offering_id"], name="a\0b/answer.py")
    assert sent.status_code == 201
    page = ada.get(f"/submissions/{sent.json['id']}")
    assert page.status_code == 200 and "\0" not in page.text and "a\ufffdb" in page.text
    with read_session(engine) as session:
        assert session.scalars(select(AuditEntry)).all()


def _with_numbers(app, ids, verb):
    for rule in app.url_map.iter_rules():
        if {"offering_id", "enrolment_id"} & rule.arguments and verb in rule.methods:
            with app.test_request_context():
                address = rule.rule
                for name in rule.arguments:
                    for kind in ("int:", "uuid:", "string:", ""):
                        address = address.replace(f"<{kind}{name}>", str(ids[name]))
            yield rule.endpoint, address
