"""Pages keep what they parsed of a lab, and show it as its folder is at each request."""

import shutil

import pytest
from support.labs import MANIFEST

from grader.lab import kept
from grader.lab.manifest import load_assignment

GONE = "The files of this lab are not on this server yet."


@pytest.fixture
def reads(monkeypatch):
    """The slug of each manifest that was read; none counts as one that changed just now."""
    found = []

    def read(folder):
        found.append(folder.name)
        return load_assignment(folder)

    monkeypatch.setattr(kept, "SETTLED_NS", -1)
    monkeypatch.setattr(kept, "load_assignment", read)
    return found


@pytest.fixture
def folder(home):
    return home / "assignments" / "demo"


@pytest.fixture
def page(site, reads):
    """The page of the lab as a student opens it."""
    site.make_member("ada")
    browser = site.log_in("ada")

    def text():
        answer = browser.get(f"/labs/{site.offering_id}/")
        assert answer.status_code == 200
        return answer.text

    return text


@pytest.fixture
def known(site):
    """The labs that the settings of an offering let an instructor choose."""
    site.make_member("ines", "instructor")
    browser = site.log_in("ines")
    address = f"/staff/{site.term.slug}/settings/{site.offering_id}"

    def found():
        options = browser.get(address).text.partition('name="assignment"')[2]
        return [slug for slug in ("cnn", "demo") if f'value="{slug}"' in options]

    return found


@pytest.mark.parametrize("address", ["/", "/labs/{}/"])
def test_a_page_reads_no_manifest_that_has_not_changed(address, page, site, reads):
    page()
    assert set(reads) == {"demo"}
    reads.clear()
    assert site.log_in("ada").get(address.format(site.offering_id)).status_code == 200
    assert reads == []


def test_the_next_page_shows_what_was_changed(page, folder, reads):
    assert "demo/answer.py" in page()
    changed = MANIFEST.replace("demo/answer.py", "demo/reply.py")
    (folder / "assignment.toml").write_text(changed)
    for _ in range(2):
        assert "demo/reply.py" in page() and "demo/answer.py" not in page()


def test_each_page_says_so_while_a_manifest_is_broken_or_gone(page, folder, tmp_path):
    assert GONE not in page()
    (folder / "assignment.toml").write_text(MANIFEST.replace("points = 10", "points = -1"))
    assert GONE in page() and GONE in page()
    (folder / "assignment.toml").write_text(MANIFEST)
    assert GONE not in page()
    away = folder.rename(tmp_path / "away")
    assert GONE in page() and GONE in page()
    away.rename(folder)
    assert GONE not in page()


def test_labs_that_come_and_go_are_to_choose_at_once(known, folder, reads):
    assert known() == ["demo"]
    new = folder.with_name("cnn")
    shutil.copytree(folder, new)
    (new / "assignment.toml").write_text(MANIFEST.replace("demo", "cnn"))
    assert known() == known() == ["cnn", "demo"]
    shutil.rmtree(new)
    assert known() == ["demo"]
