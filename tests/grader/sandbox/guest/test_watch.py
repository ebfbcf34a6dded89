"""The watch notes forbidden operators by line, and the code it watches cannot tell the difference.

What gets past it is pinned here too, so that the documents can say so.
"""

import importlib.util
import sys
import traceback
from contextlib import nullcontext

import pytest
import torch

from grader.lab.operators import FAMILIES, same_work
from grader.sandbox.guest import watch
from grader.sandbox.guest.watch import Watch

NAMES = same_work(
    ["torch.nn.functional.conv2d", "torch.nn.LSTM", "torch.nn.MultiheadAttention", "torch.nn.RNN"]
)
HEAD = """\
import functools, threading
import torch, torch.nn as nn, torch.nn.functional as F
x, w = torch.ones(1, 1, 4, 4), torch.ones(1, 1, 2, 2)
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return a function that imports a text as the module ``lab_layers``."""

    def load(code, name="lab_layers"):
        file = tmp_path / f"{name}.py"
        file.write_text(HEAD + code)
        spec = importlib.util.spec_from_file_location(name, file)
        made = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, made)
        spec.loader.exec_module(made)
        return made

    return load


@pytest.fixture
def used(module):
    """Return a function that runs a text's ``go()`` under the watch and tells names by line."""

    def run(code):
        go = module(code).go
        watching = Watch({"lab_layers": NAMES})
        with watching:
            go()
        return [(line - HEAD.count("\n"), name) for _, line, name in watching.used()]

    return run


CALLED = {
    "function": ("F.conv2d(x, w)", "torch.nn.functional.conv2d"),
    "of-torch": ("torch.conv2d(x, w)", "torch.nn.functional.conv2d"),
    "layer": ("nn.Conv2d(1, 1, 2)(x)", "torch.nn.functional.conv2d"),
    "transposed": ("nn.ConvTranspose2d(1, 1, 2)(x)", "torch.nn.functional.conv_transpose2d"),
    "computed-name": ("getattr(F, 'd2vnoc'[::-1])(x, w)", "torch.nn.functional.conv2d"),
    "eval": ("eval('F.conv2d(x, w)')", "torch.nn.functional.conv2d"),
    "partial": ("functools.partial(F.conv2d, weight=w)(x)", "torch.nn.functional.conv2d"),
    "kernel": ("torch.ops.aten.conv2d(x, w)", "torch.ops.aten.conv2d"),
    "kernel-overload": ("torch.ops.aten.conv2d.default(x, w)", "torch.ops.aten.conv2d"),
    "private": ("torch._C._nn.thnn_conv2d(x, w, [2, 2])", "torch.nn.functional.thnn_conv2d"),
    "other-backend": (
        "torch.mkldnn_convolution(x, w, None, [0, 0], [1, 1], [1, 1], 1)",
        "torch.mkldnn_convolution",
    ),
    "vmap": ("torch.vmap(lambda a: F.conv2d(a, w))(x[None])", "torch.nn.functional.conv2d"),
    "subclass-found": (
        "next(k for k in nn.modules.conv._ConvNd.__subclasses__() if k.__name__ == 'Conv2d')"
        "(1, 1, 2)(x)",
        "torch.nn.functional.conv2d",
    ),
    "lstm": ("nn.LSTM(2, 2)(torch.ones(1, 1, 2))", "torch.lstm"),
    "lstm-cell": ("nn.LSTMCell(2, 2)(torch.ones(1, 2))", "torch.lstm_cell"),
    "rnn": ("nn.RNN(2, 2)(torch.ones(1, 1, 2))", "torch.rnn_tanh"),
    "attention": (
        "F.scaled_dot_product_attention(x, x, x)",
        "torch.nn.functional.scaled_dot_product_attention",
    ),
    "attention-layer": (
        "nn.MultiheadAttention(4, 2)(x[0], x[0], x[0])",
        "torch.nn.functional.multi_head_attention_forward",
    ),
    "encoder": (
        "nn.TransformerEncoderLayer(4, 2).eval()(x[0])",
        "torch.nn.functional.multi_head_attention_forward",
    ),
}


@pytest.mark.parametrize(("code", "name"), CALLED.values(), ids=CALLED)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_forbidden_operator_is_noted_with_the_line_that_called_it(used, code, name):
    assert (2, name) in used(f"def go():\n    {code}\n")


BACKWARD = """
class Mine(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a):
        return a * 1
    @staticmethod
    def backward(ctx, g):
        return F.conv_transpose2d(g, torch.ones(1, 1, 1, 1))

def go():
    a = x.clone().requires_grad_()
    {how}
"""


@pytest.mark.parametrize(
    "how",
    [
        "Mine.apply(a).sum().backward()",
        "torch.autograd.backward(Mine.apply(a).sum())",
        "torch.autograd.grad(Mine.apply(a).sum(), a)",
    ],
)
def test_a_backward_pass_of_the_students_own_is_watched(used, how):
    before = sys.getprofile()
    assert used(BACKWARD.format(how=how)) == [(8, "torch.nn.functional.conv_transpose2d")]
    assert sys.getprofile() is before


HONEST = {
    "by-hand": "cols = F.unfold(x, 2)\n    (w.view(1, -1) @ cols).view(1, 3, 3)",
    "other-layers": "nn.Linear(2, 4)(F.relu(F.max_pool2d(x, 2)))",
    "einsum": "torch.einsum('bchw,oc->bohw', x, torch.ones(2, 1))",
}


@pytest.mark.parametrize("code", HONEST.values(), ids=HONEST)
def test_work_by_hand_gives_no_note(used, code):
    assert used(f"def go():\n    {code}\n") == []


PAST_THE_WATCH = {
    "thread": "t = threading.Thread(target=lambda: F.conv2d(x, w)); t.start(); t.join()",
    "switched-off": "\n    with torch._C.DisableTorchFunction(): F.conv2d(x, w)",
    "script": "torch.jit.script(scripted)(x, w)",
}


@pytest.mark.parametrize("code", PAST_THE_WATCH.values(), ids=PAST_THE_WATCH)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_these_get_past_the_watch_as_the_documents_say(used, code):
    scripted = "def scripted(x, w):\n    return torch.conv2d(x, w)\n"
    assert used(f"{scripted}def go():\n    {code}\n") == []


def test_a_file_that_may_is_not_told_unless_called_from_one_that_may_not(module):
    helper = module("def help_me(): return F.conv2d(x, w)", "lab_helper")
    layers = module("import lab_helper\ndef go():\n    return lab_helper.help_me()\n")
    watching = Watch({"lab_layers": NAMES})
    with watching:
        helper.help_me()
        assert watching.used() == []
        layers.go()
    assert watching.used() == [["lab_layers", 6, "torch.nn.functional.conv2d"]]


def test_each_asking_starts_anew_and_a_loop_is_one_note(module):
    go = module("def go():\n    for _ in range(9): F.conv2d(x, w)\n").go
    watching = Watch({"lab_layers": NAMES})
    with watching:
        go()
    assert len(watching.used()) == 1
    assert watching.used() == []


def test_notes_are_capped(module):
    lines = "\n".join("    F.conv2d(x, w)" for _ in range(300))
    go = module(f"def go():\n{lines}\n").go
    watching = Watch({"lab_layers": NAMES})
    with watching:
        go()
    assert len(watching.used()) == 200


TRAINING = """
def go():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.GELU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Dropout(0.2), nn.Linear(4 * 9, 16), nn.LayerNorm(16), nn.Linear(16, 3),
    )
    cell = nn.LSTM(3, 3)
    optimiser = torch.optim.AdamW([*model.parameters(), *cell.parameters()], lr=1e-2)
    data, labels = torch.randn(8, 1, 8, 8), torch.randint(0, 3, (8,))
    for _ in range(15):
        optimiser.zero_grad()
        scores, _ = cell(model(data)[None])
        F.cross_entropy(scores[0], labels).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    with torch.no_grad():
        answer = F.scaled_dot_product_attention(data, data, data)
    return [*(p for p in model.state_dict().values()), *cell.parameters(), answer,
            *(p.grad for p in model.parameters()), torch.rand(3)]
"""


def test_training_under_the_watch_gives_the_same_bits(module):
    go = module(TRAINING).go
    plain = go()
    watching = Watch({"lab_layers": NAMES})
    with watching:
        watched = go()
    assert watching.used(), "nothing was watched"
    assert all(torch.equal(one, other) for one, other in zip(plain, watched, strict=True))


WRONG = {
    "shapes": "F.conv2d(x, torch.ones(1, 3, 2, 2))",
    "type": "F.conv2d(x, 3)",
    "python-function": "F.cross_entropy(torch.ones(2, 3), torch.ones(5, dtype=torch.long))",
    "layer": "nn.Linear(3, 2)(x)",
    "operator": "torch.ones(2) @ torch.ones(3)",
    "backward": "torch.ones(2).backward()",
    "own": "raise ValueError('mine')",
}


@pytest.mark.parametrize("code", WRONG.values(), ids=WRONG)
def test_an_error_reads_as_if_nobody_watched(module, code):
    go = module(f"def go():\n    {code}\n").go

    def told(context):
        try:
            with context:
                go()
        except Exception as error:
            return "".join(traceback.format_exception(error)).replace(str(id(error)), "")
        return None

    plain, watched = told(nullcontext()), told(Watch({"lab_layers": NAMES}))
    assert plain.splitlines()[3:] == watched.splitlines()[3:]
    assert plain is not None


LOADED_ON_DEMAND = "torch.nn.attention.flex_attention.flex_attention"
ALL = sorted(frozenset().union(*FAMILIES) - {LOADED_ON_DEMAND})


@pytest.mark.parametrize("name", ALL)
def test_every_name_of_a_family_is_one_of_torchs(name):
    assert watch._reached(name) is not None


def test_the_name_that_is_loaded_on_demand_is_one_of_torchs():
    assert importlib.util.find_spec(LOADED_ON_DEMAND.rpartition(".")[0]) is not None
