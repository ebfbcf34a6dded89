"""Frames that a hostile process could send: replayed, generated, changed, and blown up."""

import json
from pathlib import Path
from random import Random

import pytest
from fuzzing import frame_grammar, frames
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.sandbox.guest import codec

CORPUS = sorted((Path(__file__).parent / "corpus" / "frames").iterdir())
RANDOM = st.randoms(use_true_random=False)


def read(tree, specs=(), body=b""):
    header = tree if isinstance(tree, bytes) else json.dumps({"v": tree, "b": list(specs)}).encode()
    return codec.decode(*codec.read_header(header, len(body)), bytearray(body))


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.name)
def test_the_corpus_holds(file):
    frames.check(file.read_bytes())


def test_thousands_of_frames_are_refused_or_true():
    outcomes = set()
    given_frames = [file.read_bytes() for file in CORPUS]
    for seed in range(6000):
        rng = Random(seed)
        made = rng.random() < 0.5
        frame = frame_grammar.generate(rng) if made else rng.choice(given_frames)
        if not made:
            frame = frame_grammar.mutate(frame, rng)
        outcomes.add(frames.check(frame, closely=seed % 16 == 0))
    assert outcomes == {"refused", "short", "value"}


def test_every_honest_frame_is_read():
    """Without this a codec that refuses everything would pass."""
    assert {frames.check(frame_grammar.honest(Random(seed))) for seed in range(500)} == {"value"}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(RANDOM)
def test_a_frame_by_grammar_is_refused_or_true(rng):
    frames.check(frame_grammar.generate(rng))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.sampled_from(CORPUS), RANDOM)
def test_a_changed_frame_is_refused_or_true(file, rng):
    frames.check(frame_grammar.mutate(file.read_bytes(), rng))


@pytest.mark.parametrize("seed", range(8))
def test_a_megabyte_of_one_small_thing_is_read_within_its_cpu_and_memory(seed):
    frames.check(frame_grammar.amplify(Random(seed)), closely=seed % 2 == 1)  # counting is slow


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b'{"v":1,"v":2,"b":[]}', id="value-twice"),
        pytest.param(b'{"v":1,"b":[["uint8",[0]]],"b":[]}', id="buffers-twice"),
        pytest.param(b'{"v":{"l":[1],"l":[2]},"b":[]}', id="kind-twice"),
    ],
)
def test_a_doubled_key_is_refused(header):
    with pytest.raises(codec.CodecError, match="not JSON"):
        read(header)


def test_a_buffer_that_no_value_uses_is_refused():
    with pytest.raises(codec.CodecError, match="belongs to no value"):
        read({"l": []}, [["uint8", [3]]], b"abc")


@pytest.mark.parametrize("handle", [[2**63, "x"], [-1, "x"], [10**3000, "x"], [0, "x" * 101]])
def test_a_handle_beyond_any_that_the_sandbox_gives_is_refused(handle):
    with pytest.raises(codec.CodecError, match="too large"):
        read({"h": handle})


def test_keys_that_fall_into_one_slot_of_a_dict_are_refused():
    """Ints that are equal modulo 2**61 - 1 made one frame cost 6.6 CPU seconds."""
    entries = [[n * (2**61 - 1), 0] for n in range(1, 30_000)]
    with pytest.raises(codec.CodecError, match="too many bits"):
        read({"d": entries})
    with pytest.raises(codec.CodecError, match="more than 64 bits"):
        codec.encode({2**64: 0})
    assert read({"d": [[-(2**64) + 1, 0]]}) == {-(2**64) + 1: 0}
