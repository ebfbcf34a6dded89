"""Uploads at the same moment: few at work, some in line, the rest sent away without harm."""

import threading
import time

import pytest

from portal.labs import admission
from portal.labs.admission import AT_WORK, COMES_BACK, UploadLine


@pytest.fixture
def full(bench):
    """The line of the app, with nobody let in."""
    line = UploadLine(threading.Semaphore(0), most=0)
    bench.app.extensions[admission.EXTENSION] = line
    return line


def free(line):
    line.places.release()


def test_who_finds_the_line_full_is_told_when_to_come_back(bench, full):
    answer = bench.send(json=True)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "counts as sent when you first tried, at" in answer.get_json()["detail"]
    assert "Error 503" in bench.send().text
    assert bench.submissions() == []


def test_who_comes_back_counts_as_sent_when_they_came_first(bench, full, clock):
    first = clock()
    bench.change_offering(due_at=first, closes_at=None)
    assert bench.send().status_code == 503
    clock.advance(seconds=20)
    assert bench.send().status_code == 503
    clock.advance(seconds=COMES_BACK.total_seconds() - 1)
    free(full)
    assert bench.receipt()["received_at"] == first.isoformat()


def test_what_is_sent_after_that_counts_as_sent_then(bench, full, clock):
    bench.send()
    free(full)
    bench.receipt()
    clock.advance(seconds=20)
    assert (
        bench.receipt(data=b"def answer():\n    return 43\n", key="other-key-1")["received_at"]
        == clock().isoformat()
    )


def test_who_comes_back_late_has_no_earlier_instant(bench, full, clock):
    bench.send()
    clock.advance(seconds=COMES_BACK.total_seconds() + 1)
    free(full)
    assert bench.receipt()["received_at"] == clock().isoformat()


def test_the_instant_is_ones_own(bench, full, clock, site):
    bench.send()
    clock.advance(seconds=20)
    free(full)
    site.make_member("bob")
    receipt = bench.receipt(client=site.log_in("bob"))
    assert receipt["received_at"] == clock().isoformat()


def test_strangers_wait_in_no_line(bench, full, site):
    site.make_user("eve")
    assert bench.send(client=site.log_in("eve")).status_code == 404


def test_a_place_is_given_back_whatever_happens(bench):
    for _ in range(2 * AT_WORK):
        assert bench.send(files=[("notes.txt", b"not asked for")]).status_code == 422
    assert bench.send().status_code == 303


def test_few_are_at_work_and_the_others_in_their_turn():
    line, at_work, most, entered = UploadLine(patience=30), 0, 0, 0
    guard, go = threading.Lock(), threading.Event()

    def come():
        nonlocal at_work, most, entered
        with line.turn() as mine:
            with guard:
                at_work, entered = at_work + mine, entered + mine
                most = max(most, at_work)
            if mine:
                go.wait()
            with guard:
                at_work -= mine

    crowd = [threading.Thread(target=come) for _ in range(AT_WORK + line.most + 7)]
    for one in crowd:
        one.start()
    while sum(one.is_alive() for one in crowd) > AT_WORK + line.most:
        time.sleep(0.01)  # until seven were sent away
    go.set()
    for one in crowd:
        one.join()
    assert (entered, most, line.waiting) == (AT_WORK + line.most, AT_WORK, 0)


def test_nobody_waits_for_longer_than_proxies_do():
    line = UploadLine(threading.Semaphore(0), patience=0.01)
    with line.turn() as mine:
        assert not mine
    assert line.waiting == 0
