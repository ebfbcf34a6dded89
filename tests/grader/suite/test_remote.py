"""What a suite gets of a student's module: tensors of the sizes that were asked for, or none."""

import os
import socket
import sys
import types

import pytest
import torch

from grader.sandbox.guest import runner
from grader.sandbox.host.budget import Budget
from grader.sandbox.host.channel import Channel
from grader.sandbox.host.proxy import Student
from grader.suite import gradients, parameters

SUBMITTED = """
import torch

class Net(torch.nn.Module):
    def __init__(self, *shapes):
        super().__init__()
        for number, shape in enumerate(shapes):
            self.register_parameter(f"p{number}", torch.nn.Parameter(torch.ones(shape)))
    def forward(self, x):
        return x * sum(p.sum() for p in self.parameters())

class Odd(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.ones(2))
    def named_parameters(self, *args, **kwargs):
        return {1: self.w, None: self.w, "x": self.w}.items()
    def forward(self, x):
        return x * self.w
"""


@pytest.fixture
def student():
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        module = sys.modules["net"] = types.ModuleType("net")
        exec(compile(SUBMITTED, "net.py", "exec"), module.__dict__)
        try:
            ours.close()
            runner.serve(0, theirs.detach())
        finally:
            os._exit(0)
    theirs.close()
    budget = Budget(1000, lambda: 0.0)
    yield Student(Channel(ours, budget.check), budget, {"net": "net"}, {})
    ours.close()
    os.waitpid(pid, 0)


def named(*shapes):
    return {f"p{number}": shape for number, shape in enumerate(shapes)}


def gradients_of(module, **bounds):
    return gradients(module, torch.ones(2), torch.ones(2), **bounds)


@pytest.mark.parametrize("ask", [parameters, gradients_of])
class TestBounds:
    """Parameters and gradients are bounded alike."""

    def test_tensors_of_the_shapes_asked_for_cross(self, student, ask):
        module = student.net.Net((3, 4), (5,))
        assert {n: tuple(t.shape) for n, t in ask(module, shapes=named((3, 4), (5,))).items()} == (
            named((3, 4), (5,))
        )

    @pytest.mark.parametrize("shapes", [((3, 4),), ((4, 3), (5,)), ((3, 4), (5,), (6,)), ()])
    def test_other_shapes_fail_the_test(self, student, ask, shapes):
        module = student.net.Net((3, 4), (5,))
        with pytest.raises(AssertionError):
            ask(module, shapes=named(*shapes))

    def test_larger_ones_than_the_shapes_take_are_not_even_sent(self, student, ask, heard):
        module = student.net.Net((4_000, 1_000))
        with pytest.raises(AssertionError, match="of at most 64,000 bytes in all"):
            ask(module, shapes=named((4_000, 1)))
        assert max(heard) < 10_000

    def test_without_shapes_a_number_of_bytes_is_the_bound(self, student, ask, heard):
        module = student.net.Net((1_000,))
        assert ask(module, at_most=4_000)["p0"].shape == (1_000,)
        with pytest.raises(AssertionError, match="of at most 3,999 bytes in all"):
            ask(module, at_most=3_999)
        module = student.net.Net((600,), (600,))
        with pytest.raises(AssertionError, match="of at most 4,000 bytes in all"):
            ask(module, at_most=4_000)

    def test_without_either_a_bound_holds(self, student, ask, heard):
        module = student.net.Net((4_000, 4_000))
        with pytest.raises(AssertionError, match="of at most 32,000,000 bytes in all"):
            ask(module)
        assert max(heard) < 10_000

    def test_names_of_any_kind_fail_the_test_alone(self, student, ask):
        with pytest.raises(AssertionError):
            ask(student.net.Odd(), shapes=named((2,)))


@pytest.fixture
def heard(monkeypatch):
    """Sizes of the answers that were read."""
    sizes = []
    read = Channel._read

    def note(self, length):
        sizes.append(length)
        return read(self, length)

    monkeypatch.setattr(Channel, "_read", note)
    return sizes
