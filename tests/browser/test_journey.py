"""One lab, end to end, as people see it: uploads graded for real, watched live, read by staff."""

import re

import pytest
from playwright.sync_api import expect

from grader.authoring import reference_submission, skeleton_submission
from grader.lab.catalogue import Catalogue, find_home
from portal.demo import LAB, TERM, as_zip

GRADING_MS = 240_000
PAGES = {
    "home": ("ada", "/"),
    "lab": ("ada", None),
    "result": ("ada", None),
    "gradebook": ("ines", f"/staff/{TERM}/gradebook"),
    "dashboard": ("ines", f"/staff/{TERM}/dashboard"),
}


@pytest.fixture(scope="module")
def graded(site, chromium):
    """Ada's wrong and then right upload, sent through the form and watched until graded."""
    context = chromium.new_context(base_url=site.address)
    page = context.new_page()
    page.goto("/login")
    page.fill("[name=username]", "ada")
    page.fill("[name=password]", site.passwords["ada"])
    page.click("main button[type=submit]")
    page.click("main table a")
    places = {"lab": page.url.removeprefix(site.address)}
    lab = Catalogue(find_home(environ={})).get(LAB)
    solutions = {"wrong": skeleton_submission(lab), "right": reference_submission(lab)}
    for name, solution in solutions.items():
        page.goto(places["lab"])
        sent = as_zip(solution)
        upload = {"name": sent.name, "mimeType": "application/zip", "buffer": sent.data}
        page.set_input_files("input[type=file]", [upload])
        page.click("form[enctype] button[type=submit]")
        page.wait_for_url(re.compile("/submissions/"))
        places[name] = page.url.removeprefix(site.address)
        live = page.locator("#live-text")
        expect(live).to_be_visible()
        # The page turns into the result by itself: nothing is reloaded by hand.
        expect(page.locator("#score-title")).to_be_visible(timeout=GRADING_MS)
        places[f"{name} score"] = page.locator(".total").inner_text()
    places["result"] = places["wrong"]
    context.close()
    return places


def test_the_wrong_upload_scores_nothing_and_the_right_one_everything(graded):
    assert re.fullmatch(r"0\s*/\s*[\d.]+", graded["wrong score"])
    score, most = re.fullmatch(r"([\d.]+)\s*/\s*([\d.]+)", graded["right score"]).groups()
    assert score == most


def test_the_student_reads_hints_and_why_the_score_is_what_it_is(graded, visit):
    page = visit("ada")
    page.goto(graded["wrong"])
    expect(page.locator("main")).to_contain_text("0 of ")
    page.click("text=Explain this score")
    expect(page.locator("h1")).to_be_visible()


def test_the_instructor_sees_both_attempts_and_the_one_that_counts(graded, visit):
    page = visit("ines")
    page.goto(f"/staff/{TERM}/submissions?student=ada")
    expect(page.locator("table caption")).to_contain_text("2 submissions")
    page.goto(f"/staff/{TERM}/gradebook?q=ada")
    counted = page.locator("table.gradebook td a").first
    assert counted.get_attribute("href").endswith(graded["right"].rsplit("/", 1)[-1])
    page.goto(f"/staff/{TERM}/dashboard")
    expect(page.locator("main")).to_contain_text("1 of 6 students")
    expect(page.locator("[data-drawn=yes]")).to_have_count(4)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", PAGES)
def test_a_main_page_is_accessible_and_fits(name, width, scheme, graded, visit, axe):
    username, address = PAGES[name]
    page = visit(username, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(address or graded[name])
    page.wait_for_load_state("networkidle")
    page.evaluate(axe)
    violations = page.evaluate(
        "axe.run().then(r => r.violations.map(v => `${v.id}: ${v.nodes[0].html}`))"
    )
    assert violations == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
