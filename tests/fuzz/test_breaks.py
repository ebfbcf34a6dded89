"""The judges themselves: each check of the codec and of the intake is broken once, and is missed.

A break is a change to the text of a module, compiled afresh; the fuzzing must find it.
"""

import sys
import types
from pathlib import Path
from random import Random

import pytest
from fuzzing import folders, frame_grammar, frames, upload_grammar
from fuzzing.limits import Finding
from fuzzing.upload_grammar import join
from fuzzing.zip_grammar import Archive, Entry, build

from grader.intake import archive, contents, folder
from grader.intake import receiving as intake
from grader.intake import submission as model
from grader.sandbox.guest import codec

CODEC = ("bounds", "writer", "reader", "__init__")  # each after those that it imports
MOST_FRAMES = 4000
MOST_UPLOADS = 400


def broken_codec(monkeypatch, old, new):
    """Return a copy of the codec with one text of one of its files in the place of another."""
    files = {name: Path(codec.__file__).with_name(f"{name}.py") for name in CODEC}
    texts = {name: file.read_text(encoding="utf-8") for name, file in files.items()}
    assert sum(text.count(old) for text in texts.values()) == 1, f"no single {old!r} to break"
    for name, text in texts.items():
        package = "broken_codec" if name == "__init__" else f"broken_codec.{name}"
        copy = types.ModuleType(package)
        copy.__package__, copy.__path__ = "broken_codec", []
        monkeypatch.setitem(sys.modules, package, copy)
        exec(compile(text.replace(old, new), files[name], "exec"), copy.__dict__)
    return sys.modules["broken_codec"]


def broken(module, old, new):
    """Return a copy of a module with one text in the place of another."""
    text = Path(module.__file__).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{module.__name__} has no single {old!r} to break"
    copy = types.ModuleType(module.__name__)
    copy.__file__ = module.__file__
    exec(compile(text.replace(old, new), module.__file__, "exec"), copy.__dict__)
    return copy


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("!= buffers_length:", "> 2**60:", id="lengths-need-not-add-up"),
        pytest.param("if view is None:", "if False:", id="a-buffer-serves-twice"),
        pytest.param("any(view is not None for", "any(False for", id="a-buffer-serves-nothing"),
        pytest.param("dtype=np.uint8) != 0", "dtype=np.bool_)", id="a-bool-of-any-bits"),
        pytest.param("buffers=256, depth=20", "buffers=256, depth=28", id="deeper"),
        pytest.param("MAX_INT_BITS = 256", "MAX_INT_BITS = 2**20", id="longer-ints"),
        pytest.param("MAX_DIMENSIONS = 8", "MAX_DIMENSIONS = 12", id="more-dimensions"),
        pytest.param("if not math.isfinite(tree):", "if False:", id="a-number-overflows"),
        pytest.param("object_pairs_hook=_object", "object_pairs_hook=dict", id="doubled-keys"),
        pytest.param("if len(result) != len(body):", "if False:", id="doubled-dict-keys"),
        pytest.param("return checked_text(tree)", "return tree", id="half-pairs"),
        pytest.param("(spec.shape).copy()", "(spec.shape)", id="an-array-shares-memory"),
        pytest.param("frombuffer(bytearray(view)", "frombuffer((view)", id="a-tensor-too"),
        pytest.param("if not 0 <= handle.id < 2**63 or", "if", id="huge-handles"),
        pytest.param("except (ValueError, RecursionError):", "except ValueError:", id="recursion"),
        pytest.param("if spec.shape != ():", "if False:", id="a-scalar-with-a-shape"),
        pytest.param(
            "    specs = [_Spec.read(", "    bytearray(buffers_length)\n    specs = [_Spec.read(",
            id="memory-for-a-claim",
        ),
        pytest.param("if type(index) is not int or not", "if not", id="an-index-that-is-a-bool"),
    ],
)  # fmt: skip
def test_a_break_of_the_codec_is_found(monkeypatch, old, new):
    monkeypatch.setattr(frames, "codec", broken_codec(monkeypatch, old, new))
    monkeypatch.setattr(frames, "_judge_channel", lambda data, outcome: None)
    with pytest.raises(Finding):
        for seed in range(MOST_FRAMES):
            frames.check(a_frame(Random(seed)), closely=seed % 4 == 0)


def a_frame(rng):
    frame = frame_grammar.generate(rng)
    return frame if rng.random() < 0.5 else frame_grammar.mutate(frame, rng)


def test_keys_in_one_slot_are_found(monkeypatch):
    copy = broken_codec(monkeypatch, "MAX_KEY_BITS = 64", "MAX_KEY_BITS = 256")
    monkeypatch.setattr(frames, "codec", copy)
    monkeypatch.setattr(frames, "CPU_SECONDS", 1.0)
    with pytest.raises(Finding, match="CPU seconds"):
        for seed in range(100):
            frame = frame_grammar.amplify(Random(seed))
            if str(2 * (2**61 - 1)).encode() in frame:
                frames.check(frame, closely=False)


BOTH = (Entry(b"toy/layers.py", b"x = 1\n"), Entry(b"toy/model.py", b"y = 2\n"))
LARGER = Entry(b"toy/layers.py", b"x = 1\n", lies=(("size", 100),))
# Rare in the few hundred uploads below: found by the long runs.
LYING = [
    join("hw.zip", build(Archive(BOTH, lies=(("entries", 1),)))),
    join("hw.zip", build(Archive((LARGER,)))),
]


# What is broken: a module, the text that goes and the text that comes, and who uses it.
INTAKE = {
    "a-fault-leaks": (archive, "    zlib.error,\n", "", "open_zip"),
    "tricks-pass": (archive, "if reasons:", "if False:", "open_zip"),
    "miscounted": (archive, "_check_list(archive, data)", "pass", "open_zip"),
    "shorter": (archive, "if len(content) != info.file_size:", "if False:", "open_zip"),
    "cut": (archive, "        return content\n", "        return content[:-1]\n", "open_zip"),
    "label": (archive, "    label = shown(filename)", "    label = filename", "open_zip"),
    "name": (archive, "'{shown(info.orig_filename)}'", "'{info.orig_filename}'", "open_zip"),
    "empty": (contents, "not content.strip(", "not b'x' + content.strip(", "faults_in"),
    "utf-8": (contents, "except UnicodeDecodeError as", "except KeyError as", "faults_in"),
    "digest": (model, "return total.hexdigest()", "return str(id(self))", "Submission"),
    "outside": (model, "folder / file.path\n", "folder.parent / file.path\n", "Submission"),
    "cut-on-disk": (model, "(file.content)\n", "(file.content[:9])\n", "Submission"),
}


@pytest.mark.parametrize(("module", "old", "new", "uses"), INTAKE.values(), ids=INTAKE)
def test_a_break_of_the_intake_is_found(monkeypatch, intake_box, module, old, new, uses):
    monkeypatch.setattr(intake, uses, getattr(broken(module, old, new), uses))
    with pytest.raises(Finding):
        for upload in LYING:
            intake_box.check(upload, closely=False)
        for seed in range(MOST_UPLOADS):
            intake_box.check(upload_grammar.generate(Random(seed)), closely=seed % 16 == 0)


def test_a_followed_link_is_found(monkeypatch, intake_box, tmp_path):
    follows = broken(folder, "entry.stat(follow_symlinks=False)", "entry.stat()")
    text = 'os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)'
    reads = broken(folder, text, "os.O_RDONLY")
    monkeypatch.setattr(follows, "read_regular", reads.read_regular)
    monkeypatch.setattr(folder, "list_folder", follows.list_folder)
    with pytest.raises(Finding, match="no link is followed"):
        for seed in range(300):
            root = tmp_path / str(seed)
            root.mkdir()
            made = folders.build(root, intake_box.root / "outside", Random(seed))
            try:
                folders.check(made, intake_box)
            finally:
                folders.remove(made)


@pytest.fixture
def intake_box(tmp_path):
    """A box of its own: a break may leave files where none belong."""
    from fuzzing.uploads import Intake

    return Intake(tmp_path / "box")
