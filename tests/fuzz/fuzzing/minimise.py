"""Keep of many inputs a few small ones that together reach the same code."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any

from fuzzing import shard
from fuzzing.limits import Finding

LARGEST = 4000  # bytes of one kept input
MOST = 40  # kept inputs of a target
_OWN = f"{os.sep}grader{os.sep}"

Arc = tuple[str, int, int]


def keep(target: str, out: Path, corpus: Path) -> str:
    """Replace a target's corpus by the smallest of it and of the last run's inputs."""
    files = [*corpus.glob("*"), *out.glob(f"{target}-*/corpus/*")]
    inputs = sorted({file.read_bytes() for file in files}, key=lambda data: (len(data), data))
    inputs = [data for data in inputs if len(data) <= LARGEST]
    chosen = _smallest(inputs, _arcs_of_all(target, inputs))
    for file in corpus.glob("*"):
        file.unlink()
    corpus.mkdir(parents=True, exist_ok=True)
    for data in chosen:
        (corpus / hashlib.sha256(data).hexdigest()[:12]).write_bytes(data)
    size = sum(map(len, chosen))
    return f"{target}: {len(chosen)} of {len(inputs)} inputs kept, {size:,} bytes"


def _arcs_of_all(name: str, inputs: list[bytes]) -> list[set[Arc]]:
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        target = shard.Target(name, scratch, stack)
        return [_arcs(target.check, data) for data in inputs]


def _arcs(check: Any, data: bytes) -> set[Arc]:
    """Return the pairs of lines of the engine that follow each other while an input is judged."""
    arcs: set[Arc] = set()
    last: dict[int, int] = {}

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        file = frame.f_code.co_filename
        if _OWN not in file:
            return None
        arcs.add((file, last.get(id(frame), 0), frame.f_lineno))
        last[id(frame)] = frame.f_lineno
        if event == "return":
            last.pop(id(frame), None)
        return trace

    sys.settrace(trace)
    try:
        check(data, closely=False)
    except Finding:
        return set()
    finally:
        sys.settrace(None)
    return arcs


def _smallest(inputs: list[bytes], arcs: list[set[Arc]]) -> list[bytes]:
    """Choose greedily: the input that adds most arcs a byte-ish cost, until nothing is added."""
    reached: set[Arc] = set()
    chosen: list[bytes] = []
    left = list(range(len(inputs)))
    while left and len(chosen) < MOST:
        best = max(left, key=lambda i: len(arcs[i] - reached) / (50 + len(inputs[i])) ** 0.5)
        if not arcs[best] - reached:
            break
        reached |= arcs[best]
        chosen.append(inputs[best])
        left.remove(best)
    return chosen
