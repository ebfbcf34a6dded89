"""What a process with student code answers to an order is bounded, and may be anything."""

import contextlib
import socket
import threading

import pytest

from grader.sandbox.control import Control
from grader.sandbox.host.failures import StudentCrashed, StudentTimeout


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Control(ours), theirs


def test_an_answer_is_read_under_its_key(ends):
    control, peer = ends
    peer.sendall(b'{"done": 7, "more": 8}\n')
    assert control.receive("done", 60) == 7


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"[]", id="no-object"),
        pytest.param(b"{}", id="no-key"),
        pytest.param(b"\xff", id="no-text"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b'{"done": ' + b"9" * 5000 + b"}", id="endless-number"),
    ],
)
def test_an_answer_outside_the_protocol_is_a_crash(ends, answer):
    control, peer = ends
    peer.sendall(answer + b"\n")
    with pytest.raises(StudentCrashed, match="broke the protocol"):
        control.receive("done", 60)


def test_an_answer_without_end_is_a_crash(ends):
    control, peer = ends

    def flood():
        with contextlib.suppress(BrokenPipeError):
            peer.sendall(b"x" * 3_000_000)

    flooding = threading.Thread(target=flood)
    flooding.start()
    with pytest.raises(StudentCrashed, match="does not answer"):
        control.receive("done", 60)
    control.close()
    flooding.join()


def test_silence_ends_at_the_deadline_and_at_the_budget(ends):
    control, _ = ends
    with pytest.raises(StudentCrashed, match="does not answer"):
        control.receive("done", 0)

    def spent():
        raise StudentTimeout("no time left")

    with pytest.raises(StudentTimeout):
        control.receive("done", 60, spent)


def test_a_closed_socket_is_a_crash(ends):
    control, peer = ends
    peer.close()
    with pytest.raises(StudentCrashed, match="ended"):
        control.receive("done", 60)
    with pytest.raises(StudentCrashed, match="gone"):
        control.send({"op": "fork"})
