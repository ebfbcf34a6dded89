"""Attacks on a competition's board: what it tells of scores, to whom, and by what else."""

import logging
import random
import re
import sys
import uuid
from datetime import timedelta

import pytest
from sqlalchemy import update
from support.competition import CLASSES, ROWS, as_csv, guesses, truth

from grader.api import Catalogue
from portal.competition.models import CompetitionEntry
from portal.competition.opening import competition_of, judge_of
from portal.courses.models import Offering
from portal.platform.db import read_session, write_session

# Of the clock, and of how many requests came; none of it is of a score.
CHANGING = {"Date", "Set-Cookie", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After"}
VOLATILE = re.compile(r'nonce[=-]"?[\w-]+|name="(client_key|csrf_token)" value="[^"]+"')


@pytest.fixture
def scene(arena, site, tess):
    """Two teams with entries, and everybody who may look."""
    ada, bo = arena.student("ada"), arena.student("bo")
    for seed in (1, 2):
        ada.enter(guesses(0.9 / seed, seed))
    bo.enter(guesses(0.7, 3))
    for one in (ada, bo):
        one.page()  # which says once that the entries were taken
    return {"ada": ada.browser, "bo": bo.browser, "tess": tess}


def seen(arena, site, people):
    """Return what each of them is told: pages, files and JSON, with their headers."""
    term, ours = site.term.slug, f"{arena.staff_address}/{arena.offering_id}"
    staff = [arena.staff_address, f"{ours}/teams/{arena.entries()[0].team_id}", f"{ours}/result"]
    staff += [f"/staff/{term}/{one}" for one in ("gradebook", "gradebook.csv", "inbox")]
    places = {
        "ada": ["/", arena.address, f"/labs/{arena.offering_id}/", *staff[:1]],
        "bo": [arena.address],
        "tess": [arena.address, *staff],
    }
    told = {}
    for name, addresses in places.items():
        for place in addresses:
            for accepted in ["text/html", *["application/json"] * place.startswith(ours)]:
                answer = people[name].get(place, headers={"Accept": accepted})
                headers = sorted(one for one in answer.headers if one[0] not in CHANGING)
                told[name, place, accepted] = VOLATILE.sub("", f"{headers}\n{answer.text}")
    return told


def changed(before, after):
    """Return what is told otherwise, and where: texts are too long to be shown."""
    return [what for what, told in before.items() if after[what] != told]


def rescore(site, entry, **scores):
    """Put other scores into an entry; the portal itself does so only with other labels."""
    with write_session(site.engine) as session:
        known = CompetitionEntry.id == entry.id
        session.execute(update(CompetitionEntry).where(known).values(**scores))


@pytest.mark.parametrize("frozen", [False, True], ids=["open", "frozen"])
def test_nothing_that_anybody_sees_depends_on_a_private_score(arena, site, scene, frozen):
    if frozen:
        arena.freeze()
    before = seen(arena, site, scene)
    for entry in arena.entries():
        rescore(site, entry, private_score=1 - entry.private_score)
    assert changed(before, seen(arena, site, scene)) == []


def test_a_public_score_that_moves_nothing_is_told_to_nobody(arena, site, scene):
    before = seen(arena, site, scene)
    _, worse, _ = arena.entries()
    rescore(site, worse, public_score=0.123)
    assert changed(before, seen(arena, site, scene)) == []
    rescore(site, worse, public_score=1.0)
    assert len(changed(before, seen(arena, site, scene))) > 3, "or this would see nothing at all"


def test_changing_one_row_in_each_file_tells_no_label(arena, site):
    ada, draw = arena.student("ada"), random.Random(4)
    base = [one if draw.random() < 0.6 else draw.choice(CLASSES) for one in truth()]
    ada.enter(as_csv(base))
    told = {ada.number()}
    for day in range(1, 4):
        site.clock.instant = arena.opens + timedelta(days=day)
        for turn in range(5):
            row = 5 * day + turn
            tried = [*base[:row], truth()[row], *base[row + 1 :]]
            assert ada.enter(as_csv(tried)).status_code == 303
            told.add(ada.number())
    assert len(told) == 1


def test_an_answer_says_the_same_of_every_score(arena, caplog):
    """Neither answer nor log nor flash differs between a file that is right and one that is not."""
    caplog.set_level(logging.DEBUG)
    ada, said = arena.student("ada"), []
    ada.enter(as_csv(truth()))
    wrong = ["cat" if one != "cat" else "dog" for one in truth()]
    for animals in (truth(), wrong, wrong[:300] + truth()[300:]):
        caplog.clear()
        answer = ada.enter(as_csv(animals))
        headers = [one for one in answer.headers if one[0] not in CHANGING]
        logged = [one.getMessage() for one in caplog.records if one.name.startswith("portal")]
        said.append((answer.status_code, VOLATILE.sub("", str(headers)), answer.text, logged))
    assert said[0] == said[1] == said[2]


def test_scoring_does_the_same_work_whatever_is_right(arena, site):
    """Time tells nothing: as many calls, over arrays of one size, for right and wrong files."""
    with read_session(site.engine) as session:
        offering = session.get_one(Offering, arena.offering_id)
        judge = judge_of(site.config, competition_of(Catalogue(site.config.home), offering))
    wrong = ["cat" if one != "cat" else "dog" for one in truth()]
    files = [as_csv(one) for one in (truth(), wrong, wrong[:300] + truth()[300:])]
    values = [judge.read(data) for data in files]
    judge.scores(values[0])
    assert len({calls_of(judge.scores, one) for one in values}) == 1


def calls_of(function, *arguments):
    """Count the calls that a function makes, its own among them."""
    count = 0

    def watch(_frame, kind, _argument):
        nonlocal count
        count += kind in {"call", "c_call"}

    sys.setprofile(watch)
    try:
        function(*arguments)
    finally:
        sys.setprofile(None)
    return count


def test_forged_and_others_ids_open_and_change_nothing(arena, site, tess):
    ada, eve = arena.student("ada"), arena.student("eve")
    ada.enter(guesses(0.8, 1))
    eve.enter(guesses(0.5, 2))
    cy = arena.student("cy")
    ada.invite(cy)
    before, (first, _) = seen_by(tess, arena), arena.entries()
    for entry in (first.id, str(uuid.uuid4())):
        assert eve.browser.get(f"/competitions/entries/{entry}/predictions.csv").status_code == 404
        source = f"{arena.staff_address}/entries/{entry}/source.zip"
        assert eve.browser.get(source).status_code == 404
        assert eve.post("finals", final=[entry]).status_code == 422
    for number in (1, 2, 999):
        answer = eve.post(f"team/invitations/{number}", answer="accept")
        assert answer.status_code == 404
    ruling = {"team": first.team_id, "what": "disqualify", "reason": "envy"}
    for act in ("rulings", "moves", "names", "result"):
        place = f"{arena.staff_address}/{arena.offering_id}/{act}"
        assert eve.browser.post(place, data=ruling).status_code == 404
    assert seen_by(tess, arena) == before
    assert len(arena.entries()) == 2 and ROWS == len(truth())


def seen_by(browser, arena):
    """Return what staff see of the teams."""
    return VOLATILE.sub("", browser.get(arena.staff_address).text)
