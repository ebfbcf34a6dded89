"""Marking one after the other: the report as it reads, in an order of chance, until all is done."""

import re

import pytest
from support.labs import mark_by_hand

from portal.platform.markdown import render_markdown


@pytest.fixture
def tess(site):
    site.make_member("tess", "ta")
    return site.log_in("tess")


@pytest.fixture(autouse=True)
def _with_report(home):
    """The lab `demo`, of whose points a person gives four."""
    mark_by_hand(home)


def following(page):
    found = re.search(r'href="([^"]+)" rel="next"', page)
    return found[1] if found else None


def test_save_and_next_leads_through_everybody_once(site, tess, classroom):
    people = [classroom.enrol(f"student{number}") for number in range(6)]
    sent = {classroom.send(one, 7.0)[0] for one in people}
    address, seen = f"/staff/submissions/{min(sent)}", []
    while address:
        seen.append(address.rsplit("/", 1)[1])
        page = tess.get(address).text
        left = 6 - len(seen)
        said = (
            f"{left} {'other' if left == 1 else 'others'} left" if left else "Nobody else is left"
        )
        assert said in page
        form = re.search(r'action="([^"]+/marks)"', page)[1]
        onward = following(page)
        answer = tess.post(form, data={"item": "report", "points": "2", "next": onward or address})
        assert answer.location == (onward or address)
        address = onward
    assert sorted(seen) == sorted(sent)
    names = [int(number[-2:], 16) for number in seen]
    assert names != sorted(names), "not in the order of the alphabet"


def test_who_is_marked_or_has_sent_nothing_is_not_next(site, tess, classroom):
    ada, bo = classroom.enrol("ada"), classroom.enrol("bo")
    classroom.enrol("cy")
    (mine,), (theirs,) = classroom.send(ada, 7.0), classroom.send(bo, 5.0)
    assert following(tess.get(f"/staff/submissions/{mine}").text).endswith(theirs)
    tess.post(
        f"/staff/2026-autumn/gradebook/{bo.id}/{site.offering_id}/marks",
        data={"item": "report", "points": "1"},
    )
    page = tess.get(f"/staff/submissions/{mine}").text
    assert following(page) is None and "Nobody else is left" in page


def test_a_report_reads_as_it_was_meant_and_nothing_of_it_runs():
    html = render_markdown(
        "# Title\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n<script>alert(1)</script>\n\n"
        "![x](https://evil.example/x.png) [go](javascript:alert(1))\n",
        with_images=False,
    )
    assert "<table" in html and "&lt;script&gt;" in html
    assert "<img" not in html and 'href="javascript' not in html
    assert "<img" in render_markdown("![x](plot.png)")
