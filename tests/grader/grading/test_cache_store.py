"""Kept results survive whoever dies while writing; what is damaged costs a test, no more."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest
from pydantic import BaseModel

from grader.grading.cache.store import ResultCache, cache_folder

SECRET = b"s" * 32
KEY = "ab" * 32


class Value(BaseModel):
    number: float


@pytest.fixture
def cache(tmp_path):
    return ResultCache(tmp_path / "results")


def file_of(cache, key=KEY):
    return cache.folder / key[:2] / f"{key}.json"


def test_what_is_put_is_found_by_any_process(cache):
    cache.put(KEY, Value(number=0.1), SECRET)
    assert ResultCache(cache.folder).get(Value, KEY, SECRET) == Value(number=0.1)
    assert cache.get(Value, "cd" * 32, SECRET) is None
    assert cache.unreadable == 0


def test_only_the_owner_may_look(cache):
    cache.put(KEY, Value(number=1), SECRET)
    assert cache.folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda text: "", id="empty"),
        pytest.param(lambda text: text[: len(text) // 2], id="cut"),
        pytest.param(lambda text: text.replace("1.0", "2.0"), id="another value"),
        pytest.param(lambda text: "[]", id="another shape"),
        pytest.param(lambda text: "[" * 100_000, id="too deep"),
        pytest.param(lambda text: json.dumps({**json.loads(text), "seal": "é"}), id="odd seal"),
    ],
)
def test_a_damaged_entry_is_removed_and_counted(cache, damage):
    cache.put(KEY, Value(number=1), SECRET)
    file = file_of(cache)
    file.write_text(damage(file.read_text()))
    assert cache.get(Value, KEY, SECRET) is None
    assert cache.unreadable == 1
    assert not file.exists()
    cache.put(KEY, Value(number=3), SECRET)
    assert cache.get(Value, KEY, SECRET) == Value(number=3)


def test_an_entry_under_another_key_or_secret_is_not_believed(cache):
    cache.put(KEY, Value(number=1), SECRET)
    other = "ac" * 32
    file_of(cache, other).parent.mkdir(exist_ok=True)
    file_of(cache, other).write_bytes(file_of(cache).read_bytes())
    assert cache.get(Value, other, SECRET) is None
    assert cache.get(Value, KEY, b"t" * 32) is None


DIES = """
import os, signal, sys
from pathlib import Path
from tests_value import Value
from grader.grading.cache.store import ResultCache

def half(self, text, **options):
    with open(self, "w") as file:
        file.write(text[: len(text) // 2])
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)

Path.write_text = half
ResultCache(Path(sys.argv[1])).put(sys.argv[2], Value(number=5), b"s" * 32)
"""


def test_a_writer_that_is_killed_leaves_a_cache_to_use(cache, tmp_path):
    cache.put(KEY, Value(number=1), SECRET)
    (tmp_path / "tests_value.py").write_text(
        "from pydantic import BaseModel\nclass Value(BaseModel):\n    number: float\n"
    )
    dead = subprocess.run(
        [sys.executable, "-c", DIES, str(cache.folder), KEY],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert dead.returncode == -signal.SIGKILL
    left = [file for file in file_of(cache).parent.iterdir() if file.suffix != ".json"]
    assert len(left) == 1
    assert cache.get(Value, KEY, SECRET) == Value(number=1)
    assert cache.extent().entries == 1
    os.utime(left[0], (1, 1))
    assert cache.extent().entries == 1
    assert not left[0].exists()
    assert cache.unreadable == 0


def test_the_oldest_go_first_and_use_keeps_young(cache):
    keys = [f"{n:02x}" * 32 for n in range(10)]
    for age, key in enumerate(keys):
        cache.put(key, Value(number=age), SECRET)
        os.utime(file_of(cache, key), (1000 + age, 1000 + age))
    assert cache.get(Value, keys[0], SECRET) is not None
    size = cache.extent().size
    small = ResultCache(cache.folder)
    small._limit = size - 1
    assert small.trim() > 0
    assert cache.get(Value, keys[0], SECRET) is not None
    assert cache.get(Value, keys[1], SECRET) is None
    assert cache.get(Value, keys[9], SECRET) is not None
    cache.trim(0)
    assert cache.extent().entries == 0


def test_a_cache_that_fits_is_left_alone(cache):
    cache.put(KEY, Value(number=1), SECRET)
    assert cache.trim() == 0
    assert cache.extent().entries == 1


def test_a_folder_that_cannot_be_written_costs_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    cache = ResultCache(tmp_path / "file" / "below")
    cache.put(KEY, Value(number=1), SECRET)
    assert cache.get(Value, KEY, SECRET) is None


def test_many_threads_may_write_one_key(cache):
    def write(number):
        for _ in range(20):
            cache.put(KEY, Value(number=number), SECRET)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cache.get(Value, KEY, SECRET) is not None
    assert cache.extent().entries == 1


def test_where_results_lie(tmp_path):
    assert cache_folder({"GRADER_CACHE": "/x/y", "XDG_CACHE_HOME": "/z"}).as_posix() == "/x/y"
    assert cache_folder({"XDG_CACHE_HOME": "/z"}).as_posix() == "/z/proctor/results"
    assert cache_folder({"HOME": "/h"}).as_posix() == "/h/.cache/proctor/results"
