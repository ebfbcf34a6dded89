"""Every archive trick is refused with the entry's name, and never with another exception."""

import io
import stat
import struct
import tarfile
import warnings
import zipfile
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.errors import Rejected
from grader.intake import receive_bytes


def reasons(data: bytes, lab, name="hw.zip") -> str:
    with pytest.raises(Rejected) as caught:
        receive_bytes(name, data, lab)
    return "\n".join(caught.value.reasons)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        pytest.param("../../etc/cron.d/evil", "points outside", id="zip-slip"),
        pytest.param("a/../../b.py", "points outside", id="zip-slip-inside"),
        pytest.param("..\\..\\evil.py", "points outside", id="zip-slip-windows"),
        pytest.param("/etc/passwd", "absolute path", id="absolute"),
        pytest.param("C:/evil.py", "absolute path", id="drive"),
        pytest.param("\\\\host\\share\\x.py", "absolute path", id="unc"),
        pytest.param("toy/x\u202eyp.py", "invisible or control", id="right-to-left"),
        pytest.param("toy/x\n.py", "invisible or control", id="newline"),
        pytest.param("toy/x\x1b[2J.py", "invisible or control", id="escape"),
        pytest.param("toy/aux.py", "Windows keeps for devices", id="reserved"),
        pytest.param("COM1", "Windows keeps for devices", id="reserved-bare"),
        pytest.param("toy/model.py.", "ends with a dot", id="trailing-dot"),
    ],
)
def test_a_dangerous_name_is_refused_and_shown_clean(lab, good, pack, name, why):
    said = reasons(pack([*good.items(), (name, b"x = 1")]), lab)
    assert why in said
    assert "\x1b" not in said and "\u202e" not in said


def test_a_nul_in_a_name_is_refused(lab, good, pack):
    data = pack({**good, "toy/evil.pyQ.txt": b""}).replace(b"evil.pyQ", b"evil.py\0")
    assert "invisible or control" in reasons(data, lab)


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        pytest.param(stat.S_IFLNK | 0o777, "is a link", id="symlink"),
        pytest.param(stat.S_IFCHR | 0o666, "is a device", id="character-device"),
        pytest.param(stat.S_IFBLK | 0o666, "is a device", id="block-device"),
        pytest.param(stat.S_IFIFO | 0o666, "is a device", id="fifo"),
        pytest.param(stat.S_IFREG | 0o4755, "setuid", id="setuid"),
    ],
)
def test_an_entry_that_is_no_plain_file_is_refused(lab, good, pack, mode, why):
    entry = zipfile.ZipInfo("toy/layers.py" if "link" in why else "extra.bin")
    entry.external_attr = mode << 16
    rest = {name: data for name, data in good.items() if name != entry.filename}
    assert why in reasons(pack([*rest.items(), (entry, b"/etc/passwd")]), lab)


def test_names_that_differ_in_case_only_are_refused(lab, good, pack):
    assert "the same name on some" in reasons(pack({**good, "toy/Layers.py": b"x"}), lab)


def test_a_name_that_stands_twice_is_refused(lab, good, pack):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # zipfile warns while we make the trick
        data = pack([*good.items(), ("toy/layers.py", b"evil")])
    assert "the same name on some" in reasons(data, lab)


def test_an_encrypted_zip_is_refused(lab, good, pack):
    data = bytearray(pack(good))
    at = data.rindex(b"PK\x01\x02")
    struct.pack_into("<H", data, at + 8, struct.unpack_from("<H", data, at + 8)[0] | 1)
    assert "the entry 'toy/model.py' is locked with a password" in reasons(bytes(data), lab)


@pytest.mark.parametrize(
    ("method", "name"), [(zipfile.ZIP_LZMA, "LZMA"), (zipfile.ZIP_BZIP2, "bzip2")]
)
def test_an_odd_compression_is_refused_in_one_sentence(lab, good, pack, method, name):
    assert reasons(pack(good, method), lab).startswith(
        "hw.zip: 2 entries ('toy/layers.py' ...) are packed in a way that is not read here "
        f"({name}; only the ordinary 'deflate' is). Make an ordinary zip (Windows:"
    )
    assert "\n" not in reasons(pack(good, method), lab)


def test_one_entry_of_an_odd_compression_is_named(lab, good, pack):
    data = bytearray(pack(good))
    at = data.rindex(b"PK\x01\x02") + 10
    assert data[at : at + 2] == b"\x08\x00"
    for method, name in ((9, "Deflate64"), (93, "Zstandard"), (77, "method 77")):
        data[at : at + 2] = struct.pack("<H", method)
        assert f"the entry 'toy/model.py' is packed in a way that is not read here ({name};" in (
            reasons(bytes(data), lab)
        )


@pytest.mark.parametrize("form", ["./{}", ".//{}", "hw1/./{}", "./hw1//{}", ".\\{}", "hw1/././{}"])
def test_steps_that_lead_nowhere_are_left_out_of_names(lab, good, pack, form):
    upload = {form.format(name): data for name, data in good.items()} | {"./notes.txt": b"x"}
    accepted = receive_bytes("hw.zip", pack(upload), lab)
    assert [file.path for file in accepted.files] == ["toy/layers.py", "toy/model.py"]
    assert accepted.ignored == ("notes.txt",)


@pytest.mark.parametrize("name", ["./toy/layers.py", "toy//layers.py", "toy/./LAYERS.py"])
def test_one_name_in_two_spellings_is_refused(lab, good, pack, name):
    assert "the same name on some" in reasons(pack({**good, name: b"x = 1"}), lab)


@pytest.mark.parametrize("name", [".", "./.", "/."])
def test_an_entry_without_a_name_is_refused(lab, good, pack, name):
    said = reasons(pack({**good, name: b"x = 1"}), lab)
    assert "has no name" in said or "absolute path" in said


def test_the_folder_that_everything_lies_in_may_be_a_dot(lab, good, pack):
    upload = {"./": b"", **{f"./{name}": data for name, data in good.items()}}
    assert len(receive_bytes("hw.zip", pack(upload), lab).files) == 2


def bomb(size: int) -> bytes:
    """Return a zip of one entry of zeros, deflated piece by piece so that it stays cheap."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("toy/layers.py", "w", force_zip64=True) as entry:
            for _ in range(size >> 20):
                entry.write(bytes(1 << 20))
    return out.getvalue()


def test_a_300_mb_bomb_is_refused_without_being_inflated(lab):
    said = reasons(bomb(300 << 20), lab)
    assert "unpacks to 314.6 MB; the limit is 5.0 MB" in said
    assert "as zip bombs do" in said


def test_a_bomb_below_the_limit_is_refused_by_its_ratio(lab):
    assert "as zip bombs do" in reasons(bomb(4 << 20), lab)


def test_a_bomb_that_lies_about_its_size_yields_no_more_than_it_says(lab, good, pack):
    packed = pack({**good, "toy/model.py": b"x = 1\n" * 100_000})
    data = bytearray(packed)
    at = packed.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, at + 24, 5)  # the central directory's uncompressed size
    assert "damaged" in reasons(bytes(data), lab)


def test_overlapping_entries_are_refused(lab):
    """Two central entries share one local file, the trick of the flat zip bombs."""
    body = zlib.compress(b"x = 1\n" * 50)[2:-4]
    crc = zlib.crc32(b"x = 1\n" * 50)
    name = b"toy/layers.py"
    fields = (20, 0, 8, 0, 33, crc, len(body), 300, len(name), 0)
    local = b"PK\x03\x04" + struct.pack("<HHHHHIIIHH", *fields) + name + body
    central = b"PK\x01\x02" + struct.pack("<H", 20) + struct.pack("<HHHHHIIIHH", *fields)
    one = central + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    two = one.replace(b"layers", b"modelx")
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 2, 2, len(one + two), len(local), 0)
    assert "overlaps another" in reasons(local + one + two + end, lab)


def test_ten_thousand_entries_are_refused_before_they_are_listed(lab, pack):
    said = reasons(pack([(f"f{n}", b"") for n in range(10_000)], zipfile.ZIP_STORED), lab)
    assert "10,000 entries; at most 2,000" in said


def test_many_tricks_are_cut_to_a_readable_list(lab, pack):
    said = reasons(pack([(f"../{n}", b"") for n in range(50)]), lab)
    assert said.count("\n") == 10
    assert "and 40 more such entries" in said


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        pytest.param("hw.7z", b"7z\xbc\xaf\x27\x1c....", "7z archive", id="7z"),
        pytest.param("hw.rar", b"Rar!\x1a\x07\x00", "RAR archive", id="rar"),
        pytest.param("hw.tar.gz", b"\x1f\x8b\x08", "gzip archive", id="gzip"),
        pytest.param("hw.zip", b"Rar!\x1a\x07\x00", "RAR archive", id="renamed-rar"),
        pytest.param("hw.tgz", b"nonsense", "not a zip archive", id="by-ending"),
    ],
)
def test_other_archives_are_refused_with_a_way_out(lab, name, data, what):
    said = reasons(data, lab, name)
    assert what in said and "zip -r" in said


def test_a_tar_is_refused(lab):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("toy/layers.py"))
    assert "tar archive" in reasons(out.getvalue(), lab, "hw.tar")


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip", b"PK\x05\x06" + bytes(18)])
def test_a_broken_or_empty_zip_says_so(lab, data):
    assert reasons(data, lab)


def test_a_cut_zip_is_called_damaged(lab, good, pack):
    assert "damaged" in reasons(pack(good)[:-30], lab)


def test_archives_within_are_not_opened_and_named(lab, good, pack):
    said = reasons(pack({"hw.zip": pack(good)}), lab)
    assert "archives within an upload are not opened: unpack 'hw.zip'" in said


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=st.text(min_size=1, max_size=30), content=st.binary(max_size=50))
def test_any_name_gives_manifest_paths_or_a_rejection(lab, good, pack, name, content):
    try:
        data = pack([*good.items(), (zipfile.ZipInfo(name), content)])
    except (UnicodeEncodeError, ValueError):
        return  # zipfile itself cannot write this name
    try:
        accepted = receive_bytes("hw.zip", data, lab)
    except Rejected:
        return
    assert {file.path for file in accepted.files} <= {file.path for file in lab.files}


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_flipped_bytes_are_never_an_unexpected_exception(lab, good, pack, data):
    packed = bytearray(pack(good))
    flips = st.lists(st.tuples(st.integers(0, len(packed) - 1), st.integers(0, 255)), max_size=6)
    for at, value in data.draw(flips):
        packed[at] = value
    try:
        receive_bytes("hw.zip", bytes(packed), lab)
    except Rejected as rejected:
        assert rejected.reasons


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.binary(max_size=300))
def test_any_bytes_in_a_zip_are_refused(lab, data):
    assert reasons(data, lab)
