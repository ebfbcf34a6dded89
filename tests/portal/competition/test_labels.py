"""Labels: where they lie, who can read them, and what another set of them changes."""

import stat

import pytest
from support.competition import CLASSES, ROWS, as_csv, guesses, truth

from grader.api import Catalogue, ManifestError
from portal.competition.labels import set_labels
from portal.competition.opening import competition_of, judge_of
from portal.courses.models import Offering
from portal.platform.db import read_session
from portal.platform.errors import Invalid


@pytest.fixture
def install(arena, site, tmp_path):
    def install(data, slug="guess"):
        file = tmp_path / "new.csv"
        file.write_bytes(data)
        catalogue = Catalogue(site.config.home)
        return set_labels(site.config, site.engine, catalogue, site.term.slug, slug, file)

    return install


def test_installed_labels_are_read_by_the_portal_alone_and_score_anew(arena, site, install):
    ada = arena.student("ada")
    ada.enter(guesses(0.6, 1))
    before = arena.entries()[0]
    assert install(as_csv(truth(8))) == 1
    place = site.config.competitions / str(arena.offering_id) / "labels.csv"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.parent.stat().st_mode) == 0o700
    after = arena.entries()[0]
    assert after.public_score < before.public_score, "other labels, so it is no better than chance"
    assert (after.sha256, after.received_at) == (before.sha256, before.received_at)
    assert install(as_csv(truth(8))) == 0


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (as_csv(truth()[:200]), "the private board needs some"),
        (as_csv([*truth()[:-1], "cow"]), "doubled or no label"),
        (as_csv(["cat"] * 100_001), "may have 100,000 rows to predict"),
    ],
)
def test_labels_that_cannot_be_used_are_refused_and_none_is_named(install, data, message):
    with pytest.raises(ManifestError, match=message) as refused:
        install(data)
    assert "cow" not in str(refused.value)


def test_a_competition_of_more_rows_than_other_tables_may_have_takes_entries(arena, install):
    animals = [CLASSES[row % 4] for row in range(25_000)]
    assert install(as_csv(animals)) == 0
    answer = arena.student("ada").enter(as_csv(animals))
    assert answer.status_code == 303, answer.text
    assert arena.entries()[0].public_score == 1


def test_labels_of_other_rows_do_not_replace_those_of_entries(arena, site, install):
    arena.student("ada").enter(guesses(0.6, 1))
    with pytest.raises(Invalid, match="name other rows"):
        install(as_csv([*truth(), "cat"]))
    assert not (site.config.competitions / str(arena.offering_id)).exists()


def test_a_slug_that_is_not_offered_is_named(install):
    with pytest.raises(Invalid, match="no competition 'demo'"):
        install(as_csv(truth()), "demo")


def test_which_rows_are_public_differs_from_offering_to_offering(arena, site):
    with read_session(site.engine) as session:
        offering = session.get_one(Offering, arena.offering_id)
        competition = competition_of(Catalogue(site.config.home), offering)
        judge = judge_of(site.config, competition)
        assert repr(judge) == f"Judge({ROWS} rows)"
        session.expunge(offering)
    offering.id += 1
    other = judge_of(site.config, competition)
    assert (judge._public != other._public).any()
    assert judge._public.sum() == other._public.sum()
