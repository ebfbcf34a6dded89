"""The gradebook as a page: its order, what it warns of, and how it reads without a script."""

import re
from datetime import timedelta

import pytest
from support.portal import START

BOOK = "/staff/2026-autumn/gradebook"


@pytest.fixture
def tess(site):
    site.make_member("tess", "ta")
    return site.log_in("tess")


@pytest.fixture
def scored(site, classroom):
    """Three students with 3, 12 and 7 of 14 points, and one with none."""
    for name, points in (("ada", 3.0), ("bo", 12.0), ("cy", 7.0)):
        classroom.send(classroom.enrol(name), points)
    classroom.enrol("di")
    return site.offering_id


def names(page):
    return re.findall(r'gradebook/\d+">(\w+)</a>', page)


@pytest.mark.parametrize(
    ("query", "order"),
    [
        pytest.param("", ["Ada", "Bo", "Cy", "Di"], id="by name"),
        pytest.param("?sort=name&order=down", ["Di", "Cy", "Bo", "Ada"], id="by name, down"),
        pytest.param("?sort=total", ["Bo", "Cy", "Ada", "Di"], id="the most first"),
        pytest.param("?sort=total&order=up", ["Ada", "Cy", "Bo", "Di"], id="no score is last"),
        pytest.param("?sort={lab}", ["Bo", "Cy", "Ada", "Di"], id="a lab"),
        pytest.param("?sort={lab}&order=up", ["Ada", "Cy", "Bo", "Di"], id="a lab, up"),
        pytest.param("?sort=nonsense&order=x", ["Ada", "Bo", "Cy", "Di"], id="nonsense"),
    ],
)
def test_rows_come_in_the_order_that_the_address_asks_for(tess, scored, query, order):
    assert names(tess.get(BOOK + query.format(lab=scored)).text) == order


def test_a_column_sorts_by_its_head_and_says_how(tess, scored):
    page = tess.get(f"{BOOK}?sort=total&q=o").text
    assert page.count("aria-sort=") == 1 and 'aria-sort="descending"' in page
    (turn,) = re.findall(r'href="([^"]*sort=total[^"]*)"', page)
    assert "order=up" in turn and "q=o" in turn
    assert names(page) == ["Bo"]


def test_what_is_not_due_or_not_there_yet_is_no_warning(site, tess, scored):
    page = tess.get(BOOK).text
    assert "1 student has no score for" in page
    assert "notice warning" not in page and "state warn" not in page
    site.change_offering(due_at=START + timedelta(days=1))
    site.clock.advance(days=2)
    page = tess.get(BOOK).text
    assert "1 student has no score for" in page.split("notice warning")[1].split("</section>")[0]
