"""Messages cross whole, in order and with their descriptors, however the bytes arrive."""

import os
import socket
import threading

import pytest

from grader.sandbox.guest.messages import MessageSocket


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield MessageSocket(ours), theirs


def open_descriptors():
    return set(os.listdir("/proc/self/fd"))


def test_a_message_in_pieces_is_one_and_two_in_a_piece_are_two(ends):
    messages, peer = ends
    peer.sendall(b'{"a": ')
    messages.read()
    assert messages.line() is None
    assert messages.unread == 6
    peer.sendall(b'1}\n{"b": 2}\n')
    assert [messages.receive()[0] for _ in range(2)] == [{"a": 1}, {"b": 2}]


def test_a_message_larger_than_the_sockets_buffers_arrives_whole(ends):
    messages, peer = ends
    large = {"text": "x" * 3_000_000}
    sender = threading.Thread(target=MessageSocket(peer).send, args=(large, peer.fileno()))
    sender.start()
    message, (descriptor,) = messages.receive()
    sender.join()
    os.close(descriptor)
    assert message == large


def test_descriptors_come_with_their_message_and_no_child_inherits_them(ends):
    messages, peer = ends
    with open(os.devnull, "rb") as file:
        MessageSocket(peer).send({}, file.fileno(), file.fileno())
        _, descriptors = messages.receive()
    assert len(descriptors) == 2
    assert not any(os.get_inheritable(descriptor) for descriptor in descriptors)
    for descriptor in descriptors:
        os.close(descriptor)


def test_descriptors_that_nobody_may_send_are_closed():
    ours, theirs = socket.socketpair()
    with ours, theirs, open(os.devnull, "rb") as file:
        before = open_descriptors()
        MessageSocket(theirs).send({}, *[file.fileno()] * 40)
        assert MessageSocket(ours, max_descriptors=0).receive() == ({}, [])
        assert open_descriptors() == before


def test_descriptors_of_half_a_message_end_with_the_socket(ends):
    messages, peer = ends
    before = open_descriptors()
    with open(os.devnull, "rb") as file:
        socket.send_fds(peer, [b'{"a"'], [file.fileno()])
    messages.read()
    assert len(open_descriptors()) == len(before) + 1
    messages.close()
    assert len(open_descriptors()) == len(before) - 1


@pytest.mark.parametrize("unsent", [b"", b'{"half": '])
def test_nothing_comes_from_a_side_that_is_gone(ends, unsent):
    messages, peer = ends
    peer.sendall(unsent)
    peer.close()
    assert messages.receive() is None
