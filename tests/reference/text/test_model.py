"""The networks, the encoder and the study of the reference."""

import csv
from importlib import import_module
from pathlib import Path

import pytest
import torch

REFERENCE = Path(__file__).parents[3] / "reference" / "text"


@pytest.fixture(scope="module")
def stand_in(text):
    """The synthetic encoder as a mapping, and a few of its texts."""
    return text.study.load_data("synthetic-topics")


@pytest.mark.parametrize(("cell", "count"), [("rnn", 50), ("lstm", 200), ("gru", 150)])
def test_parameter_count_of_recurrent_classifiers(text, cell, count):
    network = text.model.RNNClassifier(30, 3, dim=4, hidden=5, cell=cell)
    assert sum(p.numel() for p in network.parameters()) == 30 * 4 + count + 3 * 5 + 3


def test_a_layer_of_minilm_has_as_many_parameters_as_published(text):
    layer = text.model.Layer(384, 12, 1536, 1e-12, 0.1)
    assert sum(p.numel() for p in layer.parameters()) == 1_774_464


def test_the_encoder_is_the_one_of_the_data_sets(text, stand_in):
    file = text.datasets.load("synthetic-encoder")
    ids, mask = text.study.encode(text.study.tokenizer_of(file), ["dada bebe", "mimi"], 16)
    ids, mask = torch.from_numpy(ids), torch.from_numpy(mask)
    whole = {name: torch.from_numpy(tensor) for name, tensor in file.tensors.items()}
    ours = text.model.Encoder.load({**whole, "heads": file.heads, "eps": file.eps}).eval()
    oracle = import_module(f"{text.datasets.__name__}.encoder").Encoder(file).eval()
    with torch.no_grad():
        torch.testing.assert_close(ours(ids, mask)[mask], oracle(ids, mask)[mask])


def test_words_that_do_not_occur_have_no_row(text, stand_in):
    table = stand_in["pretrained"][text.study.WORDS]
    assert len(table) == int(stand_in["ids"].max()) + 1
    assert not stand_in["ids"][~stand_in["mask"]].any()


def test_fine_tuning_beats_a_random_encoder(text, stand_in):
    found = {m: text.study.run_cell(m, 10, 0, stand_in) for m in ("finetuned", "random_encoder")}
    assert found["finetuned"] > 0.6 > 0.4 > found["random_encoder"]


@pytest.mark.parametrize("study", ["results.csv", "variants/synthetic/results.csv"])
def test_the_study_holds_what_the_handout_asks(text, study):
    with (REFERENCE / study).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == text.study.COLUMNS
    cells = {(row["method"], int(row["labels"]), int(row["seed"])) for row in rows}
    wanted = {
        (method, labels, seed)
        for method, sizes in text.study.SWEEP.items()
        for labels in sizes
        for seed in text.study.SEEDS
    }
    assert cells == wanted and len(rows) == len(wanted)
