"""The long run's parts: what a shard counts and keeps, and what a replay says."""

import importlib.util
import json
import sys
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest
from fuzzing import frame_grammar, frames, minimise, shard
from fuzzing.limits import Finding, cpu_at_most, expect, memory_at_most

HERE = Path(__file__).parent
BENCH = HERE.parents[1] / "bench" / "fuzz.py"


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])  # the script adds to it
    spec = importlib.util.spec_from_file_location("bench_fuzz", BENCH)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "bench_fuzz", module)
    spec.loader.exec_module(module)
    return module


def target(check):
    return SimpleNamespace(
        name="frames", check=check, generate=frame_grammar.generate, mutate=frame_grammar.mutate,
        amplify=None, cpu_seconds=0.0,
    )  # fmt: skip


def long_ones_are_found(data, *, closely):
    expect(len(data) < 100, "is short")
    return "value"


def test_a_shard_counts_and_keeps_the_smallest_input_of_each_broken_promise(tmp_path):
    run = shard.Shard(target(long_ones_are_found), 200, 1, tmp_path)
    shard.unguided(run, [str(HERE / "corpus" / "frames")])
    counts = json.loads((tmp_path / "stats.json").read_text())
    assert counts["executions"] == sum(counts["outcomes"].values()) == 200
    assert set(counts["outcomes"]) == {"value", "finding"}
    (kept,) = (file for file in tmp_path.glob("finding-*") if file.suffix != ".txt")
    assert 100 <= len(kept.read_bytes()) < 130
    assert "Finding: is short" in kept.with_suffix(".txt").read_text()


def test_a_finding_is_replayed(bench, monkeypatch, tmp_path, capsys):
    file = tmp_path / "finding-frames-0"
    file.write_bytes(frame_grammar.honest(Random(1)))
    assert bench.replay(file)
    assert "value" in capsys.readouterr().out
    monkeypatch.setattr(frames, "_judge", lambda *_: expect(False, "a promise"))
    assert not bench.replay(file)
    assert "a promise" in capsys.readouterr().out


def test_few_inputs_reach_what_many_reach():
    arcs = [{1, 2}, {2}, {1, 2, 3}, set(), {3}]
    inputs = [b"a" * 10, b"b", b"c" * 10, b"", b"e" * 400]
    assert minimise._smallest(inputs, arcs) == [b"c" * 10]


def test_a_break_of_the_deadline_is_a_finding():
    with pytest.raises(Finding, match="CPU seconds"), cpu_at_most(0.05):
        while True:
            pass
    with pytest.raises(Finding, match="allocates"), memory_at_most(1000):
        bytearray(10_000)
