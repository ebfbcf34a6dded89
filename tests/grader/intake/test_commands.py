"""What only IPython runs becomes Python: held against IPython's own reading of the same cell."""

import ast
import importlib
import itertools
import pkgutil
from random import Random

import pytest
from IPython.core import magics
from IPython.core.inputtransformer2 import TransformerManager
from IPython.core.magic import Magics

from grader.intake.notebook.commands import as_python, is_python


def magics_of(kind):
    """Return the names of IPython's own magics, of lines or of cells."""
    files = [importlib.import_module(f"{magics.__name__}.{one.name}") for one in FILES]
    known = [made for file in files for made in vars(file).values() if isinstance(made, type)]
    return sorted(
        {n for made in known if issubclass(made, Magics) for n in made.magics.get(kind, ())}
    )


FILES = [*pkgutil.iter_modules(magics.__path__)]
LINE = magics_of("line")
# Those of other languages are made when a shell starts.
CELL = [*magics_of("cell"), "bash", "sh", "perl", "ruby", "python3", "file", "cython", "memit"]

OVER_PYTHON = {"time", "timeit", "capture", "prun", "debug", "python3", "file", "writefile"}

SHELL = [
    "!ls", "!!ls", "! ls -l", "!pip install -q 'numpy<3'", "!echo \"it's\"", "!echo (", "!echo '''",
    "!ls | grep x # y", "!cat <<E", "!mkdir -p a && cd a", "!echo $HOME {x}", "!a \\\n  b",
    "!a \\\n  b \\\n  c", "x = !ls", "x = !!ls", "a, b = !ls", "d['k'] = !ls -l", "o.x = !echo '",
    "x=!ls \\\n  -l", "x  =  ! ls",
]  # fmt: skip
HELP = ["np?", "np??", "?np", "??np.sum", "np.s*?", "%time?", "x.y[0].z?", "?", "%%time?"]
CALLS = ["/f 1 2", ",f a b", ";f a b"]
PYTHON = [
    "x = 1", "def f():\n    return 1", "y = x % 3", "z = x != y", "s = '''\n!ls\n%time\nnp?\n'''",
    "t = (x %\n  y)", "u = [1, #\n  2]", "print('?', \"!\")", "w = x if y else \\\n  z", "x %= 3",
    "# %time f()", "'don\\'t'", "if x: y = 1", "m = f'{x!r}'", "lst = [\n  1,\n  '%'\n]",
    "v = 'a\\\n!b'", "class A:\n    '''!ls'''", "@f\ndef g(): pass", "x = (1\n)\n",
    "for i in x:\n    pass\nelse:\n    y = 2",
]  # fmt: skip
BLOCKS = [
    "if x:",
    "for i in x:",
    "def f():",
    "while x:",
    "with x as y:",
    "class B:",
    "if 1:\n    if x:",
]
AROUND = [
    ("try:", "except OSError:\n    pass"), ("if x:", "else:\n    pass"),
    ("try:", "finally:\n    pass"), ("if x:\n    pass\nelse:", ""),
    ("if x:\n    pass\nelif y:", "z = 1"),
]  # fmt: skip


def line_magics():
    forms = [
        "%{}",
        "%{} x = 1",
        "%{} -n 1 -r 1 f('(')",
        "x = %{}",
        "x = %{} a 'b",
        "%{} \\\n  b",
        "%{}?",
    ]
    return [form.format(name) for form in forms for name in LINE]


def cell_magics():
    python = ["x = 1\n", "def f():\n    %time x\n", "!ls\n", "x = '''\n%%bash\n'''\n", ""]
    others = ["echo 'it is not Python\nls (\n", "<b>\n  {x}\n</b>\n"]
    return [
        f"%%{name} {more}\n{body}"
        for name in CELL
        for more in ("", "-a b")
        for body in (python if name in OVER_PYTHON else [*python, *others])
    ]


def indented(text, by="    "):
    return "\n".join(f"{by}{line}" if line else line for line in text.split("\n"))


def blocks():
    """Every command as the only statement of every kind of block."""
    some = [*SHELL, *HELP, *CALLS, "%time f()", "%matplotlib inline", "x = %who_ls"]
    for command, head in itertools.product(some, BLOCKS):
        depth = head.count("\n") + 1
        yield f"{head}\n{indented(command, '    ' * depth)}\ny = 1\n"
    for command, (head, tail) in itertools.product(some, AROUND):
        yield f"{head}\n{indented(command, chr(9))}\n{tail}\n"


def mixtures():
    """Cells of several statements, some in blocks, some indented or with prompts as a whole."""
    commands = [*SHELL, *HELP, *CALLS, *(f"%{name} x" for name in LINE)]
    for seed in range(2000):
        rng = Random(seed)
        parts = [rng.choice(rng.choice([commands, PYTHON])) for _ in range(rng.randrange(1, 7))]
        parts = [
            f"{rng.choice(BLOCKS[:6])}\n{indented(part)}" if rng.random() < 0.3 else part
            for part in parts
        ]
        cell = "\n".join(parts)
        kind = rng.random()
        if kind < 0.15:
            cell = indented(cell, "  ")
        elif kind < 0.3:
            cell = "\n".join(
                f">>> {line}" if line[:1].strip() else f"... {line}" for line in cell.split("\n")
            )
        elif kind < 0.4:
            first, *rest = cell.split("\n")
            cell = "\n".join([f"In [3]: {first}", *(f"   ...: {line}" for line in rest)])
        mark = rng.choice(["", "# file: layers.py\n"])
        yield mark + cell + rng.choice(["", "\n", "\n\n"])


FAMILIES = {
    "line-magics": line_magics,
    "cell-magics": cell_magics,
    "shell": lambda: [*SHELL, *HELP, *CALLS],
    "blocks": blocks,
    "mixtures": mixtures,
    "python": lambda: PYTHON,
}


def as_ipython_has_it(cell):
    """Return the tree of what IPython would run; None if it would not run it either."""
    try:
        return ast.parse(TransformerManager().transform_cell(cell))
    except (SyntaxError, ValueError):
        return None


class WithoutCommands(ast.NodeTransformer):
    """Takes out what only IPython can do, and `pass`, so that the rest can be compared."""

    def generic_visit(self, node):
        super().generic_visit(node)
        for name in ("body", "orelse", "finalbody"):
            if isinstance(getattr(node, name, None), list):
                setattr(node, name, [one for one in getattr(node, name) if not self._goes(one)])
        return node

    @staticmethod
    def _goes(node):
        calls = (
            getattr(call.func, "id", "") for call in ast.walk(node) if isinstance(call, ast.Call)
        )
        simple = isinstance(node, ast.Expr | ast.Assign)
        return isinstance(node, ast.Pass) or (simple and not {"get_ipython", "f"}.isdisjoint(calls))


@pytest.mark.parametrize("family", FAMILIES)
def test_what_ipython_runs_is_python_afterwards_and_nothing_else_is_lost(family, record_property):
    tried, wrong = 0, []
    for cell in FAMILIES[family]():
        expected = as_ipython_has_it(cell)
        if expected is None:
            continue
        tried += 1
        text, _ = as_python(cell)
        if not is_python(text):
            wrong.append(cell)
        elif family != "cell-magics":
            found = ast.dump(WithoutCommands().visit(ast.parse(text)))
            if found != ast.dump(WithoutCommands().visit(expected)):
                wrong.append(cell)
    record_property("tried", tried)
    assert tried >= {"shell": 20, "python": 15}.get(family, 200), f"{tried} cells that IPython runs"
    assert not wrong, f"{len(wrong)} of {tried}:\n" + "\n-----\n".join(wrong[:5])


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        pytest.param(
            "if x:\n    %pip install a\n", "if x:\n    pass  # %pip install a\n", id="body"
        ),
        pytest.param("!!ls\nx = 1\n", "# !!ls\nx = 1\n", id="double-bang"),
        pytest.param("pip install numpy\nx = 1\n", "# pip install numpy\nx = 1\n", id="bare"),
        pytest.param("!a \\\n b\nx = 1", "# !a \\\n # b\nx = 1", id="continued"),
        pytest.param("%%time\nx = 1\n", "# %%time\nx = 1\n", id="cell-magic-over-python"),
        pytest.param("%%time\n%%capture\nx = 1\n", "# %%time\n# %%capture\nx = 1\n", id="two"),
        pytest.param("%%time\nx = (\n", "# %%time\nx = (\n", id="over-broken-python"),
        pytest.param("%%bash\nls\n", "# %%bash\n# ls\n", id="cell-of-shell"),
        pytest.param("%%odd\nls -l a\n", "# %%odd\n# ls -l a\n", id="unknown-over-no-python"),
        pytest.param("%%odd\nx = 1\n", "# %%odd\nx = 1\n", id="unknown-over-python"),
        pytest.param(
            "# file: a.py\n!ls\nfrom __future__ import annotations\n",
            "# file: a.py\n# !ls\nfrom __future__ import annotations\n",
            id="a-comment-may-stand-before-the-future",
        ),
        pytest.param(
            "# file: a.py\nx = 1\n!ls\nfrom __future__ import annotations\n",
            "from __future__ import annotations  # file: a.py\nx = 1\n# !ls\n"
            "# from __future__ import annotations\n",
            id="the-future-comes-first",
        ),
        pytest.param(
            "x = 1\nfrom __future__ import annotations\n",
            "from __future__ import annotations\nx = 1\n# from __future__ import annotations\n",
            id="the-future-comes-first-without-a-mark",
        ),
    ],
)
def test_a_command_keeps_its_line_and_does_nothing(cell, text):
    assert as_python(cell)[0] == text


def test_lines_that_were_commands_are_told():
    assert as_python("x = 1\n!ls\nif x:\n    %time y\n")[1] == ["!ls", "%time y"]
    assert as_python("%%bash\nls\n\nrm x\n")[1] == ["%%bash", "ls", "rm x"]


@pytest.mark.parametrize(
    "cell", ["x = (\n!ls\n", "def f(:\n", "'''\n!ls\n", "x = 1 +\n", "ls = 1 +"]
)
def test_what_is_wrong_python_stays_wrong_and_whole(cell):
    assert as_python(cell) == (cell, [])
