"""The competition as people see it, from forming a team to the result."""

import os
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import expect
from sqlalchemy import update
from support.competition import Arena, as_csv, guesses, truth

from portal.competition.models import CompetitionEntry
from portal.platform.db import write_session

WIDTHS = (390, 1280)
LIGHT, DARK = "{}", "{runOnly: {type: 'rule', values: ['color-contrast', 'link-in-text-block']}}"
LOOKS = (("light", LIGHT), ("light", LIGHT), ("dark", DARK))
DAY = timedelta(days=1)
SHOTS = os.environ.get("PROCTOR_SCREENSHOTS")  # a folder for pictures of the pages


@pytest.fixture(scope="module")
def arena(portal):
    """A competition that opened two days ago, in which another team has an entry."""
    return Arena(portal.site, opens=portal.site.clock() - 2 * DAY)


@pytest.fixture
def look(axe):
    """Return a function that fails if a page is not accessible or does not fit."""
    numbers = count(1)

    def look(page):
        number = next(numbers)
        page.wait_for_load_state("networkidle")
        page.evaluate(axe)
        for width, (scheme, rules) in zip((*WIDTHS, WIDTHS[1]), LOOKS, strict=True):
            page.set_viewport_size({"width": width, "height": 900})
            # Without transitions: those of a page behind another one do not end.
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            found = page.evaluate(
                f"axe.run({rules}).then(r => r.violations.map(v => `${{v.id}}: "
                "${v.nodes[0].html}`))"
            )
            assert found == [], (width, scheme)
            fits = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert fits, (width, scheme)
            if SHOTS:
                name = f"competition-{number}-{width}-{scheme}.png"
                page.screenshot(path=Path(SHOTS) / name, full_page=True)

    return look


def enter(page, data):
    sent = {"name": "predictions.csv", "mimeType": "text/csv", "buffer": data}
    page.set_input_files("#predictions", [sent])
    page.click("text=Enter predictions >> xpath=.. >> button[type=submit]")


def test_from_a_team_to_a_result(portal, arena, visit, look):
    ada, chen, ines = visit("ada"), visit("chen"), visit("ines")
    emmy = visit("emmy")
    emmy.goto(arena.address)
    enter(emmy, guesses(0.7, 3))

    ada.goto("/")
    ada.click("text=Guess the animal")
    expect(ada.locator("h1")).to_have_text("Guess the animal")
    ada.fill("[name=username]", "chen")
    ada.click("button:text-is('Ask')")
    expect(ada.locator("#team")).to_contain_text("Chen is asked")
    chen.goto(arena.address)
    chen.click("button:text-is('Accept')")
    expect(chen.locator("#team")).to_contain_text("Ada")

    ada.goto(arena.address)
    enter(ada, as_csv(truth()[:-1]).replace(b"cat", b"cta", 1))
    expect(ada.locator("[role=alert]")).to_contain_text("did you mean 'cat'?")
    expect(ada.locator("[role=alert]")).to_contain_text("it cost no entry")
    look(ada)
    for skill in (0.6, 0.8):
        ada.goto(arena.address)
        enter(ada, guesses(skill, int(skill * 10)))
        expect(ada.locator("[role=status]")).to_contain_text("Taken.")
    expect(ada.locator("#entries tbody tr")).to_have_count(2)
    expect(ada.locator(".board .own")).to_contain_text("your team")
    expect(ada.locator("[data-drawn=yes]")).to_have_count(1)
    ada.check("#entries tbody tr:nth-child(1) [name=final]")
    ada.click("text=Save the finals")
    expect(ada.locator("[role=status]")).to_contain_text("Saved: 1 final.")
    expect(ada.locator("[name=final]:checked")).to_have_count(1)
    look(ada)

    _all_came_before(portal.site, DAY)
    arena.change(due_at=portal.site.clock() + DAY / 2)
    chen.goto(arena.address)
    enter(chen, guesses(0.9, 9))
    expect(chen.locator("main")).to_contain_text("not shown: the board is frozen")
    look(chen)

    arena.change(due_at=portal.site.clock() - timedelta(hours=1))
    chen.goto(arena.address)
    expect(chen.locator("main")).to_contain_text("No more entries are taken")
    ines.goto(arena.staff_address)
    look(ines)
    ines.click("text=Preview the result")
    expect(ines.locator("h1")).to_have_text("Result of Guess the animal")
    look(ines)
    ines.click("button:text-is('Write the result down')")
    expect(ines.locator("[role=status]")).to_contain_text("The result is written down")
    ada.goto(arena.address)
    expect(ada.locator(".board .own")).to_contain_text("25")
    look(ada)
    ada.goto("/")
    expect(ada.locator("tr", has_text="Guess the animal")).to_contain_text("25 / 25")
    ada.set_extra_http_headers({"Accept-Language": "zh-CN"})
    ada.goto(arena.address)
    expect(ada.locator(".board .own")).to_contain_text("你的队伍")
    look(ada)


def _all_came_before(site, by):
    """Let every entry have come earlier: what is served goes by the real clock."""
    with write_session(site.engine) as session:
        session.execute(update(CompetitionEntry).values(received_at=site.clock() - by))
