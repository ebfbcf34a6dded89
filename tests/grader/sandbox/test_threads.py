"""A run has one core: libraries start no threads on it, whatever student code asks for."""

from contextlib import closing

import pytest

from grader.sandbox import Sandbox, SandboxSpec, ZygoteProcess, best_tier, confinement

CODE = """
import os

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "MKL_NUM_THREADS"), "8")

import numpy as np
import torch

def work():
    x, weights = torch.ones(64, 64), torch.nn.Parameter(torch.ones(64, 64))
    optimiser = torch.optim.Adam([weights])
    (x @ weights).tanh().mean().backward()
    optimiser.step()
    big, image = torch.ones(300, 300), torch.ones(16, 4, 28, 28)
    torch.nn.functional.conv2d(image, torch.ones(8, 4, 3, 3))
    torch.linalg.svd(big @ big)
    torch.ones(300_000).tanh().sort()
    np.ones((400, 400)) @ np.ones((400, 400))
    torch.jit.wait(torch.jit.fork(torch.tanh, big))

def counted():
    work()
    return len(os.listdir("/proc/self/task"))

def ask_for(threads):
    torch.set_num_threads(threads)
    return torch.get_num_threads()

def used_by_torch():
    return torch.__config__.parallel_info()

def refused(number):
    try:
        torch.set_num_threads(number)
    except RuntimeError:
        return True

at_import = counted()
torch.set_num_threads(8)
torch.set_num_interop_threads(8)
asked_at_import = torch.get_num_threads(), counted()
"""


@pytest.fixture(scope="module")
def sandbox():
    zygote = ZygoteProcess(confinement(best_tier()), SandboxSpec(warm=("numpy", "torch")))
    try:
        write = lambda folder: (folder / "lab.py").write_text(CODE)  # noqa: E731
        with closing(Sandbox(zygote.spawn, write, ("lab",), 30)) as sandbox:
            assert not sandbox.failures, sandbox.failures
            yield sandbox
    finally:
        zygote.close()


def ask(session, operation, *args):
    return session.channel.ask(operation, ["lab", *args[:1]], *args[1:])


def test_an_import_that_asks_for_threads_gets_none(sandbox):
    with sandbox.session(0, 30) as session:
        assert ask(session, "get", "at_import") == 1
        assert ask(session, "get", "asked_at_import") == (8, 1)


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_a_test_that_asks_for_threads_computes_with_one(sandbox, threads):
    with sandbox.session(0, 30) as session:
        assert ask(session, "call", "ask_for", [threads], {}) == threads
        assert ask(session, "call", "counted", [], {}) == 1
        # Work that is cut for eight threads and done by one takes many times as long.
        used = ask(session, "call", "used_by_torch", [], {})
        assert "at::get_num_threads() : 1\n" in used
        assert "omp_get_max_threads() : 1\n" in used


@pytest.mark.parametrize("number", [0, -1, "8"])
def test_a_number_that_torch_would_refuse_is_refused(sandbox, number):
    with sandbox.session(0, 30) as session:
        assert ask(session, "call", "refused", [number], {})
