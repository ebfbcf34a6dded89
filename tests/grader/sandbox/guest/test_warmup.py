"""What a zygote does before its first fork."""

import socket
import subprocess
import sys

import pytest
import torch

from grader.sandbox.confinement import environment
from grader.sandbox.guest import codec, runner, warmup
from grader.sandbox.host.channel import Channel

PROGRAM = """
import os, random, sys
import numpy as np
from grader.sandbox.guest import warmup

warmup.warm_up({settings})
torch = sys.modules["torch"]
drawn = [random.random(), float(np.random.rand())]
if torch:
    drawn.append(float(torch.rand(())))
print(len(os.listdir("/proc/self/task")), *drawn)
"""
DRAWN = """
import random, numpy as np, torch
random.seed(0); np.random.seed(0); torch.manual_seed(0)
print(random.random(), float(np.random.rand()), float(torch.rand(())))
"""


def run(program):
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment("/"),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.fixture(scope="module")
def answers():
    ours, theirs = socket.socketpair()
    requests = warmup._requests()
    channel = Channel(ours, lambda: None)
    with ours:
        for frame in warmup._frames():
            ours.sendall(frame)
        ours.shutdown(socket.SHUT_WR)
        runner.serve(0, theirs.detach())
        answers = [channel._receive(codec.ANSWER) for _ in requests]
    names = [args[0] if op == "call" else op for op, *args in requests]
    return dict(zip(map(str, names), answers, strict=True))


def test_a_request_fits_into_a_small_socket():
    assert max(map(len, warmup._frames())) < 2_000


def test_a_rehearsed_request_does_what_a_test_would_have_it_do(answers):
    raised = [name for name, answer in answers.items() if "ok" not in answer]
    assert raised == [str(["math", "sqrt"])]
    assert "ValueError" in answers[raised[0]]["raised"]["types"]


def test_a_layer_is_made_called_and_trained_by_its_handle(answers):
    assert answers[str(["torch.nn", "Linear"])]["ok"].class_name == "Linear"
    assert {name: value.shape for name, value in answers["gradients"]["ok"].items()} == {
        "weight": (2, 4),
        "bias": (2,),
    }
    convolved = answers[str(["torch.nn.functional", "conv2d"])]["ok"]
    assert torch.equal(convolved, torch.full((1, 1, 1, 1), 16.0))


def test_a_warm_process_has_one_thread_and_draws_what_a_cold_one_would():
    threads, *drawn = run(PROGRAM.format(settings={"hide": [], "warm": ["numpy", "torch"]}))
    assert threads == "1"  # a fork has no other thread, and would wait for it
    assert drawn == run(DRAWN)


def test_a_process_without_torch_is_warm_without_it():
    threads, *drawn = run(PROGRAM.format(settings={"hide": ["torch"], "warm": ["numpy"]}))
    assert threads == "1"
    assert drawn == run(DRAWN)[:2]
