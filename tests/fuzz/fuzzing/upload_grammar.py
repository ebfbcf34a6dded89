"""Uploads by grammar: names, Python texts, notebooks, and zips of these.

An upload is kept as one byte string, so that one file of the corpus replays it: the length of
its name, the name in UTF-8, the content.
"""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from typing import Any

from fuzzing import json_text, zip_grammar
from fuzzing.frame_grammar import in_bytes
from fuzzing.json_text import Literal, Pairs
from fuzzing.zip_grammar import Archive, Entry

_GOOD_NAMES = [
    "toy/layers.py", "toy/model.py", "results.csv", "toy/__init__.py", "layers.py", "model.py",
    "hw1/toy/layers.py", "hw1/toy/model.py", "a.ipynb", "toy.ipynb", "./toy/layers.py", "x.zip",
    "report.md", "Report.pdf", "results (1).csv", "toy/own.py", "own.py", "hw1/toy/ops/a.py",
    "toy/conftest.py", "toy/test_x.py", "toy/layers/__init__.py", "toy/Own.py",
]  # fmt: skip
_PIECES = [
    "..", ".", "", "~", "C:", "c:", "con", "aux.py", "NUL", "com1.txt", "toy", "Toy", "TOY",
    "layers.py", "Layers.py", "LAYERS.PY", "model.py", "layers (1).py", "__MACOSX", ".git", "venv",
    "\u202egpj.yp", "x\u200by", "e\u0301.py", "\u00e9.py", "\u212a.py", "\ufb01.py", "ﬃ", "ß", "SS",
    "x\x00y", "x\ny", "x\x1b[2J", "\x7f", "\ud800", "\ue000", "\U000e0041", "a" * 300, "x.", "x ",
    "\\", "\\\\host", "%2e%2e", "<script>", "=1+1", "日本", "\u3000", "\u2028", "hw.zip",
    "x.tar.gz", "x.ipynb", "X.IPYNB", "toy\\layers.py", ":", "*", "?", "|", "$(id)", "'", '"',
    "-rf", "١",
]  # fmt: skip
_ENDS = [
    "", ".py", ".ipynb", ".zip", ".csv", ".ZIP", ".Py", ".7z", "/", ".py/", " .py", ".py.",
    ".ipynb.json", ".IPYNB.txt",
]  # fmt: skip

_SOURCES = [
    "x = 1\n", "def relu(x):\n    return x\n", "def relu(x):\n    raise NotImplementedError\n",
    "# file: layers.py\nx = 1\n", "# file: model.py\ny = 2\n", "%%writefile toy/model.py\ny = 2\n",
    "", " \n\t", "%time f()\n", "!ls\n", "x = !ls\n", "%%bash\nrm -rf /\n", "?print\n", "print??\n",
    "%load_ext x\n", "%%html\n<script>1</script>\n", "get_ipython().system('ls')\n", "cd ..\n",
    "# -*- coding: latin-1 -*-\n", "# coding: utf-7\nx = '+AGE-'\n", "# coding: nope\n",
    "# coding: idna\n", "# coding: unicode_escape\n\\x41 = 1\n", "x = '''\n", "(", ")", "\\",
    "\\\n", "if 1:\n\tx\n        y\n", "lambda: (yield)\n", "return\n", "await x\n", "f'{x!z}'\n",
    "f'{{{'", "x = 1_0_\n", "0777\n", "x = " + "9" * 4301 + "\n", "match x:\n case _: pass\n",
    "é = 1\n", "\x0c", "\ufeffx = 1\n", "x\x00y\n", "\x1a", "\u202e = 1\n", "\ud800\n", "𝒙 = 1\n",
    "from __future__ import x\n", "'\\N{nope}'\n", "b'é'\n", "print 1\n", "x = 1 if 2\n",
    "*a = 1\n", "del f()\n", "nonlocal x\n",
    "# %%\n", "# + [markdown]\n", '"""\n', "# ---\n# jupyter:\n# ---\n", "%matplotlib inline\n",
    "#file:layers.py\n", "# file: ../../etc/passwd\n", "# file: \u202eyp.sreyal\n", "%cd /\n",
    "%%time\n", "%%writefile -a layers.py\ny = 2\n", "# File：./toy/layers.py\n", ">>> x = 1\n",
    "# file: layers.py,\n", "In [1]: x = 1\n", "   ...: y\n", "if x:\n    %pip install a\n",
    "pip install a\n", "x = !ls \\\n a\n", "/f 1\n", ";f a\n", ",f a\n", "!echo '''\n",
    "def relu(x):\n    pass\n", "relu.x = 1\n", "# file: own.py\nx = 1\n",
    "class MLP: pass\n", "    x = 1\n", "%%odd\nx\n",
]  # fmt: skip
_MARKS = [b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xff\xfe\0\0", b"\0\0\xfe\xff"]
TOGETHER = b"files that were sent together"  # the comment of a zip whose zips are opened
_DEEP = [
    "(", "[", "{", "-", "not ", "a.", "1+", "lambda:", "if 1:\n ", "f'{", "x=", "*", "a[", "~",
    "for x in y:\n", "1if 1else ", "((),", "@", "[x for x in ", "yield ", "a(", "await ",
]  # fmt: skip


def join(name: str, content: bytes) -> bytes:
    """Keep a name and a content as one byte string."""
    raw = name.encode("utf-8", "surrogatepass")[:255]
    return bytes([len(raw)]) + raw + content


def split(data: bytes) -> tuple[str, bytes]:
    """Return name and content of an upload."""
    length = data[0] if data else 0
    return data[1 : 1 + length].decode("utf-8", "surrogateescape"), data[1 + length :]


def a_name(rng: Random) -> str:
    """Return a name that a manifest asks for, or one made of dangerous pieces."""
    if rng.random() < 0.5:
        return rng.choice(_GOOD_NAMES)
    pieces = [rng.choice(_PIECES) for _ in range(rng.randrange(1, 5))]
    return rng.choice(["/", "/", "\\", ""]).join(pieces) + rng.choice(_ENDS)


def a_source(rng: Random) -> str:
    """Return a text that is Python, nearly so, or nested as deep as a parser can be driven."""
    if rng.random() < 0.03:
        return rng.choice(["", " ", "\ufeff\n"])
    if rng.random() < 0.03:
        return rng.choice(_SOURCES) + rng.choice(_DEEP) * rng.choice([50, 150, 1000, 20_000]) + "1"
    return "".join(rng.choice(_SOURCES) for _ in range(rng.choice([1, 1, 2, 3, 5])))


def a_cell(rng: Random) -> Any:
    """Return a cell, mostly sound."""
    source: Any = a_source(rng)
    if rng.random() < 0.3:
        source = source.splitlines(keepends=True)
    kind = rng.choice(["code", "code", "code", "markdown", "raw", "heading", "\u202e"])
    tags = [rng.choice(["layers.py", "toy/model.py", "x,y", "", "skip", "é.py", "\u202e.py", 3])
            for _ in range(rng.choice([0, 0, 1, 2]))]  # fmt: skip
    cell: dict[str, Any] = {"cell_type": kind, "metadata": {"tags": tags}, "source": source}
    if kind == "code":
        cell |= {"outputs": [], "execution_count": None}
    if rng.random() < 0.2:
        key = rng.choice([*cell, "id", "attachments", "input", "language", "outputs"])
        cell[key] = rng.choice([json_text.scalar(rng), [json_text.scalar(rng)], {}, {"a": [{}]}])
    return Pairs([[key, value] for key, value in cell.items()])


def a_notebook(rng: Random) -> bytes:
    """Return a notebook of a few cells; one in four lies about its form."""
    cells: list[Any] = [a_cell(rng) for _ in range(rng.randrange(5))]
    for path in ("layers.py", "model.py"):
        if rng.random() < 0.7:
            source = f"# file: {path}\n{a_source(rng)}"
            cells.insert(rng.randrange(len(cells) + 1), {"cell_type": "code", "source": source})
    book = Pairs([["nbformat", 4], ["nbformat_minor", 5], ["metadata", {}], ["cells", cells]])
    if rng.random() < 0.25:
        book = json_text.mutate(book, rng, _notebook_piece)
    if rng.random() < 0.05:
        book = Pairs(
            [["nbformat", rng.choice([3, 2, 1, 5, "4"])], ["worksheets", [{"cells": cells}]]]
        )
    return json_text.write(book).encode("utf-8", "surrogatepass")


def _notebook_piece(rng: Random) -> Any:
    return rng.choice([json_text.scalar, a_cell, lambda rng: [], lambda rng: {},
                       lambda rng: Literal("[" * 2000 + "]" * 2000)])(rng)  # fmt: skip


def a_content(name: str, rng: Random) -> bytes:
    """Return a content of the kind that a name promises, or now and then of another."""
    ending = name.lower().rpartition(".")[2] if rng.random() < 0.95 else ""
    if ".ipynb" in name.lower()[-11:] and ending:
        return a_notebook(rng)
    if ending == "zip":
        return a_zip(rng)
    if ending == "py" or rng.random() < 0.5:
        start = rng.choice(
            [b"", b"", b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xef\xbb\xbf\xef\xbb\xbf"]
        )
        text = a_source(rng)
        coding = rng.choice(["utf-8", "utf-8", "utf-8", "latin-1", "utf-16", "utf-7"])
        return start + text.encode(
            coding, "backslashreplace" if coding != "utf-8" else "surrogatepass"
        )
    text = "报告 für Ö\n" * rng.choice([1, 3])
    coding = rng.choice(
        ["utf-8", "gbk", "big5", "latin-1", "utf-16", "utf-16-le", "utf-32", "cp1252"]
    )
    return rng.choice(
        [b"", b"a,b\n1,2\n", rng.randbytes(9), b"Rar!\x1a\x07", b"PK\x05\x06" + bytes(18), b"%PDF",
         text.encode(coding, "replace"), rng.choice(_MARKS) + rng.randbytes(6)]
    )  # fmt: skip


def a_zip(rng: Random, depth: int = 0) -> bytes:
    """Return an archive: the two files asked for, more beside them, and up to three lies."""
    names = [name for name in ("toy/layers.py", "toy/model.py") if rng.random() < 0.9]
    names += [a_name(rng) for _ in range(rng.choice([0, 0, 1, 2]))]
    archive = Archive(tuple(_entry(name, rng, depth) for name in names))
    if rng.random() < 0.1:
        archive = replace(archive, comment=TOGETHER)
    for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
        archive = zip_grammar.lie(archive, rng, _raw(a_name(rng)))
    return zip_grammar.build(archive)


def _entry(name: str, rng: Random, depth: int) -> Entry:
    inner = name if depth < 2 or not name.lower().endswith(".zip") else "x.csv"
    content = a_zip(rng, depth + 1) if inner.lower().endswith(".zip") else a_content(inner, rng)
    flags = 0 if name.isascii() else 0x800
    return Entry(_raw(name), content, method=rng.choice([0, 8, 8]), flags=flags)


def _raw(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")[:2000]


def generate(rng: Random) -> bytes:
    """Return an upload: mostly a zip or a notebook, else one file."""
    if rng.random() < 0.75:
        name = rng.choice(["hw.zip", "hw.zip", "hw.zip", "a.ipynb", "a.ipynb", "layers.py"])
    else:
        name = a_name(rng) + rng.choice(["", ".zip", ".ipynb", ".py"])
    return join(name, a_content(name, rng))


def amplify(rng: Random) -> bytes:
    """Return a file or a cell near the intake's cap: one small thing many times."""
    unit = rng.choice([*filter(None, _SOURCES), *_DEEP])
    text = f"# file: layers.py\n{rng.choice(['', '$', '(', '%x'])}\n" + unit * (
        200_000 // len(unit)
    )
    if rng.random() < 0.3:
        return join("layers.py", text.encode("utf-8", "surrogatepass"))
    if rng.random() < 0.5:
        text = text.partition("\n")[2]  # without a mark: read only for what files lack
    cell = Pairs([["cell_type", "code"], ["source", text]])
    book = Pairs([["nbformat", 4], ["nbformat_minor", 4], ["metadata", {}], ["cells", [cell]]])
    return join("a.ipynb", json_text.write(book).encode())


def mutate(data: bytes, rng: Random) -> bytes:
    """Change an upload's name, its structure, or its bytes."""
    name, content = split(data)
    if rng.random() < 0.1:
        return join(a_name(rng), content)
    return join(name, _content(name, content, rng))


def _content(name: str, content: bytes, rng: Random) -> bytes:
    if rng.random() < 0.15:
        return in_bytes(content, rng)
    if content.startswith(b"PK"):
        return _in_zip(content, rng)
    if content.lstrip()[:1] == b"{":
        return _in_notebook(content, rng)
    piece = a_source(rng).encode("utf-8", "surrogatepass")
    at = rng.randrange(len(content) + 1)
    return content[:at] + piece + content[at if rng.random() < 0.5 else len(content) :]


def _in_notebook(content: bytes, rng: Random) -> bytes:
    try:
        tree = json_text.parse(content.decode())
    except (ValueError, RecursionError):
        return in_bytes(content, rng)
    tree = json_text.mutate(tree, rng, _notebook_piece)
    return json_text.write(tree).encode("utf-8", "surrogatepass")


def _in_zip(content: bytes, rng: Random) -> bytes:
    archive = zip_grammar.parse(content)
    if archive is None:
        return in_bytes(content, rng)
    if archive.entries and rng.random() < 0.4:
        index = rng.randrange(len(archive.entries))
        entry = archive.entries[index]
        changed = _content("", entry.data, rng) if entry.data else a_content("x.py", rng)
        entries = (
            *archive.entries[:index],
            replace(entry, data=changed),
            *archive.entries[index + 1 :],
        )
        archive = replace(archive, entries=entries)
    else:
        archive = zip_grammar.lie(archive, rng, _raw(a_name(rng)))
    return zip_grammar.build(archive)


def names(rng: Random) -> bytes:
    """Return a list of names for `names.check`, as JSON."""
    return json.dumps([a_name(rng) for _ in range(rng.choice([1, 1, 2, 3, 8, 130]))]).encode()
