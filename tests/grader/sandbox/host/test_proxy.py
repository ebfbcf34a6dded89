"""What a suite sees of student code, with the runner answering in this process's fork."""

import operator
import os
import socket
import sys
import types
import warnings

import numpy as np
import pytest
import torch

from grader.sandbox.guest import runner
from grader.sandbox.host.budget import Budget
from grader.sandbox.host.channel import Channel
from grader.sandbox.host.failures import (
    StudentCrashed,
    StudentError,
    StudentNotImported,
    StudentRaised,
    StudentValue,
)
from grader.sandbox.host.proxy import RemoteObject, Student

SUBMITTED = """
import collections
import enum
import typing

import numpy as np
import torch

CONSTANT = 7

class Net(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.layer = torch.nn.Linear(2, width)
    def forward(self, x):
        return self.layer(x)

class Agreeable:
    def __eq__(self, other): return True
    def __len__(self): return 1
    def __getitem__(self, key): return 1
    def __float__(self): return 1.0
    def __array__(self, *args, **kwargs): return np.ones(1)

def agreeable(): return Agreeable()
def echo(*args, **kwargs): return [args, kwargs]
def spoil(x):
    x += 1
    return x
def boom(): raise ValueError("boom")
def draw(rng): return rng.standard_normal(3)
def width_of(net): return net.layer.out_features
def leave(): import os; os._exit(0)
def surrogate(): raise ValueError("\\udc80")

Axis = enum.Enum("Axis", "X")
class State(typing.NamedTuple):
    m: object
    t: int
class Slots(dict):
    def grow(self):
        return Slots(self, t=self.get("t", 0) + 1)
START = {
    "dict": {},
    "named": State(np.zeros(2), 0),
    "nested": {"a": State(np.zeros(1), 0)},
    "default": collections.defaultdict(int),
    "subclass": Slots(),
    "counter": collections.Counter(),
    "deque": collections.deque([0]),
    "tuple keys": {("m", 0): np.zeros(2), ("t", 0): 0},
    "enum keys": {Axis.X: 0},
    "large keys": {2**70: 0},
    "many": [np.zeros(1)] * 300 + [0],
}
STEP = {
    "dict": lambda s: {"t": s.get("t", 0) + 1},
    "named": lambda s: s._replace(m=s.m + 1, t=s.t + 1),
    "nested": lambda s: {"a": s["a"]._replace(t=s["a"].t + 1)},
    "default": lambda s: s | {"t": s["t"] + 1},
    "subclass": lambda s: s.grow(),
    "counter": lambda s: s + collections.Counter("t"),
    "deque": lambda s: collections.deque([s[0] + 1]),
    "tuple keys": lambda s: {("m", 0): s["m", 0] + 1, ("t", 0): s["t", 0] + 1},
    "enum keys": lambda s: {Axis.X: s[Axis.X] + 1},
    "large keys": lambda s: {2**70: s[2**70] + 1},
    "many": lambda s: [*s[:-1], s[-1] + 1],
}
COUNT = {
    "named": lambda s: s.t,
    "nested": lambda s: s["a"].t,
    "deque": lambda s: s[0],
    "tuple keys": lambda s: s["t", 0],
    "enum keys": lambda s: s[Axis.X],
    "large keys": lambda s: s[2**70],
    "many": lambda s: s[-1],
}
class Answer(typing.NamedTuple):
    w: object
    state: object
def start(kind): return START[kind]
def step(kind, w, state):
    state = STEP[kind](state)
    return Answer(w + 1, state)
def count(kind, state): return COUNT.get(kind, lambda s: s["t"])(state)
def kind_of(value): return type(value).__name__
def random_numbers(): return [np.random.rand(), float(torch.rand(()))]
"""


@pytest.fixture
def student():
    """Serve the module above from a fork, as the sandbox does."""
    torch.set_num_threads(1)
    module = types.ModuleType("lab.code")
    exec(SUBMITTED, module.__dict__)
    ours, theirs = socket.socketpair()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads
        pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            sys.modules["lab.code"] = module
            runner.serve(5, theirs.detach())
        finally:
            os._exit(0)
    theirs.close()
    budget = Budget(1000, lambda: 0.0)
    broken = {"lab.broken": StudentNotImported("SyntaxError")}
    names = {"code": "lab.code", "broken": "lab.broken"}
    yield Student(Channel(ours, budget.check), budget, names, broken)
    ours.close()
    os.waitpid(pid, 0)


def test_values_cross_and_objects_stay(student):
    assert student.code.echo(1, [2.5], key="v") == [(1, [2.5]), {"key": "v"}]
    net = student.code.Net(4)
    assert type(net) is RemoteObject
    assert repr(net) == "<student's Net object>"
    assert student.code.width_of(net) == 4
    assert net(torch.ones(3, 2)).shape == (3, 4)
    assert net.training.fetch() is True
    assert student.code.CONSTANT.fetch() == 7


def test_an_object_inside_a_value_is_an_object_too(student):
    [[(inner,), _]] = [student.code.echo(student.code.agreeable())]
    assert type(inner) is RemoteObject


STATES = (
    "dict", "named", "nested", "default", "subclass", "counter", "deque", "tuple keys",
    "enum keys", "large keys", "many",
)  # fmt: skip


@pytest.mark.parametrize("kind", STATES)
def test_a_state_of_any_kind_goes_from_step_to_step(student, kind):
    w, state = np.zeros(2), student.code.start(kind)
    for _ in range(3):
        answer = student.code.step(kind, w, state)
        assert type(answer) is tuple
        w, state = answer
    assert w.tolist() == [3, 3]
    assert student.code.count(kind, state) == 3


def test_a_tuple_and_a_dict_get_their_class_again_and_are_copies_that_may_be_changed(student):
    named, slots = student.code.start("named"), student.code.start("subclass")
    assert (type(named), type(slots)) == (tuple, dict)
    assert [student.code.kind_of(value) for value in (named, slots)] == ["State", "Slots"]
    slots["t"] = 5
    assert student.code.kind_of(slots) == "dict"
    assert student.code.kind_of((1, 2)) == "tuple"


def test_an_object_has_one_handle_however_often_it_is_returned(student):
    state = student.code.start("deque")
    assert student.code.start("deque")._handle == state._handle


def test_arguments_of_ours_are_never_changed(student):
    array, tensor = np.zeros(3), torch.zeros(3)
    assert student.code.spoil(array).tolist() == [1, 1, 1]
    assert student.code.spoil(tensor).tolist() == [1, 1, 1]
    assert array.tolist() == tensor.tolist() == [0, 0, 0]


USES = [
    (operator.eq, 1),
    (operator.ne, 1),
    (operator.lt, 1),
    (operator.ge, 1),
    (operator.add, 1),
    (operator.sub, np.ones(2)),
    (operator.matmul, np.ones(2)),
    (operator.pow, 2),
    (operator.mod, 2),
    (operator.floordiv, 2),
    (operator.lshift, 2),
    (divmod, 2),
    (operator.and_, True),
    (operator.getitem, 0),
    (operator.contains, 0),
]


@pytest.mark.parametrize(("use", "other"), USES, ids=[use.__name__ for use, _ in USES])
def test_an_object_used_as_a_value_is_the_students_mistake(student, use, other):
    with pytest.raises(StudentValue, match="an? Agreeable object"):
        use(student.code.agreeable(), other)


@pytest.mark.parametrize(
    "use",
    [
        len, iter, next, bool, int, float, complex, abs, hash, round, operator.neg,
        operator.invert, operator.index, list, reversed, np.asarray,
        lambda thing: 1 + thing, lambda thing: 1 == thing, lambda thing: [1][thing],
        lambda thing: np.ones(2) + thing, lambda thing: np.float64(1) * thing,
        lambda thing: thing.__enter__(), lambda thing: divmod(1, thing),
    ],
)  # fmt: skip
def test_an_object_asked_for_its_value_is_the_students_mistake(student, use):
    with pytest.raises(StudentValue):
        use(student.code.agreeable())


def test_what_student_code_raises_is_named_and_the_process_goes_on(student):
    with pytest.raises(StudentRaised) as caught:
        student.code.boom()
    assert caught.value.types[:2] == ["ValueError", "Exception"]
    assert "boom" in caught.value.traceback and "runner" not in caught.value.traceback
    assert student.code.echo() == [(), {}]


def test_a_message_that_is_no_unicode_is_escaped(student):
    with pytest.raises(StudentRaised) as caught:
        student.code.surrogate()
    assert caught.value.message == "\\udc80"


def test_a_missing_function_is_an_error_of_the_student(student):
    with pytest.raises(StudentRaised, match="AttributeError"):
        student.code.no_such_function(1)


def test_a_module_that_was_not_imported_raises_why(student):
    with pytest.raises(StudentNotImported, match="SyntaxError"):
        student.broken.anything(1)


def test_what_each_test_raises_again_does_not_grow(student):
    """A traceback that went on from the last one would be read whole for every test."""
    lengths = []
    for _ in range(3):
        with pytest.raises(StudentNotImported) as caught:
            student.broken.anything(1)
        lengths.append(len(caught.traceback))
    assert lengths[0] == lengths[-1]


def test_a_module_the_manifest_lacks_is_a_mistake_of_the_suite(student):
    with pytest.raises(AttributeError, match="no module 'other'"):
        student.other.f()


def test_generators_are_made_on_the_other_side(student):
    drawn = student.code.draw(student.numpy_generator(3))
    assert drawn.tolist() == np.random.default_rng(3).standard_normal(3).tolist()
    assert student.torch_generator(3).initial_seed() == 3


def test_what_is_held_is_the_thing_itself_to_every_call(student):
    held = student.hold(np.zeros(3))
    student.code.spoil(held)
    student.code.spoil(held)
    assert held.ask("held").tolist() == [2, 2, 2]


def test_the_process_is_seeded(student):
    expected = [np.random.RandomState(5).rand(), float(torch.manual_seed(5) and torch.rand(()))]
    assert student.code.random_numbers() == expected


def test_a_process_that_ends_itself_is_a_crash(student):
    with pytest.raises(StudentCrashed):
        student.code.leave()
    with pytest.raises(StudentCrashed):
        student.code.echo()


def test_an_allowance_ends_with_its_block_even_when_student_code_raises(student):
    with pytest.raises(StudentError), student.budget(cpu_seconds=5000):
        student.code.boom()
    assert student._budget.cpu_seconds == 1000
