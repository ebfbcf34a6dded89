"""Memory arranged for forks: no hole is left, and nothing that lies in it has changed."""

import json
import subprocess
import sys

import pytest

from grader.sandbox.guest import memory

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: nothing else forks")

HOLES = f"""
import ctypes, gc, importlib.util, json, os, random, sys
spec = importlib.util.spec_from_file_location("memory", {memory.__file__!r})
memory = importlib.util.module_from_spec(spec)
spec.loader.exec_module(memory)
rng = random.Random(1)
made = [bytes(rng.randrange(0, 440)) for _ in range(60_000)]
chunks = [memory._libc.malloc(rng.randrange(24, 4000)) for _ in range(2_000)]
memory._libc.malloc.restype = ctypes.c_void_p
kept = made[::3]
del made
"""
POOLS = """
def in_old_pools():
    old = {id(one) // memory._POOL for one in kept}
    new = [bytes(size) for size in range(0, 440, 16) for _ in range(3)]
    return sum(id(one) // memory._POOL in old for one in new)
before = in_old_pools()
memory.prepare_for_forks()
print(json.dumps([before, in_old_pools()]))
"""
CHUNKS = """
pointers = [memory._libc.malloc(500) for _ in range(3_000)]
memory._libc.free.argtypes = [ctypes.c_void_p]
for pointer in pointers[::2]:
    memory._libc.free(pointer)
last = max(pointers)
def below(): return sum(memory._libc.malloc(400) < last for _ in range(100))
before = below()
memory.prepare_for_forks()
print(json.dumps([before, below()]))
"""
SAME = """
held = {size: os.urandom(size) for size in (10, 500, 5_000, 3_000_000, 9_000_000)}
copies = {size: bytearray(data) for size, data in held.items()}
memory.prepare_for_forks()
print(json.dumps([held == copies, gc.get_freeze_count() > 0]))
"""


def run(program):
    command = [sys.executable, "-c", HOLES + program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return json.loads(done.stdout)


def test_new_objects_go_to_fresh_pools():
    before, after = run(POOLS)
    assert before > 40
    assert after < before / 4


def test_new_chunks_go_to_the_top_of_the_heap():
    before, after = run(CHUNKS)
    assert before == 100
    assert after == 0


def test_what_was_there_is_as_it_was():
    assert run(SAME) == [True, True]


def test_it_takes_little_memory():
    program = """
def private():
    with open("/proc/self/smaps_rollup") as file:
        return sum(int(line.split()[1]) for line in file if line.startswith("Private"))
gc.collect()
before = private()
memory._fill_pools()
memory._fill_heap()
print(json.dumps(private() - before))
"""
    assert run(program) < 8_000  # KB
