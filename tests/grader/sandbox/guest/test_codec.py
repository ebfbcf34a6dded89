"""What may cross between grader and student code, and that nothing else does."""

import json
import math
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from enum import Enum

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from grader.sandbox.guest import codec
from grader.sandbox.guest.codec import ANSWER, CodecError, Handle


def frame(value, handle_of=None):
    return b"".join(codec.encode(value, handle_of))


def read(data, resolve=None):
    """Decode a frame as the channel does: lengths, header, then buffers of that length."""
    header, buffers = codec.frame_lengths(data[: codec.PREFIX.size])
    start = codec.PREFIX.size
    tree, specs = codec.read_header(data[start : start + header], buffers)
    body = bytearray(data[start + header :])
    if len(body) != buffers:
        raise CodecError("the frame is short")
    return codec.decode(tree, specs, body, resolve)


def raw(tree, specs=(), body=b"", announced=None):
    """Build a frame by hand, as a hostile process may."""
    header = tree if isinstance(tree, bytes) else json.dumps({"v": tree, "b": list(specs)}).encode()
    length = len(body) if announced is None else announced
    return codec.PREFIX.pack(len(header), length) + header + body


def same(a, b):
    """Compare exactly: kind, dtype, shape and bits."""
    if type(a) is not type(b):
        return False
    if isinstance(a, torch.Tensor):
        if a.dtype != b.dtype or a.shape != b.shape:
            return False
        return torch.equal(torch.view_as_real(a) if a.is_complex() else a, b) or bool(
            torch.allclose(a, b, rtol=0, atol=0, equal_nan=True)
        )
    if isinstance(a, (np.ndarray, np.generic)):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, float):
        return a == b or (math.isnan(a) and math.isnan(b))
    return a == b


ARRAYS = st.sampled_from(sorted(codec.ARRAY_DTYPES)).flatmap(
    lambda name: nps.arrays(name, nps.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
)
TENSORS = st.sampled_from(sorted(codec.TENSOR_DTYPES - {"bfloat16"})).flatmap(
    lambda name: nps.arrays(
        name,
        nps.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
        elements={"allow_nan": False} if "float" in name or "complex" in name else None,
    ).map(lambda array: torch.from_numpy(np.array(array)))
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
KEYS = st.one_of(TEXT, st.integers(-1000, 1000))
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**250), 2**250),
    st.floats(),
    TEXT,
    st.binary(max_size=30),
    ARRAYS,
    ARRAYS.map(lambda array: array.ravel()[0] if array.size else np.float64(0)),
    TENSORS,
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(KEYS, inner, max_size=4),
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_every_allowed_value_comes_back_as_it_went(value):
    assert same(read(frame(value)), value)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_a_codec_error_or_a_value(data):
    with pytest.raises(CodecError):
        read(data.ljust(codec.PREFIX.size, b"\xff"))


@settings(max_examples=300, deadline=None)
@given(VALUES, st.data())
def test_a_frame_with_bytes_changed_is_a_codec_error_or_a_value(value, data):
    changed = bytearray(frame(value))
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    try:
        read(bytes(changed))
    except CodecError:
        pass


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**300),
        st.floats(),
        st.sampled_from(["float64", "bool", "bfloat16", "bytes", "object", "nan", "\ud800"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from("f l t d y a s T h v".split()), inner, max_size=2),
    ),
    max_leaves=10,
)
SHAPES = st.lists(st.sampled_from([0, 1, 2, 3, 256_000_000, -1, True, 1.5, 2**63]), max_size=9)
SPECS = st.lists(
    st.one_of(
        JSON,
        st.tuples(st.sampled_from([*codec.ARRAY_DTYPES, "bfloat16", "bytes", "O"]), SHAPES).map(
            list
        ),
    ),
    max_size=3,
)


@settings(max_examples=500, deadline=None)
@given(JSON, SPECS, st.binary(max_size=32))
def test_a_header_of_any_json_is_a_codec_error_or_a_value(tree, specs, body):
    try:
        read(raw(tree, specs, body))
    except CodecError:
        pass


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["a", "s", "T", "y"]),
    st.sampled_from([*codec.ARRAY_DTYPES, "bfloat16", "bytes"]),
    SHAPES,
)
def test_an_empty_array_of_any_claimed_shape_is_a_codec_error_or_a_value(tag, dtype, shape):
    try:
        read(raw({tag: 0}, [[dtype, shape]], b""))
    except CodecError:
        pass


HOSTILE = [
    pytest.param(b"\xff" * codec.PREFIX.size, id="huge-lengths"),
    pytest.param(codec.PREFIX.pack(ANSWER.header_bytes + 1, 0), id="header-over-cap"),
    pytest.param(codec.PREFIX.pack(2, ANSWER.buffer_bytes + 1) + b"{}", id="buffers-over-cap"),
    pytest.param(raw(b"not json"), id="not-json"),
    pytest.param(raw(b"[" * 500_000), id="json-nested"),
    pytest.param(raw(b'{"v":' + b'{"l":[' * 300 + b"]}" * 300 + b',"b":[]}'), id="tree-nested"),
    pytest.param(raw(b'{"v":' + b"9" * 100_000 + b',"b":[]}'), id="int-of-100000-digits"),
    pytest.param(raw(b'{"v":NaN,"b":[]}'), id="bare-nan"),
    pytest.param(raw(b'{"v":1e999,"b":[]}'), id="float-overflow"),
    pytest.param(raw(1 << 300), id="int-of-300-bits"),
    pytest.param(raw([1, 2]), id="bare-list"),
    pytest.param(raw({"x": 1}), id="unknown-kind"),
    pytest.param(raw({"l": [], "t": []}), id="two-kinds"),
    pytest.param(raw({"d": [["a", 1], ["a", 2]]}), id="key-twice"),
    pytest.param(raw({"d": [[{"l": []}, 1]]}), id="list-as-key"),
    pytest.param(raw({"h": [True, "x"]}), id="bool-handle"),
    pytest.param(raw({"a": 0}), id="index-out-of-range"),
    pytest.param(raw({"a": -1}, [["int8", [1]]], b"x"), id="negative-index"),
    pytest.param(raw({"a": True}, [["int8", [1]]] * 2, b"xx"), id="bool-index"),
    pytest.param(raw({"l": [{"a": 0}, {"a": 0}]}, [["int8", [1]]], b"x"), id="shared-buffer"),
    pytest.param(raw({"a": 0}, [["float64", [2]]], b"12345678"), id="size-too-large"),
    pytest.param(raw({"a": 0}, [["float64", [1]]], b"123456789"), id="size-too-small"),
    pytest.param(raw({"a": 0}, [["float64", [10**9]]], b""), id="a-billion-claimed"),
    pytest.param(raw({"a": 0}, [["float64", [-1]]], b""), id="negative-size"),
    pytest.param(raw({"a": 0}, [["float64", [True]]], b"12345678"), id="bool-size"),
    pytest.param(raw({"a": 0}, [["float64", [1] * 9]], b"12345678"), id="nine-dimensions"),
    pytest.param(raw({"a": 0}, [["int8", [0] + [256_000_000] * 7]]), id="empty-but-huge"),
    pytest.param(raw({"s": 0}, [["bool", [256_000_000] * 3 + [0]]]), id="huge-but-empty"),
    pytest.param(raw({"T": 0}, [["int8", [256_000_000] * 7 + [0]]]), id="huge-empty-tensor"),
    pytest.param(raw({"a": 0}, [["object", [1]]], b"12345678"), id="object-dtype"),
    pytest.param(raw({"a": 0}, [["O", [1]]], b"12345678"), id="object-code"),
    pytest.param(raw({"a": 0}, [["bfloat16", [1]]], b"12"), id="bfloat16-array"),
    pytest.param(raw({"s": 0}, [["float64", [1]]], b"12345678"), id="scalar-with-shape"),
    pytest.param(raw({"y": 0}, [["int8", [1]]], b"x"), id="bytes-of-int8"),
    pytest.param(raw({"T": 0}, [["uint16", [1]]], b"xx"), id="tensor-of-uint16"),
    pytest.param(raw(None, [["int8", [0]]] * 257), id="257-buffers"),
    pytest.param(raw("\ud800"), id="lone-surrogate"),
    pytest.param(raw({"d": [["\udfff", 1]]}), id="lone-surrogate-key"),
    pytest.param(raw({"h": [1, "\ud800"]}), id="lone-surrogate-class"),
]


@pytest.mark.parametrize("data", HOSTILE)
def test_a_hostile_frame_is_refused(data):
    with pytest.raises(CodecError):
        read(data)


def test_a_claimed_size_is_refused_before_anything_is_read():
    header = json.dumps({"v": {"a": 0}, "b": [["float64", [10**8]]]}).encode()
    with pytest.raises(CodecError, match="add up"):
        codec.read_header(header, 8)


def test_bits_of_a_bool_are_made_true_or_false():
    array = read(raw({"a": 0}, [["bool", [3]]], b"\x00\x02\xff"))
    tensor = read(raw({"T": 0}, [["bool", [3]]], b"\x00\x02\xff"))
    assert array.view(np.uint8).tolist() == [0, 1, 1]
    assert tensor.view(torch.uint8).tolist() == [0, 1, 1]


class LyingList(list):
    def __eq__(self, other):
        return True


class LyingFloat(float):
    pass


class LyingArray(np.ndarray):
    pass


class LyingTensor(torch.Tensor):
    pass


Pair = namedtuple("Pair", "a b")
Axis = Enum("Axis", "X")


class LyingTuple(tuple):
    def __eq__(self, other):
        return True

    def __iter__(self):
        return iter((0, 0, 0))

    __hash__ = tuple.__hash__


class LyingDict(dict):
    def items(self):
        return [("spoilt", 0)]


def moved():
    ordered = OrderedDict(a=1, b=2)
    ordered.move_to_end("a")
    return ordered


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Pair(1, [2]), (1, [2])),
        (LyingTuple((1, 2)), (1, 2)),
        (torch.Size([2, 3]), (2, 3)),
        (torch.tensor([[3.0]]).max(1), (torch.tensor([3.0]), torch.tensor([0]))),
        (OrderedDict(b=1, a=2), {"b": 1, "a": 2}),
        (moved(), {"b": 2, "a": 1}),
        (defaultdict(list, a=[1]), {"a": [1]}),
        (Counter("aab"), {"a": 2, "b": 1}),
        (LyingDict(a=1), {"a": 1}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_subclass_of_tuple_or_dict_crosses_as_the_plain_one(value, plain):
    assert same(read(frame([value])), [plain])


@pytest.mark.parametrize(
    "value",
    [
        pytest.param({(1, 2): 3}, id="tuple-keys"),
        pytest.param({Axis.X: 3}, id="enum-keys"),
        pytest.param({2**70: 3}, id="large-int-keys"),
        pytest.param(defaultdict(list, {(1, 2): [3]}), id="tuple-keys-of-a-defaultdict"),
        pytest.param({"\ud800": 1}, id="key-that-is-no-unicode"),
        pytest.param(1 << 257, id="large-int"),
        pytest.param("\ud800", id="no-unicode"),
        pytest.param(deque([1]), id="deque"),
        pytest.param([np.zeros(1)] * 257, id="too-many-arrays"),
        pytest.param({"a": [np.zeros(1)] * 200, "b": [np.ones(1)] * 200}, id="too-many-together"),
        pytest.param(list(range(400_000)), id="too-many-numbers"),
        pytest.param("x" * 1_000_000, id="too-long"),
        pytest.param([object()] * 60_000, id="too-many-objects"),
        pytest.param(bytes(256_000_001), id="too-many-bytes"),
    ],
)
def test_what_cannot_cross_stays_behind_and_the_rest_crosses(value):
    kept, keep = keeper()
    back = read(frame({"ok": ([1.5], {"state": value, "t": 1})}, keep))
    assert back["ok"][0] == [1.5] and back["ok"][1]["t"] == 1
    assert kept[back["ok"][1]["state"].id] is value


def test_parts_that_fit_cross_beside_one_that_does_not():
    kept, keep = keeper()
    many = [np.zeros(1)] * 300
    assert read(frame([many, np.ones(2), many], keep))[1].tolist() == [1, 1]
    assert len(read(frame([np.ones(1)] * 256, keep))) == 256


def test_a_value_nested_too_deeply_is_cut_where_it_is_too_deep():
    deep = [1]
    for _ in range(40):
        deep = [deep]
    kept, keep = keeper()
    back = read(frame(deep, keep))
    for _ in range(ANSWER.depth):
        [back] = back
    assert type(back) is Handle and kept[back.id][0]


def test_a_value_that_holds_itself_or_one_part_a_million_times_is_written_in_no_time():
    kept, keep = keeper()
    loop = [1]
    loop.append(loop)
    assert read(frame({"ok": loop}, keep)) == {"ok": [1, Handle(0, "list")]}
    wide = [1]
    for _ in range(15):
        wide = [wide] * 1000
    assert len(frame({"ok": wide}, keep)) < 2_000_000


def keeper():
    """Return a dict of kept objects by id, and what keeps an object and names it by a handle."""
    kept = {}

    def keep(value):
        kept[len(kept)] = value
        return Handle(len(kept) - 1, type(value).__name__[:100])

    return kept, keep


STAYING = st.one_of(
    st.sampled_from([deque([1]), {1, 2}, 1 << 300, "\ud800", Axis.X, object(), range(3)]),
    st.dictionaries(st.tuples(st.integers(0, 3)), st.integers(), min_size=1, max_size=2),
    st.just({Axis.X: 1}),
    st.just({1 << 70: 1}),
)
MIXED = st.recursive(
    st.one_of(LEAVES, STAYING),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(LyingTuple),
        st.tuples(inner, inner).map(lambda pair: Pair(*pair)),
        st.dictionaries(KEYS, inner, max_size=4),
        st.dictionaries(KEYS, inner, max_size=4).map(lambda d: defaultdict(list, d)),
        st.dictionaries(KEYS, inner, max_size=4).map(OrderedDict),
    ),
    max_leaves=12,
)


def whole(sent, received, kept):
    """Tell whether a value came across as its plain self, but for what stayed and is the same."""
    if type(received) is Handle:
        return kept[received.id] is sent
    if isinstance(sent, tuple):
        sent = tuple(tuple.__iter__(sent))
    elif isinstance(sent, dict):
        sent = dict(sent.items())
    if type(sent) in (list, tuple):
        pairs = zip(sent, received, strict=True)
        return type(sent) is type(received) and all(whole(s, r, kept) for s, r in pairs)
    if type(sent) is dict:
        pairs = zip(sent.values(), received.values(), strict=True)
        return list(sent) == list(received) and all(whole(s, r, kept) for s, r in pairs)
    return same(sent, received)


@settings(max_examples=300, deadline=None)
@given(MIXED)
def test_every_value_crosses_but_for_the_parts_that_stay(value):
    kept, keep = keeper()
    data = frame({"ok": value}, keep)
    assert whole(value, read(data)["ok"], kept)
    resolved = read(data, lambda handle: kept[handle.id])["ok"]
    assert same(read(frame({"ok": resolved}, keep), lambda handle: kept[handle.id])["ok"], resolved)


@pytest.mark.parametrize(
    "value",
    [
        LyingList([1]),
        LyingFloat(1),
        np.zeros(2).view(LyingArray),
        torch.zeros(2).as_subclass(LyingTensor),
        {1, 2},
        object(),
        np.array([object()], dtype=object),
        np.array(["text"]),
        np.zeros(2, dtype=[("a", "f8")]),
        np.ma.masked_array([1.0], mask=[True]),
        torch.zeros(2).to_sparse(),
        torch.zeros([1] * 9),
        range(3),
    ],
    ids=lambda value: type(value).__name__,
)
def test_anything_but_an_exact_type_stays_behind_as_a_handle(value):
    kept = []

    def keep(thing):
        kept.append(thing)
        return Handle(7, type(thing).__name__)

    assert read(frame({"x": [value]}, keep)) == {"x": [Handle(7, type(value).__name__)]}
    assert kept[0] is value
    with pytest.raises(CodecError, match="cannot cross"):
        frame(value)


def test_a_handle_is_resolved_where_its_object_lives():
    assert read(frame([Handle(3, "Net")]), lambda handle: handle.id * 2) == [6]


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4).T,
        np.arange(12.0)[::-2],
        np.arange(4, dtype=">i4"),
        np.array(2.5, dtype=">f8"),
        np.broadcast_to(np.float32(1), (2, 3)),
        np.empty((0, 1)),
        np.empty((3, 0, 2), dtype=np.complex64),
        np.array(1.5),
    ],
    ids=[
        "transposed",
        "reversed",
        "big-endian",
        "0-d-big-endian",
        "strided-0",
        "0x1",
        "3x0x2",
        "0-d",
    ],
)
def test_layout_does_not_change_an_array(array):
    back = read(frame(array))
    assert type(back) is np.ndarray
    assert (back.shape, back.dtype) == (array.shape, array.dtype.newbyteorder("="))
    assert back.tolist() == array.tolist()
    assert back.flags.writeable and back.flags.c_contiguous


@pytest.mark.parametrize(
    "tensor",
    [
        torch.tensor([1.5, float("inf"), -0.0], dtype=torch.bfloat16),
        torch.tensor(3.0, dtype=torch.bfloat16),
        torch.arange(6.0).reshape(2, 3).T,
        torch.ones(2, 3, requires_grad=True),
        torch.nn.Parameter(torch.ones(2)),
        torch.tensor([1 + 2j]).conj(),
        torch.empty(0, 1),
        torch.empty(2, 0, dtype=torch.bool),
        torch.tensor(True),
    ],
    ids=[
        "bf16",
        "bf16-0d",
        "transposed",
        "leaf",
        "parameter",
        "conj",
        "0x1",
        "2x0-bool",
        "0d-bool",
    ],
)
def test_a_tensor_crosses_as_plain_values(tensor):
    back = read(frame(tensor))
    assert type(back) is torch.Tensor and not back.requires_grad
    assert (back.shape, back.dtype) == (tensor.shape, tensor.dtype)
    assert torch.equal(back, tensor.detach())


def test_a_received_array_shares_no_memory_with_its_frame_or_its_neighbours():
    first, second = read(frame([np.zeros(2), np.zeros(2)]))
    first += 1
    assert second.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (1 << 257, "256 bits"),
        ({(1, 2): 3}, "dict key"),
        ([np.zeros(1)] * 257, "more than 256 arrays"),
        ("x" * 1_000_001, "too large"),
        (bytes(256_000_001), "too large"),
        (["\ud800"], "Unicode"),
    ],
    ids=["int", "key", "buffers", "header", "bytes", "surrogate"],
)
def test_what_is_too_much_is_refused_at_the_sender(value, reason):
    with pytest.raises(CodecError, match=reason):
        frame(value)


def test_a_value_nested_too_deeply_is_refused_at_the_sender():
    deep = []
    for _ in range(ANSWER.depth):
        deep = [deep]
    assert read(frame(deep)) == deep
    with pytest.raises(CodecError, match="nested"):
        frame([deep])


def test_a_value_that_holds_itself_is_refused():
    loop = []
    loop.append(loop)
    with pytest.raises(CodecError, match="nested"):
        frame(loop)
