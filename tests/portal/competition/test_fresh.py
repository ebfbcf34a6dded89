"""Fresh sets: both go in whole or not at all, and nobody else can read them."""

import shutil
import stat

import numpy as np
import pytest
from sqlalchemy import select

from grader.errors import ProctorError
from portal.audit.models import AuditEntry
from portal.competition import fresh as module
from portal.competition.fresh import known_fresh, read_fresh, ready_fresh
from portal.competition.opening import competition_of
from portal.courses.models import Offering
from portal.platform.db import read_session
from portal.platform.errors import Invalid


@pytest.fixture
def competition(ring, site):
    with read_session(site.engine) as session:
        return competition_of(ring.catalogue, session.get_one(Offering, ring.offering_id))


def test_both_sets_are_installed_for_the_portal_alone(ring, site, competition):
    installed = ring.install()
    place = site.config.competitions / str(ring.offering_id)
    for path in [place, *place.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    sets = read_fresh(site.config, competition, ready_fresh(site.config, competition))
    assert np.array_equal(sets.term.test["points"], ring.drawn.test["points"])
    assert sets.fresh.train is None and len(sets.fresh.labels.ids) == installed.rows == 1500
    with read_session(site.engine) as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "competition.fresh")
        ).one()
    assert entry.detail == {"rows": 1500} and entry.subject == f"offering:{ring.offering_id}"


def test_another_fresh_set_takes_the_place_of_the_first(ring, site, competition):
    before = ring.install()
    after = ring.install(fresh=ring.sets[2])
    assert after.digest != before.digest
    assert known_fresh(site.config, ring.offering_id) == after
    (folder,) = (site.config.competitions / str(ring.offering_id)).glob("*sets-*")
    assert folder.name == after.folder
    assert ring.install(fresh=ring.sets[2]).digest == after.digest, "the same set, the same name"


def test_sets_in_the_wrong_places_are_refused_and_nothing_is_installed(ring, site, tmp_path):
    one, two, _ = ring.sets
    seen = shutil.copytree(two, tmp_path / "seen")
    shutil.copy(one / "students" / "test.npz", seen / "staff" / "test.npz")
    shutil.copy(one / "staff" / "labels.csv", seen / "staff" / "labels.csv")
    other = shutil.copytree(two, tmp_path / "other")
    np.savez(other / "staff" / "test.npz", points=np.zeros((1500, 3)))
    short = shutil.copytree(two, tmp_path / "short")
    np.savez(short / "staff" / "test.npz", points=np.zeros((3, 2)))
    for drawn, fresh, message in (
        (one, one, "is a term's first set, the same rows"),
        (two, two, "name the folder of set 1"),
        (one, seen, "holds the same rows that teams have seen"),
        (one, other, "hold other arrays"),
        (one, short, "are of two sets"),
        (one, tmp_path, "is missing"),
    ):
        with pytest.raises(ProctorError, match=message):
            ring.install(fresh, drawn)
    assert known_fresh(site.config, ring.offering_id) is None
    assert not list((site.config.competitions / str(ring.offering_id)).glob("*sets-*"))


def test_a_set_of_other_labels_than_those_that_score_is_refused_and_none_is_named(ring, tmp_path):
    changed = shutil.copytree(ring.sets[0], tmp_path / "changed")
    file = changed / "staff" / "labels.csv"
    lines = file.read_text().splitlines()
    lines[1], lines[2] = lines[1].replace("inner", "outer"), lines[2].replace("outer", "inner")
    lines[3] = lines[3].replace("middle", "outer")
    file.write_text("\n".join(lines) + "\n")
    with pytest.raises(Invalid, match="are not those that entries are scored by") as refused:
        ring.install(drawn=changed)
    assert not any(name in str(refused.value) for name in ("inner", "middle", "outer"))


def test_a_disk_that_is_full_leaves_what_was_there(ring, site, monkeypatch):
    before = ring.install()
    written = []

    def fill(data, target):
        written.append(target)
        if len(written) == 4:
            raise OSError("No space left on device")
        target.write_bytes(data)

    monkeypatch.setattr(module, "write_private", fill)
    with pytest.raises(OSError, match="No space"):
        ring.install(fresh=ring.sets[2])
    assert known_fresh(site.config, ring.offering_id) == before
    (folder,) = (site.config.competitions / str(ring.offering_id)).glob("*sets-*")
    assert folder.name == before.folder


def test_labels_that_changed_since_are_told_before_anything_is_run(ring, site, competition):
    with pytest.raises(Invalid, match="there is no fresh set"):
        ready_fresh(site.config, competition)
    ring.install()
    assert ready_fresh(site.config, competition).rows == 1500
    place = site.config.competitions / str(ring.offering_id) / "labels.csv"
    text = place.read_text()
    place.write_text(text.replace("outer", "?").replace("inner", "outer").replace("?", "inner"))
    with pytest.raises(Invalid, match="have changed since the fresh set was installed"):
        ready_fresh(site.config, competition)


def test_a_competition_without_a_source_has_no_use_for_one(ring, site):
    ring.change(assignment_slug="guess")
    with pytest.raises(Invalid, match="no competition 'rings'"):
        ring.install()
    with pytest.raises(Invalid, match="names no `source`"):
        module.set_fresh(
            site.config,
            site.engine,
            ring.catalogue,
            site.term.slug,
            "guess",
            drawn=ring.sets[0],
            fresh=ring.sets[1],
            now=site.clock(),
        )
