"""A whole term, seen from outside: from the course file to the exported grades, by pages alone.

What is no page is said where it happens: an author mends a suite in its file.
"""

import csv
import io
import os
import re
import shutil
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect
from support.databases import sqlite_url
from support.journey import Journey, Somebody
from support.portal import PASSWORD, Clock, Site
from support.serving import free_port, served

from grader.api import Catalogue, load_mutants, reference_submission
from portal.courses.models import Role
from portal.demo.uploads import as_zip
from portal.platform.config import create_instance, load_config
from portal.platform.db import make_engine, utc_now

TESTS = Path(__file__).parents[1]
ZONE = "Asia/Shanghai"
NEW_PASSWORD = "quiet river morning"
# The suite as it was first, and as it is corrected: the bar of `estimate` was out of reach.
RIGHT, WRONG = "1.0 if error < 0.01 else 0.5", "1.0 if error < 0.00001 else 0.5"
PEOPLE, SENT, LATE = 30, 10, 2
MARKS = ("0.85", "0.9", "1", "0.75")  # one after the other, of 1
COURSE = """\
slug = "next"
title = "Deep Learning, next term"
timezone = "{zone}"

[[offering]]
title = "Lab 1: A tiny lab"
assignment = "tiny"
points = 14
opens = {opens}
due = {due}
attempts_per_day = 20

[[offering]]
title = "Lab 2: Late and in time"
assignment = "tiny"
points = 13.37
opens = {opens}
due = {past}
closes = {due}
late_percent = 10
"""
SHOTS = os.environ.get("PROCTOR_SCREENSHOTS")  # a folder for pictures of the main pages
LOOKS = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 390, "height": 844}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "chinese": {"viewport": {"width": 1280, "height": 900}, "locale": "zh-CN"},
}


@dataclass
class School:
    """A served portal, and the machine that it runs on."""

    address: str
    home: Path
    instance: Path


@pytest.fixture
def school(tmp_path):
    """An installation on which Ines led a term before; the lab's suite asks too much."""
    home, instance = tmp_path / "home", tmp_path / "portal"
    for half in ("assignments", "reference"):
        shutil.copytree(TESTS / "home" / half / "tiny", home / half / "tiny")
    _rewrite(home, RIGHT, WRONG)
    create_instance(instance)
    sqlite_url(instance / "portal.db")
    config = load_config(instance, {"GRADER_HOME": str(home)})
    engine = make_engine(config.database_url)
    site = Site(config, engine, Clock(utc_now()))
    old = site.make_term("before", labs=("tiny",), title="Deep Learning, last term")
    site.make_member("ines", Role.INSTRUCTOR, term=old)
    engine.dispose()
    port = free_port()
    command = ["-m", "portal", "run", "--instance", str(instance), "--port", str(port)]
    with served(command, port, instance / "log", GRADER_HOME=str(home)):
        yield School(f"http://127.0.0.1:{port}", home, instance)


@pytest.fixture
def journey(axe):
    """What is counted."""
    return Journey(axe)


@pytest.fixture
def arrive(school, chromium, journey):
    """Return a function that puts somebody in front of the portal; script errors fail the test."""
    contexts, errors = [], []

    def sit_down():
        context = chromium.new_context(base_url=school.address, accept_downloads=True)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        return Somebody(page, journey)

    yield sit_down
    for context in contexts:
        context.close()
    assert errors == []


@pytest.mark.nightly
@pytest.mark.timeout(3000)
def test_a_term_from_its_course_file_to_its_grades(school, journey, arrive, chromium):
    ines, tao = arrive(), arrive()
    with journey.step("instructor: logs in"):
        log_in(ines, "ines", PASSWORD)
    with journey.step("instructor: makes the term from a course file"):
        make_term(ines)
    with journey.step(f"instructor: imports {PEOPLE} people from a Canvas export"):
        passwords = import_class(ines)
    with journey.step("instructor: adds a teaching assistant"):
        passwords["tao"] = add_assistant(ines)
    with journey.step("instructor: opens two labs"):
        for lab in ("Lab 1", "Lab 2"):
            switch(ines, lab, "published")
    with journey.step("instructor: grants an extension"):
        extend(ines)

    usernames = list(passwords)[:SENT]
    in_time, late = usernames[:-LATE], usernames[-LATE:]
    students = {}
    for username in usernames:
        student = arrive()
        with journey.step(f"{SENT} students: log in for the first time"):
            log_in_first(student, username, passwords[username])
        if username in late:
            students[username] = student
            with journey.step(f"{LATE} students: hand in late, one of them with an extension"):
                hand_in(student, "Lab 2", school.home)
            continue
        with journey.step(f"{len(in_time)} students: hand in, in time"):
            hand_in(student, "Lab 1", school.home, wrong=username == in_time[0])
        student.page.context.close()
    with journey.step("instructor: waits for the results"):
        wait_for_results(ines)

    with journey.step("assistant: logs in for the first time"):
        log_in_first(tao, "tao", passwords["tao"])
    with journey.step(f"assistant: marks {SENT} reports, by keyboard alone"):
        mark_all(tao, {"Lab 1": len(in_time), "Lab 2": LATE})

    _rewrite(school.home, WRONG, RIGHT)  # no page: the author corrects the suite's file
    with journey.step("instructor: downloads the uploads of the class"):
        download_class(ines)
    with journey.step(f"instructor: tries a regrade of {SENT} submissions"):
        foretold = try_regrade(ines)
    assert foretold != scores_shown(ines), "nothing of a trial counts"
    with journey.step("instructor: lets it count"):
        let_count(ines)
    graded = scores_shown(ines)
    assert graded == foretold, "what the trial said has come about"

    with journey.step("instructor: publishes the marks"):
        for lab in ("Lab 1", "Lab 2"):
            switch(ines, lab, "marks_published")
    with journey.step("2 students: read mark, comment and how the score came about"):
        for username in late:
            cards = read_score(students[username], "Lab 2")
            assert adds_up(cards, days_late=0 if username == late[0] else 1)
    with journey.step("instructor: downloads the grades"):
        compare_grades(ines)

    if SHOTS:
        take_pictures(school, chromium, students[late[1]], Path(SHOTS))
    print(f"\n{journey.table()}\n{len(journey.pages)} kinds of pages looked at by axe")
    assert journey.violations == []


def log_in(who, username, password):
    who.username = username
    who.go("/login")
    who.type(username)  # the cursor is there
    who.press("Tab")
    who.type(password)
    who.enter()


def log_in_first(who, username, password):
    log_in(who, username, password)
    who.tab_until("[name=current]")
    who.type(password)
    for _ in range(2):
        who.press("Tab")
        who.type(NEW_PASSWORD)
    who.enter()
    expect(who.page.locator("h1")).to_contain_text("Hello")


def make_term(ines):
    now = utc_now().astimezone(ZoneInfo(ZONE)).replace(microsecond=0, tzinfo=None)
    times = {
        "opens": now - timedelta(days=8),
        "due": now + timedelta(days=7),
        "past": now - timedelta(hours=2),
    }
    course = COURSE.format(zone=ZONE, **{name: at.isoformat() for name, at in times.items()})
    ines.click("text=New term")
    ines.attach("input[type=file]", "next.toml", course.encode())
    ines.click("text=Preview the term")
    ines.click("text=Make this term")
    expect(ines.page.locator("h1")).to_have_text("Roster")


def import_class(ines):
    lines = ["Student,ID,SIS User ID,SIS Login ID,Section,Lab 1 (123)", "Points Possible,,,,,14"]
    lines += [
        f'"Surname{n:02}, Given",{10000 + n},2027{n:04},s{n:02},DL-01,' for n in range(PEOPLE)
    ]
    ines.click("summary:has-text('Import people')")
    ines.attach("input[type=file]", "canvas.csv", "\n".join([*lines, ""]).encode())
    ines.click("text=Preview the import")
    ines.click(f"text=Import these {PEOPLE} people")
    passwords = first_passwords(ines)
    assert len(passwords) == PEOPLE
    return passwords


def add_assistant(ines):
    ines.click("text=Back to the roster")
    ines.click("summary:has-text('Add one person')")
    ines.fill("main [name=name]", "Tao")
    ines.fill("main [name=username]", "tao")
    ines.choose("main [name=role]", "TA")
    ines.click("button:text-is('Preview')")
    ines.click("button:has-text('Import')")
    return first_passwords(ines)["tao"]


def first_passwords(ines):
    rows = ines.page.locator("main tbody tr").all_inner_texts()
    return {cells[0]: cells[-1] for cells in (row.split("\t") for row in rows)}


def staff_page(who, title):
    who.click("header summary:has-text('Staff')")
    who.click(f"header a:text-is('{title}') >> nth=0")  # the newest term stands first


def switch(ines, lab, name):
    """Switch something on in a lab's settings."""
    staff_page(ines, "Settings")
    ines.click(f"main table a:has-text('{lab}')")
    ines.click(f"main [name={name}]")
    ines.click("form.settings button[type=submit]")
    expect(ines.page.locator("[role=status]")).to_contain_text("Saved")


def extend(ines):
    tomorrow = utc_now().astimezone(ZoneInfo(ZONE)) + timedelta(days=1)
    staff_page(ines, "Extensions")
    ines.choose("[name=student]", f"(s{SENT - LATE:02})")
    ines.choose("[name=offering]", "Lab 2")
    ines.fill("[name=due]", f"{tomorrow:%Y-%m-%dT%H:%M}")
    ines.fill("[name=reason] >> nth=0", "ill")
    ines.click("button:text-is('Grant')")
    expect(ines.page.locator("[role=status]")).to_contain_text("Granted")


def hand_in(student, lab, home, *, wrong=False):
    found = Catalogue(home).get("tiny")
    files = reference_submission(found)
    if wrong:
        files = load_mutants(found)[0].apply(files)
    sent = as_zip(files)
    student.click("text=My labs")
    student.click(f"main table a:has-text('{lab}')")
    student.attach("#upload-files", sent.name, sent.data)
    student.click("form.upload button[type=submit]")
    student.page.wait_for_url(re.compile("/submissions/"))


def wait_for_results(ines):
    staff_page(ines, "Submissions")
    ines.wait(lambda page: page.locator("main tbody .chip.good").count() == SENT)


def mark_all(tao, labs):
    """Mark every report of every lab, beginning at the inbox, without touching the mouse."""
    marks = iter(MARKS * SENT)
    for lab, count in labs.items():
        tao.go("/")
        tao.tab_until("main a[href$=inbox]")
        tao.enter()
        tao.tab_until("#mark ~ ul a:is([href*=submissions])")
        expect(tao.page.locator(":focus")).to_contain_text(lab)
        tao.enter()
        for left in reversed(range(count)):
            # As if there were no access key: the headless browser heeds none.
            tao.tab_until("form.mark [name=points]", most=200)
            tao.type(next(marks))
            tao.press("Tab")
            tao.type(f"Fine: {left}")
            tao.press("Tab")
            tao.enter()
            expect(tao.page.locator("[role=status]")).to_contain_text("Saved")


def download_class(ines):
    staff_page(ines, "Submissions")
    with ines.page.expect_download() as download:
        ines.click(f"main a:has-text('Download these {SENT} uploads')")
    with zipfile.ZipFile(download.value.path()) as packed:
        assert len(packed.namelist()) == SENT


def try_regrade(ines):
    """Have everything graded anew without its counting; return whose points would be which."""
    staff_page(ines, "Submissions")
    ines.click(f"text=Regrade these {SENT}")
    ines.click(f"text=Try these {SENT} first")
    done = f"{SENT} of {SENT} graded anew. {SENT} of {SENT} would change."
    ines.wait(lambda page: done in page.locator("main").inner_text())
    rows = ines.page.locator("main tbody tr")
    names = rows.locator("th a").all_inner_texts()
    scores = rows.locator("td[data-label='By the trial'] .score b").all_inner_texts()
    return {number_in(name): Decimal(score) for name, score in zip(names, scores, strict=True)}


def let_count(ines):
    staff_page(ines, "Submissions")
    ines.click(f"text=Regrade these {SENT}")
    ines.click("h2:text-is('Trials') ~ ul a >> nth=0")
    ines.fill("[name=reason] >> nth=0", "The bar was out of reach")
    ines.click(f"text=Let the {SENT} that change count")
    expect(ines.page.locator("main")).to_contain_text("The bar was out of reach")


def number_in(name):
    """Return the number that stands in the names of every student."""
    return re.sub(r"\D", "", name)


def scores_shown(ines):
    staff_page(ines, "Submissions")
    rows = ines.page.locator("main tbody tr")
    names = rows.locator("th small").all_inner_texts()
    scores = rows.locator("td:last-child .score b").all_inner_texts()
    return {number_in(name): Decimal(score) for name, score in zip(names, scores, strict=True)}


def read_score(student, lab):
    """Return the card of the student's score, line by line: what, points, of how many."""
    student.click("text=My labs")
    student.click(f"main table a:has-text('{lab}')")
    student.click("main a:has-text('Attempt 1')")
    student.click("text=Explain this score")
    by_tests = Decimal(student.page.locator(".explain .score b").first.inner_text())
    lines = [
        (
            row.locator("th").inner_text(),
            *(Decimal(text) for text in re.findall(r"[\d.]+", row.locator("td").inner_text())),
        )
        for row in student.page.locator(".scorecard tr:has(.score)").all()
    ]
    assert lines[0][1] == by_tests, "the explanation leads to the card's first line"
    return lines


def adds_up(lines, *, days_late):
    """Check a card as its reader would, with pencil and paper."""
    (_, tests, _), (mark_said, mark, _), *between, (_, points, most) = lines
    assert "by Tao" in mark_said and "Fine: " in mark_said
    raw = tests + mark
    (_, together, raw_most), *lateness = between
    assert together == raw
    if days_late:
        ((said, kept, _),) = lateness
        assert "1 day late, 10 % a day: 90 %" in said and kept == raw * Decimal("0.9")
        raw = kept
    else:
        assert lateness == []
    exact = raw * most / raw_most
    return points == exact.quantize(Decimal("0.01"), ROUND_HALF_UP) and most == Decimal("13.37")


def compare_grades(ines):
    """Check that the file says what the page says."""
    staff_page(ines, "Gradebook")
    with ines.page.expect_download() as download:
        ines.click("text=Download CSV")
    with open(download.value.path(), encoding="utf-8-sig", newline="") as file:
        _, *rows = csv.reader(io.StringIO(file.read()))
    exported = {row[0]: [_number(cell) for cell in row[3:]] for row in rows}
    shown = {}
    for row in ines.page.locator("table.gradebook tbody tr").all():
        cells = row.locator("td b").all_inner_texts()
        shown[row.locator("th small").inner_text()] = [_number(cell) for cell in cells]
    assert len(shown) == PEOPLE and exported == shown
    assert sum(any(cells[:2]) for cells in shown.values()) == SENT


def _number(cell):
    return Decimal(cell) if cell not in {"", "–"} else None


def _rewrite(home, old, new):
    suite = home / "reference" / "tiny" / "suite" / "test_maths.py"
    text = suite.read_text()
    assert text.count(old) == 1
    suite.write_text(text.replace(old, new))


def take_pictures(school, chromium, student, folder):
    """Save pictures of the main pages as they look in the end, to be looked at by people."""
    result = student.page.url.partition("?")[0].removeprefix(school.address)
    result = result.removesuffix("/explain")
    places = {
        "ines": ("/terms/new", "/staff/next/settings", "/staff/next/roster"),
        "tao": ("/staff/next/inbox", "/staff/next/submissions", f"/staff{result}"),
        student.username: ("/", result, f"{result}/explain"),
    }
    places["ines"] += ("/staff/next/gradebook", "/staff/next/dashboard")
    folder.mkdir(parents=True, exist_ok=True)
    for username, addresses in places.items():
        password = PASSWORD if username == "ines" else NEW_PASSWORD
        for look, options in LOOKS.items():
            context = chromium.new_context(base_url=school.address, **options)
            page = context.new_page()
            page.set_default_timeout(120_000)
            page.goto("/login")
            page.fill("[name=username]", username)
            page.fill("[name=password]", password)
            page.click("main button[type=submit]")
            for address in addresses:
                page.goto(address)
                name = re.sub(r"[^a-z]+", "-", re.sub(r"[0-9a-f-]{36}", "one", address))
                page.screenshot(
                    path=folder / f"{name.strip('-') or 'home'}-{look}.png", full_page=True
                )
            context.close()
