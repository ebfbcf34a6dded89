"""The same files once more: said before it costs an attempt, and done only if it is meant."""

import io
import re

import pytest
from support.reports import bare_report
from support.uploads import upload

from grader.api import pack_together
from portal.courses.models import AttemptPolicy, Term
from portal.platform.db import write_session

GOOD = b"def answer():\n    return 42\n"
OTHER = b"def answer():\n    return 41\n"


def foretold(bench, *files, client=None):
    return (
        (client or bench.client)
        .post(
            f"/labs/{bench.offering_id}/submissions/preview",
            data={
                "names": [name for name, _ in files],
                "contents": [(io.BytesIO(data), name) for name, data in files],
            },
        )
        .get_json()
    )


@pytest.mark.parametrize(
    "files",
    [
        pytest.param([("answer.py", GOOD)], id="the file itself"),
        pytest.param([("work.zip", pack_together([("demo/answer.py", GOOD)]))], id="in a zip"),
        pytest.param([("answer.py", GOOD), ("notes.txt", b"x")], id="with what is not graded"),
    ],
)
def test_the_preview_says_which_attempt_the_files_are_already(bench, files):
    bench.receipt(key="upload-1", data=OTHER)
    first = bench.receipt(key="upload-2")
    said = foretold(bench, *files)["same"]
    assert "attempt 2, received" in said["text"]
    assert said["url"] == first["url"]


def test_the_preview_is_silent_about_new_files_and_files_of_others(bench, site, log_in):
    site.make_member("bob")
    assert foretold(bench, ("answer.py", GOOD))["same"] is None
    bench.receipt()
    assert foretold(bench, ("answer.py", OTHER))["same"] is None
    assert foretold(bench, ("answer.py", b""))["same"] is None
    assert foretold(bench, ("answer.py", GOOD), client=log_in("bob"))["same"] is None


def test_the_same_files_are_counted_only_if_it_is_said_that_they_are_meant(bench):
    first = bench.receipt(key="upload-1")
    bench.grade(first["id"], bare_report(3.0))
    answer = bench.send(key="upload-2", json=True, again=False)
    assert answer.status_code == 409
    told = answer.get_json()
    assert (told["error"], told["attempt"], told["url"]) == ("same", 1, first["url"])
    assert told["again"] == first["id"]
    assert len(bench.submissions()) == 1
    page = bench.send(key="upload-2", again=False)
    assert page.status_code == 409
    assert "attempt 1, received" in page.text and first["url"] in page.text
    assert len(bench.submissions()) == 1
    assert bench.receipt(key="upload-2")["attempt"] == 2


def test_saying_so_on_the_page_needs_no_second_upload(bench):
    first = bench.receipt(files=[("work.zip", pack_together([("demo/answer.py", GOOD)]))])
    answer = bench.send(key="upload-2", files=[("", b"")], again=False)
    assert answer.status_code == 422
    form = {"again": first["id"], "client_key": "upload-0002"}
    place = f"/labs/{bench.offering_id}/submissions"
    assert bench.client.post(place, data=form).status_code == 303
    assert bench.client.post(place, data=form).status_code == 303, "pressed twice"
    one, two = bench.submissions()
    assert (one.upload_sha256, one.filename) == (two.upload_sha256, two.filename)


def test_nobody_grades_the_files_of_another_once_more(bench, site, log_in):
    site.make_member("bob")
    first = bench.receipt()
    answer = log_in("bob").post(
        f"/labs/{bench.offering_id}/submissions",
        data={"again": first["id"], "client_key": "upload-0002"},
    )
    assert answer.status_code == 422
    assert len(bench.submissions()) == 1


def test_bytes_that_cost_no_attempt_are_not_stored(bench):
    bench.receipt(key="upload-1")
    stored = sorted(bench.store.root.rglob("*"))
    packed = [("work.zip", pack_together([("demo/answer.py", GOOD), ("x.txt", b"noise")]))]
    assert bench.send(key="upload-2", files=packed, again=False).status_code == 409
    assert sorted(bench.store.root.rglob("*")) == stored


def test_what_was_replaced_before_it_was_graded_is_no_attempt_to_look_at(bench):
    bench.change_offering(policy=AttemptPolicy.LAST)
    bench.receipt(key="upload-1")
    bench.receipt(key="upload-2", data=OTHER)
    assert foretold(bench, ("answer.py", GOOD))["same"] is None
    assert bench.send(key="upload-3", json=True, again=False).status_code == 201


def test_the_pledge_is_asked_for_once_more(bench, site):
    bench.receipt(key="upload-1")
    with write_session(site.engine) as session:
        session.get_one(Term, site.term.id).pledge = "My own work."
    lab = bench.client.get(f"/labs/{bench.offering_id}/").text
    (key,) = re.findall(r'name="pledge" value="(\w+)"', lab)
    page = upload(
        bench.client,
        bench.offering_id,
        [("answer.py", GOOD)],
        "upload-2",
        json=False,
        again=False,
        pledge=key,
    )
    assert page.status_code == 409
    assert f'name="pledge" value="{key}"' in page.text
