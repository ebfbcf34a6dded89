"""Bytes go in, the same bytes come out, whatever else happens."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.platform.errors import UnknownDigest
from portal.platform.store import Store


@given(st.binary(max_size=2000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_what_is_put_comes_back_under_its_digest(tmp_path: Path, data: bytes) -> None:
    store = Store(tmp_path)
    digest = store.put(data)
    assert digest == hashlib.sha256(data).hexdigest()
    assert store.get(digest) == data
    assert digest in store


def test_many_writers_of_the_same_bytes_leave_one_file(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with ThreadPoolExecutor(8) as pool:
        digests = set(pool.map(store.put, [b"same"] * 40))
    assert len(digests) == 1
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == [*digests]


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_what_is_not_a_digest_reaches_no_file(tmp_path: Path, digest: str) -> None:
    assert digest not in Store(tmp_path)
    with pytest.raises(UnknownDigest):
        Store(tmp_path).path(digest)


def test_a_failed_write_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError("disk full")

    (tmp_path / hashlib.sha256(b"x").hexdigest()[:2]).mkdir()
    monkeypatch.setattr(Store, "_sync", lambda _store, _folder: None)
    monkeypatch.setattr("portal.platform.store.os.fsync", full)
    with pytest.raises(OSError, match="disk full"):
        Store(tmp_path).put(b"x")
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []
