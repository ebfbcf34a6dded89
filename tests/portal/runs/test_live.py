import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from portal.platform.db import write_session
from portal.runs import service
from portal.runs.live import LiveFeed

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def feed(course):
    feed = LiveFeed(course.engine, max_streams=3, keep_alive=30)
    yield feed
    feed.stop()


def claim(course, run_id):
    with write_session(course.engine) as session:
        return service.claim(session, run_id, executor="w", now=NOON)


def finish(course, held, report):
    with write_session(course.engine) as session:
        return service.finish(session, held, report, now=NOON)


def next_status(messages):
    """Read on to the next status; return its event's id and what it says."""
    for message in messages:
        fields = dict(line.split(": ", 1) for line in message.splitlines() if ": " in line)
        if fields.get("event") == "status":
            return int(fields["id"]), json.loads(fields["data"])
    raise AssertionError("the stream ended")


def test_a_reader_sees_the_run_from_the_queue_to_its_end(course, feed, new_report):
    run_id = course.run()
    messages = feed.read(feed.open(run_id))
    assert next_status(messages)[1]["state"] == "queued"
    held = claim(course, run_id)
    assert next_status(messages)[1]["state"] == "running"
    with write_session(course.engine) as session:
        service.progress(session, held, done=2, total=5, now=NOON)
    assert next_status(messages)[1]["done"] == 2
    finish(course, held, new_report())
    assert next_status(messages)[1]["final"]
    with pytest.raises(AssertionError, match="ended"):
        next_status(messages)
    assert len(feed) == 0


def test_a_reader_that_waits_moves_up_as_others_are_taken(course, feed):
    first, second = course.run(), course.run(now=NOON + timedelta(seconds=1))
    messages = feed.read(feed.open(second))
    assert next_status(messages)[1]["position"] == 2
    claim(course, first)
    assert next_status(messages)[1]["position"] == 1


def test_one_poller_serves_many_readers(course, feed):
    run_id = course.run()
    streams = [feed.read(feed.open(run_id)) for _ in range(3)]
    assert [next_status(messages)[1]["position"] for messages in streams] == [1, 1, 1]
    assert [thread.name for thread in threading.enumerate()].count("live") >= 1


def test_no_more_streams_are_given_than_there_are(course, feed):
    run_id = course.run()
    streams = [feed.open(run_id) for _ in range(3)]
    assert feed.open(run_id) is None
    feed.close(streams[0])
    assert feed.open(run_id) is not None


def test_a_reader_that_left_gives_its_place_back(course, feed):
    messages = feed.read(feed.open(course.run()))
    next_status(messages)
    messages.close()
    assert len(feed) == 0


def test_a_reader_that_comes_back_is_told_only_what_is_new(course, feed):
    run_id = course.run()
    seen, _ = next_status(feed.read(feed.open(run_id)))
    messages = feed.read(feed.open(run_id, seen))
    claim(course, run_id)
    number, status = next_status(messages)
    assert status["state"] == "running"
    assert number > seen


def test_a_reader_that_missed_the_end_is_told_so(course, feed, new_report):
    run_id = course.run()
    finish(course, claim(course, run_id), new_report())
    last, _ = next_status(feed.read(feed.open(run_id)))
    assert next_status(feed.read(feed.open(run_id, last)))[1]["final"]


def test_a_silent_stream_says_that_it_is_still_there(course):
    feed = LiveFeed(course.engine, keep_alive=0.01)
    run_id = course.run()
    messages = feed.read(feed.open(run_id, seen=10**9))
    assert next(messages).startswith("retry")
    assert next(messages) == ": still here\n\n"
    messages.close()


def test_a_stopped_feed_holds_neither_thread_nor_connection_and_opens_no_stream(course, feed):
    run_id = course.run()
    next_status(feed.read(feed.open(run_id)))
    poller = feed._thread
    feed.stop()
    assert not poller.is_alive()
    assert course.engine.pool.checkedout() == 0
    assert feed.open(run_id) is None
    feed.stop()
