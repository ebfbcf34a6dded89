"""A manifest that has not changed is read once; any change is seen by whoever asks next."""

import os
import threading
import time

import pytest

from grader.errors import ManifestError, UnknownAssignment
from grader.lab import kept
from grader.lab.catalogue import Catalogue
from grader.lab.kept import KeptManifests
from grader.lab.manifest import load_assignment

MANIFEST = """\
schema = 1
slug = "{slug}"
title = "{title}"
files = [{{ path = "{slug}/layers.py" }}, {{ path = "{slug}.csv", columns = {{ row = "whole" }} }}]
given = [{{ path = "{slug}/helpers.py" }}, {{ path = "{slug}/datasets/registry.py" }}]
default_variant = "small"

[variants.small]
sizes = [1.5, 2.5]

[limits]
cpu_seconds = 10

[[parts]]
id = "one"
title = "One"
items = [{{ id = "item", title = "An item", points = 1 }}]
"""


@pytest.fixture
def home(tmp_path):
    """A course with the lab `fnn`, whose loader of data lies in the staff's half."""
    (tmp_path / "reference" / "datasets").mkdir(parents=True)
    (tmp_path / "reference" / "datasets" / "registry.py").touch()
    add(tmp_path, "fnn")
    return tmp_path


@pytest.fixture
def folder(home):
    return home / "assignments" / "fnn"


@pytest.fixture
def manifest(folder):
    return folder / "assignment.toml"


@pytest.fixture
def manifests():
    """Such as take every file for one that changed long ago."""
    return KeptManifests(lambda: time.time_ns() + 10 * kept.SETTLED_NS)


@pytest.fixture
def reads(monkeypatch):
    """The slug of each manifest that was read."""
    found = []

    def read(folder):
        found.append(folder.name)
        return load_assignment(folder)

    monkeypatch.setattr(kept, "load_assignment", read)
    return found


def add(home, slug):
    folder = home / "assignments" / slug
    (folder / slug).mkdir(parents=True)
    (folder / slug / "helpers.py").touch()
    (folder / "assignment.toml").write_text(MANIFEST.format(slug=slug, title="A small lab"))
    return folder


def said(call, *arguments):
    """Return what a broken manifest is told to be."""
    with pytest.raises(ManifestError) as caught:
        call(*arguments)
    return str(caught.value)


def containers(value):
    """Return whatever can be changed in a value, itself included."""
    if isinstance(value, dict):
        return [value, *(found for one in value.values() for found in containers(one))]
    if isinstance(value, list | set):
        return [value, *(found for one in value for found in containers(one))]
    if isinstance(value, tuple):
        return [found for one in value for found in containers(one)]
    fields = getattr(type(value), "model_fields", {})
    return [found for name in fields for found in containers(getattr(value, name))]


def test_what_has_not_changed_is_read_once(manifests, folder, reads):
    found = [manifests.load(folder) for _ in range(3)]
    assert reads == ["fnn"]
    assert found == [load_assignment(folder)] * 3


def test_what_changed_just_now_is_read_each_time(folder, reads):
    manifests = KeptManifests()
    manifests.load(folder)
    manifests.load(folder)
    assert reads == ["fnn", "fnn"]


def test_a_change_is_seen(manifests, folder, manifest):
    assert manifests.load(folder).title == "A small lab"
    manifest.write_text(MANIFEST.format(slug="fnn", title="Another lab"))
    assert manifests.load(folder).title == "Another lab"
    assert manifests.load(folder).title == "Another lab"


def rewritten(file):
    """Write into the file itself, until its clock has ticked."""
    before = file.stat()
    while file.stat().st_ctime_ns == before.st_ctime_ns:
        yield file
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced(file):
    """Write another file, which takes its place."""
    before, other = file.stat(), file.with_suffix(".new")
    yield other
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)


@pytest.mark.parametrize("title", ["A smaller lab", "A large lab"])
@pytest.mark.parametrize("way", [rewritten, replaced])
def test_a_change_is_seen_though_the_file_claims_to_be_as_old(
    way, title, manifests, folder, manifest
):
    before = manifest.stat()
    assert manifests.load(folder).title == "A small lab"
    for file in way(manifest):
        file.write_text(MANIFEST.format(slug="fnn", title=title))
    now = manifest.stat()
    assert now.st_mtime_ns == before.st_mtime_ns
    assert (now.st_size == before.st_size) == (title == "A large lab")
    assert manifests.load(folder).title == title


def test_a_mistake_is_told_anew_each_time_until_it_is_mended(manifests, folder, manifest, reads):
    manifests.load(folder)
    sound = manifest.read_text()
    for broken in (sound.replace("points = 1", "points = -1"), "schema = "):
        manifest.write_text(broken)
        wanted = said(load_assignment, folder)
        assert [said(manifests.load, folder) for _ in range(3)] == [wanted] * 3
    assert len(reads) == 7, "what is broken is not kept"
    manifest.write_text(sound)
    assert manifests.load(folder).title == "A small lab"


def test_a_manifest_that_is_gone_is_told_each_time(manifests, folder, manifest):
    manifests.load(folder)
    manifest.unlink()
    wanted = said(load_assignment, folder)
    assert "is missing" in wanted
    assert [said(manifests.load, folder) for _ in range(2)] == [wanted] * 2


@pytest.mark.parametrize(
    "gone", ["assignments/fnn/fnn/helpers.py", "reference/datasets/registry.py"]
)
def test_a_given_file_that_is_gone_is_told_though_the_manifest_is_the_same(
    gone, manifests, folder, home, reads
):
    manifests.load(folder)
    (home / gone).unlink()
    wanted = said(load_assignment, folder)
    assert "there is no file" in wanted
    assert [said(manifests.load, folder) for _ in range(2)] == [wanted] * 2
    (home / gone).touch()
    del reads[:]
    assert manifests.load(folder) == load_assignment(folder)
    assert reads == []


def test_a_loader_in_the_labs_own_folder_does_where_there_is_no_staffs_half(
    manifests, folder, home, reads
):
    manifests.load(folder)
    (folder / "fnn" / "datasets").mkdir()
    (home / "reference" / "datasets" / "registry.py").rename(
        folder / "fnn" / "datasets" / "registry.py"
    )
    assert manifests.load(folder) == load_assignment(folder)
    assert reads == ["fnn"]


def test_nothing_that_can_be_changed_is_shared(manifests, folder):
    found = [manifests.load(folder) for _ in range(3)]
    parts = [containers(one) for one in found]
    assert len(parts[0]) == 6, "packages, the variants, one, its list, and columns of two files"
    assert len({id(one) for some in parts for one in some}) == 18
    for one in found:
        one.variants["small"]["sizes"].append(9.0)
        one.variants["large"] = {}
        one.files[1].columns.clear()
        assert manifests.load(folder) == load_assignment(folder) != one


def test_only_so_many_are_kept_and_those_read_last(manifests, home, reads, monkeypatch):
    monkeypatch.setattr(kept, "MOST_KEPT", 2)
    folders = {slug: add(home, slug) for slug in ("a", "b", "c")}
    for slug in ("a", "b", "a", "c", "c", "b", "a", "b"):
        manifests.load(folders[slug])
    assert reads == ["a", "b", "c", "a", "b"]


def test_a_catalogue_sees_labs_come_and_go_and_change(home, manifests, reads):
    catalogue = Catalogue(home, manifests)
    assert [lab.assignment.slug for lab in catalogue.labs()] == ["fnn"]
    folder = add(home, "cnn")
    for _ in range(3):
        assert [lab.assignment.slug for lab in catalogue.labs()] == ["cnn", "fnn"]
    assert sorted(reads) == ["cnn", "fnn"]
    assert catalogue.get("cnn").reference is None
    (home / "reference" / "cnn").mkdir()
    assert catalogue.get("cnn").reference == home / "reference" / "cnn"
    (folder / "assignment.toml").write_text("schema = ")
    for _ in range(2):
        assert [lab.assignment.slug for lab in catalogue.labs()] == ["fnn"]
        assert len(catalogue.problems()) == 1
    (folder / "assignment.toml").unlink()
    assert catalogue.problems() == []
    with pytest.raises(UnknownAssignment):
        catalogue.get("cnn")


def test_threads_see_what_was_written_before_they_asked(manifests, folder, manifest):
    written, failures, over = [0], [], threading.Event()

    def write(number):
        new = manifest.with_suffix(".new")
        new.write_text(MANIFEST.format(slug="fnn", title="x" * number))
        new.replace(manifest)
        written[0] = number

    def look():
        try:
            while not over.is_set():
                before = written[0]
                seen = len(manifests.load(folder).title)
                assert before <= seen <= written[0] + 1
        except Exception as error:
            failures.append(error)

    write(1)
    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(2, 60):
        write(number)
        time.sleep(0.002)
    over.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(manifests.load(folder).title) == 59
