"""Marking in a browser: digits tick criteria."""

from sqlalchemy import select

from portal.courses.models import Offering, OfferingKind
from portal.platform.db import read_session


def _feedback(site):
    """Return the offering that is marked as a whole, worth 5 points."""
    with read_session(site.engine) as session:
        kind = Offering.kind == OfferingKind.FEEDBACK
        return session.scalars(select(Offering.id).where(kind)).one()


def test_digits_tick_criteria_unless_one_types(portal, visit):
    offering, ada = _feedback(portal.site), portal.students["ada"]
    page = visit("ines")
    page.goto(f"/staff/now/rubrics/{offering}")
    for number, (title, points) in enumerate((("Says what helped", "2"), ("Too long", "-0.5"))):
        page.fill(f"[name=title-{number}]", title)
        page.fill(f"[name=points-{number}]", points)
    page.click("form.rubric-form button[type=submit]")
    page.goto(f"/staff/now/gradebook/{ada}")
    form = page.locator("form.mark", has=page.locator("fieldset.criteria"))
    page.keyboard.press("1")
    page.keyboard.press("2")
    assert form.locator("output").inner_text() == "1.5"
    form.locator("textarea").fill("Chapter ")
    form.locator("textarea").press("2")
    assert form.locator("output").inner_text() == "1.5"
    form.locator("button[type=submit]").first.click()
    page.wait_for_selector(".marks .ticks")
    assert "1.5" in page.locator(".marks").inner_text()
