"""Files that were sent together: kept as one, and read as if each had been handed in."""

import io
import zipfile

import pytest

from grader.errors import Rejected
from grader.intake import pack_together, receive_bytes, receive_files


def paths(submission):
    return [file.path for file in submission.files]


@pytest.fixture
def sent(good, pack):
    """A zip of the code, and beside it what the zip has not."""
    return [("hw.zip", pack(good)), ("results.csv", b"a,b\n"), ("notes.txt", b"x")]


def test_a_zip_beside_other_files_is_opened(lab, sent):
    accepted = receive_bytes("3-files.zip", pack_together(sent), lab)
    assert paths(accepted) == ["results.csv", "toy/layers.py", "toy/model.py"]
    assert accepted.ignored == ("notes.txt",)
    assert accepted.digest == receive_files(sent, lab).digest


def test_the_pack_depends_on_the_files_alone(sent):
    assert pack_together(sent) == pack_together(reversed(sent))
    with zipfile.ZipFile(io.BytesIO(pack_together(sent))) as archive:
        assert archive.namelist() == ["hw.zip", "notes.txt", "results.csv"]


def test_files_of_two_zips_are_told_apart_by_the_zip(lab, good, pack):
    both = [("a.zip", pack(good)), ("b.zip", pack(good))]
    with pytest.raises(Rejected) as caught:
        receive_bytes("2-files.zip", pack_together(both), lab)
    assert "a.zip/toy/layers.py, b.zip/toy/layers.py" in caught.value.reasons[0]


def test_only_one_level_is_opened(lab, good, pack):
    within = pack({"inner.zip": pack(good)})
    for upload in (within, pack_together([("hw.zip", within), ("x.txt", b"x")])):
        with pytest.raises(Rejected) as caught:
            receive_bytes("hw.zip", upload, lab)
        assert "archives within an upload are not opened" in caught.value.reasons[0]


def test_who_calls_his_own_zip_a_pack_gains_nothing(lab, good, pack):
    packs = good
    for _ in range(3):
        packs = {"hw.zip": pack_together(packs.items())}
    with pytest.raises(Rejected) as caught:
        receive_bytes("hw.zip", packs["hw.zip"], lab)
    assert "archives within an upload are not opened" in caught.value.reasons[0]


def test_the_tricks_of_a_zip_are_refused_in_a_pack_too(lab, good, pack):
    sent = [*good.items(), ("x.zip", pack([("../../x.py", b"x")]))]
    for upload in (pack_together(sent), pack_together([*good.items(), ("aux.txt", b"x")])):
        with pytest.raises(Rejected):
            receive_bytes("hw.zip", upload, lab)


def test_a_pack_that_unpacks_to_too_much_is_refused_unread(lab, good):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.zip", bytes(6_000_000))
        archive.comment = pack_together(good.items())[-29:]
    with pytest.raises(Rejected) as caught:
        receive_bytes("hw.zip", out.getvalue(), lab)
    assert "the limit is 5.0 MB" in caught.value.reasons[0]
