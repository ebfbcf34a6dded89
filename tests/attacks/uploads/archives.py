"""Archives that try to leave the folder, fill the memory or confuse the reader."""

import io
import stat
import tarfile
import zipfile

import upload_craft as craft
from upload_craft import GOOD, MATHS, NET, Member, archive, good, of_kind
from upload_row import LEAK, Upload, entry, kind, one_zip, renamed

PATHS = (
    entry("zip-slip", "climbs out of the folder by ../", "../../etc/cron.d/x", "points outside"),
    entry("zip-slip-inside", "climbs out from within", "tiny/../../x.py", "points outside"),
    entry("zip-slip-windows", "climbs out by backslashes", "..\\..\\x.py", "points outside"),
    entry("dots-only", "is called .. alone", "..", "points outside"),
    entry("absolute-path", "names a file of the host", "/etc/passwd", "is an absolute path"),
    entry("drive-path", "names a Windows drive", "C:/Windows/x.py", "is an absolute path"),
    entry("network-path", "names a Windows share", "\\\\host\\share\\x.py", "is an absolute path"),
    entry("nul-in-name", "hides its ending behind a NUL", "tiny/x.py\0.txt", "control characters"),
    entry("right-to-left", "turns its name round", "tiny/x\u202eyp.txt", "invisible"),
    entry("newline-in-name", "forges a log line by its name", "x\n200 OK", "control characters"),
    entry("escape-in-name", "clears the terminal by its name", "x\x1b[2J", "control characters"),
    entry("reserved-name", "is a Windows device", "tiny/aux.py", "keeps for devices"),
    entry("reserved-superscript", "is a device by a superscript", "COM\u00b9", "keeps for devices"),
    entry("trailing-dot", "differs by a dot Windows drops", "tiny/maths.py.", "ends with a dot"),
    entry("case-clash", "differs by case only", "TINY/Maths.py", "the same name on some systems"),
    Upload(
        "unicode-clash",
        "writes one name composed and decomposed",
        lambda _: craft.zipped(Member("caf\u00e9.txt", LEAK), Member("cafe\u0301.txt", LEAK)),
        "the same name on some systems",
    ),
    entry("doubled-name", "holds one name twice", "tiny/maths.py", "keep one of them"),
    entry(
        "stream-name",
        "names a Windows data stream of a graded file",
        "tiny/maths.py:evil",
        "tiny/maths.py:evil",
        taken=True,
    ),
    entry(
        "markup-in-name",
        "puts a script into its name",
        "<img src=x onerror=alert(1)>.txt",
        "<img src=x",
        taken=True,
    ),
    entry(
        "formula-in-name",
        "puts a spreadsheet formula into its name",
        "=HYPERLINK(1).txt",
        "=HYPERLINK",
        taken=True,
    ),
    Upload(
        "backslash-paths",
        "separates folders by backslashes, as some honest tools do",
        lambda _: [("hw.zip", archive(*(Member(n.replace("/", "\\"), d) for n, d in GOOD)))],
        "",
        taken=True,
    ),
)

KINDS = (
    Upload(
        "symlink",
        "is a link to a secret of the host",
        lambda host: craft.zipped(craft.linked("answers.csv", host / "secret.txt")),
        "put the file itself into the zip",
    ),
    Upload(
        "symlinked-folder",
        "makes a folder a link and writes through it",
        lambda host: [("hw.zip", archive(craft.linked("tiny", host), *good()))],
        "put the file itself into the zip",
    ),
    kind("character-device", "is /dev/mem", of_kind(stat.S_IFCHR), "is a device"),
    kind("block-device", "is a disk", of_kind(stat.S_IFBLK), "is a device"),
    kind("fifo", "is a pipe that would block a reader", of_kind(stat.S_IFIFO), "is a device"),
    kind("socket", "is a socket", of_kind(stat.S_IFSOCK), "is a device"),
    kind("setuid", "asks to run as its owner", of_kind(stat.S_IFREG, 0o4755), "setuid"),
    kind("setgid", "asks to run as its group", of_kind(stat.S_IFREG, 0o2755), "setuid"),
    Upload(
        "tar-hardlink",
        "is a tar with a hard link to a secret of the host",
        lambda host: [("hw.tar", craft.tarred("w", (tarfile.LNKTYPE, host / "secret.txt")))],
        "only .zip is opened",
    ),
    Upload(
        "tar-symlink",
        "is a packed tar with a link to a secret of the host",
        lambda host: [("hw.tgz", craft.tarred("w:gz", (tarfile.SYMTYPE, host / "secret.txt")))],
        "only .zip is opened",
    ),
    renamed("tar-as-zip", "a tar", craft.tarred(), "is a tar archive"),
    renamed("gzip-as-zip", "a gzip", b"\x1f\x8b\x08" + bytes(50), "is a gzip archive"),
    renamed("7z-as-zip", "a 7z", b"7z\xbc\xaf\x27\x1c" + bytes(50), "is a 7z archive"),
    renamed("rar-as-zip", "a RAR", b"Rar!\x1a\x07\x00" + bytes(50), "is a RAR archive"),
    renamed("xz-as-zip", "an xz", b"\xfd7zXZ\x00" + bytes(50), "is an xz archive"),
    renamed("zstd-as-zip", "a zstd", b"\x28\xb5\x2f\xfd" + bytes(50), "is a zstd archive"),
)


def _nested() -> bytes:
    inner = craft.zeros(1)
    for _ in range(4):
        inner = archive(*(Member(f"{n}.zip", inner, deflated=True) for n in range(4)))
    return inner


def _many(number: int, count: int | None = None) -> bytes:
    return archive(*(Member(f"{n}.txt") for n in range(number)), count=count)


def _stored(size: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as made:
        made.writestr("tiny/maths.py", bytes(size))
    return out.getvalue()


_LONG = b"x = 1\n" * 4_000_000

BOMBS = (
    one_zip("flat-bomb", "inflates to 300 MB", lambda: craft.zeros(300), "as zip bombs do"),
    one_zip("small-bomb", "stays just below the limit", lambda: craft.zeros(1), "as zip bombs do"),
    one_zip("nested-bomb", "hides zips in zips", _nested, "are not opened: unpack"),
    one_zip(
        "packed-bomb",
        "says of its zips in zips that a browser sent them together",
        lambda: archive(
            Member("a.zip", _nested()),
            Member("b.zip", _nested()),
            comment=b"files that were sent together",
        ),
        "are not opened: unpack",
    ),  # fmt: skip
    one_zip(
        "packed-slip",
        "climbs out of a zip that it says was sent together with others",
        lambda: archive(
            *good(),
            Member("a.zip", archive(Member("../../x.py", LEAK))),
            comment=b"files that were sent together",
        ),
        "points outside",
    ),  # fmt: skip
    one_zip(
        "full-overlap-bomb",
        "gives 200 names to the same bytes (Fifield)",
        craft.full_overlap,
        "as zip bombs do",
    ),
    one_zip(
        "quoted-overlap-bomb",
        "quotes each entry's header in the one before it (Fifield)",
        craft.quoted_overlap,
        "as zip bombs do",
    ),
    one_zip(
        "quiet-overlap-bomb",
        "overlaps its entries and stays below every sum (Fifield)",
        lambda: craft.quoted_overlap(entries=3, kernel=100_000),
        "overlaps another one",
    ),
    one_zip(
        "size-lie-central",
        "says 10 bytes in the directory and holds 24 MB",
        lambda: archive(
            Member("tiny/maths.py", _LONG, deflated=True, central={"size": 10}), good()[1]
        ),
        "damaged",
    ),
    one_zip(
        "size-lie-both",
        "says 10 bytes in both headers and holds 24 MB",
        lambda: archive(
            Member("tiny/maths.py", _LONG, deflated=True, central={"size": 10}, local={"size": 10}),
            good()[1],
        ),
        "damaged",
    ),  # fmt: skip
    one_zip("stored-too-large", "is simply too large", lambda: _stored(3_000_000), "the limit is"),
    one_zip("10k-entries", "holds 10,000 entries", lambda: _many(10_000), "at most 2,000"),
    one_zip(
        "10k-entries-hidden",
        "holds 10,000 entries and says 1",
        lambda: _many(10_000, count=1),
        "at most 2,000",
    ),
)

FORMAT = (
    one_zip(
        "encrypted",
        "locks an entry with a password",
        lambda: archive(*good(), Member("x.txt", b"?", local={"flags": 1}, central={"flags": 1})),
        "locked with a password",
    ),
    one_zip(
        "encrypted-aes",
        "locks an entry by WinZip's AES",
        lambda: archive(*good(), Member("x", b"?", local={"method": 99}, central={"method": 99})),
        "packed in a way that is not read",
    ),
    one_zip(
        "prefixed",
        "puts a program in front of the zip, as a self-extractor does",
        lambda: archive(*good(), prefix=b"#!/bin/sh\necho LEAKED-5b1e\n" * 30),
        "",
        taken=True,
    ),
    one_zip(
        "appended",
        "puts other bytes behind the zip",
        lambda: archive(*good(), comment=LEAK * 20),
        "",
        taken=True,
    ),
    one_zip(
        "two-zips",
        "puts an honest zip before a hostile one, for readers to differ",
        lambda: archive(*good()) + archive(Member("../x", LEAK), *good()),
        "points outside",
    ),
    one_zip(
        "wrong-crc",
        "gives a checksum that does not fit",
        lambda: archive(
            Member("tiny/maths.py", MATHS, local={"crc": 1}, central={"crc": 1}), good()[1]
        ),
        "damaged",
    ),
    one_zip("truncated", "is cut off", lambda: archive(*good())[:-30], "was the upload cut off?"),
    one_zip("cut-in-half", "is cut in half", lambda: archive(*good())[:120], "cut off?"),
    one_zip(
        "zip64-size-lie",
        "says 2 to the 62 bytes in a zip64 field",
        lambda: archive(
            Member(
                "tiny/maths.py",
                MATHS,
                extra=craft.zip64_extra(1 << 62),
                central={"size": 0xFFFFFFFF, "packed": 0xFFFFFFFF},
            ),
            good()[1],
        ),
        "the limit is",
    ),  # fmt: skip
    one_zip(
        "zip64-end-lie",
        "points its zip64 directory beyond the file",
        lambda: archive(*good(), before_end=craft.zip64_end(1 << 50)),
        "damaged",
    ),
    one_zip(
        "local-name-differs",
        "has an honest name in the directory and ../ in the local header",
        lambda: archive(
            Member("tiny/maths.py", MATHS, local={"name": b"../../../x.py"}), good()[1]
        ),
        "damaged",
    ),
    one_zip(
        "local-method-differs",
        "has a harmless method in one header and deflate in the other",
        lambda: archive(Member("tiny/maths.py", MATHS, local={"method": 8, "size": 9}), good()[1]),
        "",
        taken=True,
    ),
    one_zip(
        "directory-lies",
        "points an entry at another entry's bytes",
        lambda: archive(*good(), Member("x.py", LEAK, central={"offset": 0})),
        "overlaps another one",
    ),
    one_zip(
        "name-no-utf8",
        "says its name is UTF-8 and it is not",
        lambda: archive(*good(), Member(b"\xff\xfe\xfd", LEAK)),
        "damaged",
    ),
    one_zip("empty-zip", "holds nothing", archive, "no file in it"),
    one_zip("folders-only", "holds folders only", lambda: archive(Member("tiny/")), "no file"),
    Upload("no-zip", "is text called zip", lambda _: [("hw.zip", LEAK)], "not a zip file"),
    Upload("no-bytes", "is an empty zip file", lambda _: [("hw.zip", b"")], "0 bytes"),
    Upload(
        "zip-as-python",
        "is a zip called maths.py, which Python would import",
        lambda _: [("maths.py", archive(*good())), ("net.py", NET)],
        "is not UTF-8 text. Save the file",
    ),
)
