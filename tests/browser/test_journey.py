"""One lab, end to end, as people see it: uploads graded for real, watched live, read by staff."""

import re
from itertools import product

import pytest
from playwright.sync_api import expect

from grader.api import Catalogue, reference_submission, skeleton_submission
from portal.demo.uploads import as_zip

GRADING_MS = 240_000
LAB = "tiny"
WIDTHS = (390, 1280)
# What axe looks at: a scheme changes colours and nothing else.
LIGHT, DARK = "{}", "{runOnly: {type: 'rule', values: ['color-contrast', 'link-in-text-block']}}"
SCHEMES = {"light": LIGHT, "dark": DARK}


@pytest.fixture(scope="module")
def graded(portal, chromium, sessions, home):
    """Ada's wrong and then right upload, sent through the form and watched until graded."""
    context = chromium.new_context(base_url=portal.address, storage_state=sessions("ada"))
    page = context.new_page()
    places = {"form": f"/labs/{portal.site.offering_id}/"}
    page.goto("/")
    page.click("main table a")
    page.wait_for_url(places["form"])
    lab = Catalogue(home).get(LAB)
    solutions = {"wrong": skeleton_submission(lab), "right": reference_submission(lab)}
    for name, solution in solutions.items():
        page.goto(places["form"])
        sent = as_zip(solution)
        upload = {"name": sent.name, "mimeType": "application/zip", "buffer": sent.data}
        page.set_input_files("input[type=file]", [upload])
        page.click("form[enctype] button[type=submit]")
        page.wait_for_url(re.compile("/submissions/"))
        places[name] = page.url.removeprefix(portal.address)
        live = page.locator("#live-text")
        expect(live).to_be_visible()
        # The page turns into the result by itself: nothing is reloaded by hand.
        expect(page.locator("#score-title")).to_be_visible(timeout=GRADING_MS)
        places[f"{name} score"] = page.locator(".total .score").inner_text()
    context.close()
    return places


@pytest.fixture(scope="module")
def places(portal, graded):
    """The main pages: who opens them, and where they are."""
    site = portal.site
    staff = f"/staff/{site.term.slug}"
    return {
        "home": ("ada", "/"),
        "account": ("ada", "/account"),
        "upload form": ("ada", graded["form"]),
        "handout": ("ada", f"/labs/{site.offering_id + 1}/"),
        "result": ("ada", graded["wrong"]),
        "result with pictures": ("emmy", f"/submissions/{portal.pictured}"),
        "marking": ("ines", f"/staff/submissions/{graded['right'].rsplit('/', 1)[-1]}"),
        "rubric": ("ines", f"{staff}/rubrics/{site.offering_id}"),
        "graded files": ("ada", f"{graded['right']}/code"),
        "gradebook": ("ines", f"{staff}/gradebook"),
        "dashboard": ("ines", f"{staff}/dashboard?offering={site.offering_id}"),
        "extensions": ("ines", f"{staff}/extensions"),
        "history": ("ines", f"{staff}/history"),
        "inbox": ("ines", f"{staff}/inbox"),
        "settings": ("ines", f"{staff}/settings"),
        "settings of a lab": ("ines", f"{staff}/settings/{site.offering_id}"),
    }


def test_the_wrong_upload_scores_nothing_and_the_right_one_all_that_tests_give(graded):
    assert re.fullmatch(r"0\s*/\s*14", graded["wrong score"])
    assert re.fullmatch(r"12\.6\s*/\s*14", graded["right score"]), "a tenth is given by a person"


def test_the_student_reads_hints_and_why_the_score_is_what_it_is(graded, visit):
    page = visit("ada")
    page.goto(graded["wrong"])
    expect(page.locator("main")).to_contain_text("0 of ")
    page.click("text=Explain this score")
    expect(page.locator("h1")).to_be_visible()


def test_the_instructor_sees_both_attempts_and_the_one_that_counts(portal, graded, visit):
    page = visit("ines")
    staff = f"/staff/{portal.site.term.slug}"
    page.goto(f"{staff}/submissions?student=ada")
    expect(page.locator("table caption")).to_contain_text("2 submissions")
    page.goto(f"{staff}/gradebook?q=ada")
    counted = page.locator("table.gradebook td a").first
    assert counted.get_attribute("href").endswith(graded["right"].rsplit("/", 1)[-1])
    page.goto(f"{staff}/dashboard?offering={portal.site.offering_id}")
    expect(page.locator("main")).to_contain_text("2 of 6 students")
    expect(page.locator("[data-drawn=yes]")).to_have_count(3)


def test_the_instructor_comments_on_a_line_by_a_click(portal, graded, visit):
    page = visit("ines")
    page.goto(f"/staff/submissions/{graded['right'].rsplit('/', 1)[-1]}")
    page.locator("section[aria-labelledby=code] summary").first.click()
    line = page.locator("ol.code").first.locator("> li").nth(1)
    line.click(position={"x": 5, "y": 5})
    expect(line.locator("[name=line]")).to_have_value("2")
    line.locator("textarea").fill("Name this constant.")
    line.locator("button[type=submit]").click()
    expect(page.locator("li:nth-child(2) > .line-comment")).to_contain_text("Name this constant.")


@pytest.mark.parametrize(
    "name",
    [
        "home",
        "account",
        "upload form",
        "handout",
        "result",
        "result with pictures",
        "marking",
        "rubric",
        "graded files",
        "gradebook",
        "dashboard",
        "extensions",
        "history",
        "inbox",
        "settings",
        "settings of a lab",
    ],
)
def test_a_main_page_is_accessible_and_fits(name, places, visit, axe):
    """On a phone and on a desktop, light and dark."""
    username, address = places[name]
    page = visit(username, viewport={"width": WIDTHS[0], "height": 900})
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.evaluate(axe)
    for width, (scheme, rules) in product(WIDTHS, SCHEMES.items()):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        # Not waited for: what is folded away moves in no frame, and so never comes to its end.
        page.evaluate("document.getAnimations().forEach(one => one.finish())")
        violations = page.evaluate(
            f"axe.run({rules}).then(r => r.violations.map(v => `${{v.id}}: ${{v.nodes[0].html}}`))"
        )
        assert violations == [], (width, scheme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (width, scheme)
