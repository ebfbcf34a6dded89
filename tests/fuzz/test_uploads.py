"""Uploads that a student or an attacker could send: replayed, generated and changed."""

import struct
import sys
from pathlib import Path
from random import Random

import pytest
from fuzzing import folders, names, upload_grammar, zip_grammar
from fuzzing.zip_grammar import Archive, Entry
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.errors import Rejected
from grader.intake import receive, receive_bytes

CORPUS = Path(__file__).parent / "corpus"
UPLOADS = sorted((CORPUS / "uploads").iterdir())
NAMES = sorted((CORPUS / "names").iterdir())
RANDOM = st.randoms(use_true_random=False)
BOUNDED = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.mark.parametrize("file", UPLOADS, ids=lambda file: file.name)
def test_the_corpus_of_uploads_holds(file, intake):
    intake.check(file.read_bytes())


@pytest.mark.parametrize("file", NAMES, ids=lambda file: file.name)
def test_the_corpus_of_names_holds(file, intake):
    names.check(file.read_bytes(), intake.lab)


def test_hundreds_of_uploads_are_rejected_in_words_or_taken_whole(intake):
    outcomes = set()
    for seed in range(300):
        rng = Random(seed)
        upload = upload_grammar.generate(rng)
        if rng.random() < 0.5:
            upload = upload_grammar.mutate(rng.choice(UPLOADS).read_bytes(), rng)
        outcomes.add(intake.check(upload, closely=seed % 16 == 0))
    assert outcomes == {"accepted", "rejected"}


def test_hundreds_of_lists_of_names_are_foretold_in_words(intake):
    outcomes = {names.check(upload_grammar.names(Random(seed)), intake.lab) for seed in range(400)}
    assert outcomes == {"accepted", "rejected"}


@pytest.mark.parametrize("seed", range(8))
def test_a_large_file_of_one_small_thing_is_read_within_its_cpu_and_memory(intake, seed):
    intake.check(upload_grammar.amplify(Random(seed)), closely=False)


@BOUNDED
@given(RANDOM)
def test_an_upload_by_grammar_is_rejected_in_words_or_taken_whole(intake, rng):
    intake.check(upload_grammar.generate(rng), closely=False)


@BOUNDED
@given(st.sampled_from(UPLOADS), RANDOM)
def test_a_changed_upload_is_rejected_in_words_or_taken_whole(intake, file, rng):
    intake.check(upload_grammar.mutate(file.read_bytes(), rng), closely=False)


@BOUNDED
@given(st.lists(st.text(max_size=30), max_size=5))
def test_any_names_are_foretold_in_words(intake, found):
    names.check("\n".join(found).encode("utf-8", "surrogatepass"), intake.lab)


@pytest.mark.skipif(sys.platform == "win32", reason="needs Linux: links, pipes and raw names")
@pytest.mark.parametrize("seed", range(25))
def test_a_folder_is_rejected_in_words_or_taken_whole(intake, tmp_path, seed):
    folder = folders.build(tmp_path, intake.root / "outside", Random(seed))
    try:
        folders.check(folder, intake)
    finally:
        folders.remove(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="needs Linux: paths that are built in steps")
def test_folders_nested_a_thousand_deep_are_walked(intake, tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    folders._nest(folder, 1200)
    try:
        with pytest.raises(Rejected, match="no file in it"):
            receive(folder, intake.lab)
    finally:
        folders.remove(folder)


@pytest.mark.parametrize("count", [0, 1, 3, 0xFFFE])
def test_a_zip_that_miscounts_its_entries_is_damaged(intake, count):
    """A program that goes by the count shows other files than one that goes by the list."""
    both = (Entry(b"toy/layers.py", b"x = 1\n"), Entry(b"toy/model.py", b"y = 2\n"))
    assert receive_bytes("hw.zip", zip_grammar.build(Archive(both)), intake.lab).files
    lying = zip_grammar.build(Archive(both, lies=(("entries", count),)))
    with pytest.raises(Rejected, match="damaged"):
        receive_bytes("hw.zip", lying, intake.lab)


def test_a_zip_whose_last_name_runs_over_the_end_of_the_list_is_damaged(intake):
    data = zip_grammar.build(Archive((Entry(b"toy/layers.py", b"x = 1\n"),)))
    at = data.rindex(b"PK\x01\x02") + 28
    assert data[at] == len("toy/layers.py")
    with pytest.raises(Rejected, match="damaged"):
        receive_bytes("hw.zip", data[:at] + b"\x20" + data[at + 1 :], intake.lab)


@pytest.mark.parametrize("method", [zip_grammar.STORED, zip_grammar.DEFLATED])
@pytest.mark.parametrize("size", [5, 7, 100])
def test_a_member_of_another_size_than_announced_is_damaged(intake, method, size):
    lying = Entry(b"toy/layers.py", b"x = 1\n", method, lies=(("size", size),))
    with pytest.raises(Rejected, match="damaged"):
        receive_bytes("hw.zip", zip_grammar.build(Archive((lying,))), intake.lab)


def test_a_zip_counted_in_its_larger_record_is_opened(intake):
    """Some programs write that record always, and 65,535 in the place of the count."""
    data = zip_grammar.build(Archive((Entry(b"toy/layers.py", b"x = 1\n"),)))
    end = data.rindex(b"PK\x05\x06")
    size, start = struct.unpack_from("<2L", data, end + 12)
    larger = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, size, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    last = data[end : end + 8] + b"\xff\xff\xff\xff" + data[end + 12 :]
    taken = receive_bytes("hw.zip", data[:end] + larger + locator + last, intake.lab)
    assert [file.path for file in taken.files] == ["toy/layers.py"]
