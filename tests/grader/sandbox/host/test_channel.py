"""The trusted end of a test's socket, against peers that lie, stall and die."""

import itertools
import json
import socket
import threading
from contextlib import suppress

import pytest

from grader.sandbox.guest import codec
from grader.sandbox.host import channel as channel_module
from grader.sandbox.host.channel import Channel
from grader.sandbox.host.failures import (
    StudentCrashed,
    StudentMemory,
    StudentRaised,
    StudentReturnedTooMuch,
    StudentTimeout,
)


class Peer:
    """The other end: answers each request with the next of its scripted byte strings."""

    def __init__(self):
        self.ours, self._theirs = socket.socketpair()
        self._thread = None

    def answer(self, *replies, forever=b""):
        """Read a request, send a reply in the pieces given, and so on; end with `forever`."""

        def serve():
            with suppress(OSError):
                for pieces in replies:
                    self._request()
                    for piece in pieces:
                        self._theirs.sendall(piece)
                while forever:
                    self._theirs.sendall(forever)
            self._theirs.close()

        self._thread = threading.Thread(target=serve, daemon=True)
        self._thread.start()

    def _request(self):
        data = b""
        while len(data) < codec.PREFIX.size:
            data += self._theirs.recv(codec.PREFIX.size - len(data))
        left = sum(codec.frame_lengths(data))
        while left:
            left -= len(self._theirs.recv(left))

    def close(self):
        self.ours.close()
        if self._thread:
            self._thread.join(timeout=5)
        self._theirs.close()


@pytest.fixture
def peer():
    peer = Peer()
    yield peer
    peer.close()


def never():
    """Allow any time."""


def frame(value):
    return b"".join(codec.encode(value))


def test_an_answer_comes_back_however_it_is_cut(peer):
    data = frame({"ok": [1, 2.5, "x"]})
    peer.answer([bytes([byte]) for byte in data], [data])
    channel = Channel(peer.ours, never)
    assert channel.ask("call") == [1, 2.5, "x"]
    assert channel.ask("call") == [1, 2.5, "x"]


def test_the_deadline_holds_under_a_drip_feed(peer, monkeypatch):
    """A frame announced as large that comes byte by byte puts off no deadline."""
    clock = itertools.count()
    monkeypatch.setattr(channel_module.time, "monotonic", lambda: float(next(clock)))
    looks = []

    def check():
        looks.append(1)
        if len(looks) == 20:
            raise StudentTimeout("spent")

    peer.answer([codec.PREFIX.pack(1_000_000, 0)], forever=b" ")
    with pytest.raises(StudentTimeout):
        Channel(peer.ours, check).ask("call")


def test_a_peer_that_never_answers_meets_the_deadline(peer):
    def check():
        raise StudentTimeout("spent")

    with pytest.raises(StudentTimeout):
        Channel(peer.ours, check).ask("call")


def test_a_peer_that_never_reads_meets_the_deadline(peer):
    def check():
        raise StudentTimeout("spent")

    with pytest.raises(StudentTimeout):
        Channel(peer.ours, check).ask("call", bytes(50_000_000))


def test_after_a_failure_the_channel_is_not_used_again(peer):
    """A late answer to an earlier question must not pass for the answer to this one."""

    def check():
        raise StudentTimeout("spent")

    channel = Channel(peer.ours, check)
    with pytest.raises(StudentTimeout):
        channel.ask("call")
    peer.answer([frame({"ok": 1})])
    with pytest.raises(StudentCrashed, match="is gone"):
        channel.ask("call")


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"6 passed in 0.01s\n" * 3, id="printed-text"),
        pytest.param(b"\xff" * 64, id="huge-lengths"),
        pytest.param(frame({"ok": 1})[:-2], id="cut-short"),
        pytest.param(frame([1, 2]), id="no-answer-in-it"),
        pytest.param(frame({"ok": 1, "raised": {}}), id="both"),
        pytest.param(codec.PREFIX.pack(2, 0) + b"[]", id="wrong-header"),
        pytest.param(
            codec.PREFIX.pack(43, 0)
            + json.dumps({"v": {"a": 0}, "b": [["int8", [0, 9]]]}).encode()[:43],
            id="header-cut",
        ),
    ],
)
def test_what_no_honest_runner_sends_is_a_crash(peer, reply):
    peer.answer([reply])
    with pytest.raises(StudentCrashed):
        Channel(peer.ours, never).ask("call")


def test_the_owner_says_what_kind_of_crash_it_was(peer):
    peer.answer([b""])
    with pytest.raises(StudentMemory):
        Channel(peer.ours, never, StudentMemory).ask("call")


def test_an_exception_of_student_code_keeps_its_claims(peer):
    claims = {"types": ["Odd", "ValueError"], "message": "no", "traceback": "line 1"}
    peer.answer([frame({"raised": claims})])
    with pytest.raises(StudentRaised) as caught:
        Channel(peer.ours, never).ask("call")
    assert (caught.value.type_name, caught.value.message) == ("Odd", "no")
    assert caught.value.outcome == "error"


@pytest.mark.parametrize(
    "claims",
    [None, 1, {}, {"types": 5, "message": [], "traceback": {}}, {"types": [1, None, {}]}],
    ids=repr,
)
def test_odd_claims_about_an_exception_are_an_exception_still(peer, claims):
    peer.answer([frame({"raised": claims})])
    with pytest.raises(StudentRaised) as caught:
        Channel(peer.ours, never).ask("call")
    assert caught.value.type_name == "Exception"


def test_claims_about_an_exception_are_cut_to_size(peer):
    claims = {"types": ["T" * 999] * 99, "message": "m" * 9999, "traceback": "t" * 9999}
    peer.answer([frame({"raised": claims})])
    with pytest.raises(StudentRaised) as caught:
        Channel(peer.ours, never).ask("call")
    assert len(caught.value.types) == 20 and len(caught.value.type_name) == 100
    assert len(caught.value.message) == len(caught.value.traceback) == 4000


def test_an_answer_larger_than_was_asked_for_is_refused_before_it_is_read(peer):
    """No buffer follows the prefix: whoever waited for it would wait for ever."""
    peer.answer([codec.PREFIX.pack(2, 1_001)], forever=b"")
    with pytest.raises(StudentCrashed, match="too large"):
        Channel(peer.ours, never).ask("call", most=1_000)


def test_an_answer_that_nobody_bounds_has_the_usual_bound(peer):
    peer.answer([codec.PREFIX.pack(2, codec.USUAL_BYTES + 1)], forever=b"")
    with pytest.raises(StudentCrashed, match="too large"):
        Channel(peer.ours, never).ask("call")


def test_no_bound_lifts_that_of_the_wire(peer):
    peer.answer([codec.PREFIX.pack(2, codec.ANSWER.buffer_bytes + 1)], forever=b"")
    with pytest.raises(StudentCrashed, match="too large"):
        Channel(peer.ours, never).ask("call", most=10**12)


def test_all_answers_of_a_test_have_a_bound_together(peer, monkeypatch):
    reply = frame({"ok": bytes(1_000)})
    monkeypatch.setattr(channel_module, "HEADER_WEIGHT", 1)
    monkeypatch.setattr(channel_module, "MOST_BYTES", 2 * len(reply) + 100)
    peer.answer([reply], [reply], [reply])
    channel = Channel(peer.ours, never)
    assert [len(channel.ask("call")) for _ in range(2)] == [1_000, 1_000]
    with pytest.raises(StudentReturnedTooMuch):
        channel.ask("call")
    with pytest.raises(StudentCrashed, match="gone"):
        channel.ask("call")


def test_nested_headers_weigh_more_than_arrays_of_their_size(peer, monkeypatch):
    nested, flat = frame({"ok": [[]] * 5_000}), frame({"ok": bytes(45_000)})
    assert len(nested) < len(flat)
    monkeypatch.setattr(channel_module, "MOST_BYTES", 1_000_000)
    peer.answer(*[[flat]] * 3, [nested])
    channel = Channel(peer.ours, never)
    assert [len(channel.ask("call")) for _ in range(3)] == [45_000] * 3
    with pytest.raises(StudentReturnedTooMuch):
        channel.ask("call")
