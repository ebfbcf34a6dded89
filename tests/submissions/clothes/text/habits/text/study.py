"""What pretraining is worth: four classifiers, trained on few labels of the same texts.

``python -m text.study`` trains every cell of SWEEP and writes results.csv and plot.png into the
current folder.
"""

from __future__ import annotations

import argparse
import csv
import logging
import time
from collections import defaultdict
from enum import Enum
from typing import NamedTuple, TypedDict

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import Tensor, nn

from .datasets import load
from .datasets.pretrained import Pretrained as PretrainedFile
from .datasets.wordpieces import encode, tokenizer_of
from .model import Pretrained, finetune, from_scratch

# The texts of your term: ag-news-test or synthetic-topics. Your course page says which.
TEXTS = "ag-news-test"


class Method(str, Enum):
    RNN = "rnn"
    TRANSFORMER = "transformer"
    FINETUNED = "finetuned"
    RANDOM = "random_encoder"


METHODS = tuple(m.value for m in Method)
BASE = {"labels": 10}  # labelled texts a class
COLUMNS = ("method", "labels", "seed", "metric", "cpu_s")


class Row(NamedTuple):
    method: str
    labels: int
    seed: int
    metric: float
    cpu_s: float


log = logging.getLogger("study")
parser = argparse.ArgumentParser()
parser.add_argument("--seeds", nargs="*", type=int, default=[11, 22, 33])
OPTIONS, _ = parser.parse_known_args()
SWEEP = defaultdict(
    tuple,
    {m: (10, 50, 200) for m in (Method.RNN, Method.TRANSFORMER, Method.FINETUNED)},
)

LENGTH = 48  # word pieces of a text, marks of begin and end among them
POOL = 250  # texts a class that labelled ones are drawn from
TEST = 400  # texts in all to test on
LAYERS = 3  # of the encoder's six
STARS = ((0, 1), (3, 4))  # what "yelp" is asked for: a bad review or a good one
WORDS = "embeddings.word_embeddings.weight"
BATCH = 64  # texts that are read together when nothing is trained


class Data(TypedDict):
    """Texts as numbers, the encoder that knows these numbers, and who may be trained on."""

    pretrained: Pretrained  # its tensors by their published names, "heads" and "eps"
    ids: Tensor  # int64 [N, T], 0 for padding
    mask: Tensor  # bool [N, T], True for words
    y: Tensor  # int64 [N]
    train: Tensor  # int64, places of the texts to draw labelled ones from
    test: Tensor  # int64, places of the texts to test on
    classes: int


def load_data(name: str) -> Data:
    """Read texts, and the encoder for them, as tensors (given)."""
    texts = load(name)
    y, classes = texts.y, len(texts.classes)
    if name == "yelp":
        y, classes = np.full_like(y, -1), 2
        for label, stars in enumerate(STARS):
            y[np.isin(texts.y, stars)] = label
    parts = ((texts.train, POOL), (texts.test, TEST // classes))
    train, test = (
        np.concatenate([places[y[places] == c][:most] for c in range(classes)])
        for places, most in parts
    )
    chosen = np.concatenate([train, test])
    synthetic = name.startswith("synthetic-")
    encoder = load("synthetic-encoder") if synthetic else load("minilm", layers=LAYERS)
    pretrained, ids, mask = numbered(encoder, [texts.texts[place] for place in chosen])
    return {
        "pretrained": pretrained,
        "ids": ids,
        "mask": mask,
        "y": torch.from_numpy(y[chosen]),
        "train": torch.arange(len(train)),
        "test": torch.arange(len(train), len(chosen)),
        "classes": classes,
    }


def numbered(encoder: PretrainedFile, lines: list[str]) -> tuple[Pretrained, Tensor, Tensor]:
    """Return an encoder's tensors, and the lines as numbers of its words (given).

    Only words that occur keep a row in its table, under new numbers; padding is 0.
    Shapes: ids int64 [N, T], mask bool [N, T], T at most LENGTH.
    """
    ids, mask = encode(tokenizer_of(encoder), lines, LENGTH)
    words, places = np.unique(np.append(ids, 0), return_inverse=True)  # 0 stays padding's number
    tensors = {name: torch.from_numpy(tensor) for name, tensor in encoder.tensors.items()}
    tensors[WORDS] = tensors[WORDS][torch.from_numpy(words)]
    pretrained = {**tensors, "heads": encoder.heads, "eps": encoder.eps}
    return pretrained, torch.from_numpy(places[:-1].reshape(ids.shape)), torch.from_numpy(mask)


def random_like(pretrained: Pretrained, seed: int) -> Pretrained:
    """Return an encoder of the same sizes that nobody trained (given).

    Matrices are normal with standard deviation 0.02, gains of norms 1, all other vectors 0.
    """
    generator = torch.Generator().manual_seed(seed)
    made: dict[str, Tensor | int | float] = {}
    for name, tensor in pretrained.items():
        if not isinstance(tensor, Tensor):
            made[name] = tensor
        elif tensor.ndim == 2:
            made[name] = 0.02 * torch.randn(tensor.shape, generator=generator)
        else:
            made[name] = torch.full_like(tensor, float(name.endswith("LayerNorm.weight")))
    return made


@torch.no_grad()
def predict(model: nn.Module, ids: Tensor, mask: Tensor) -> Tensor:
    """Return the class of each text, by a model in evaluation mode (given).

    Shapes: ids [N, T], mask [N, T] -> [N] int64.
    """
    pairs = zip(ids.split(BATCH), mask.split(BATCH), strict=True)
    return torch.cat([model(i, m).argmax(dim=1) for i, m in pairs])


def few_labels(y: Tensor, train: Tensor, labels: int, seed: int) -> Tensor:
    generator = torch.Generator()
    generator.manual_seed(seed)
    of_class = defaultdict(list)
    for place in train.tolist():
        of_class[int(y[place])].append(place)
    drawn = []
    for label in range(int(y.max()) + 1):
        places = torch.tensor(of_class[label], dtype=torch.int64)
        if places.numel() < labels:
            raise ValueError(f"class {label} has only {places.numel()} texts")
        drawn.extend(places[torch.randperm(places.numel(), generator=generator)][:labels].tolist())
    return torch.tensor(drawn)


def run_cell(method: str, labels: int, seed: int, data: Data) -> float:
    which = Method(method)
    places = few_labels(data["y"], data["train"], labels, seed)
    ids, mask, y = (data[name][places] for name in ("ids", "mask", "y"))
    if which in (Method.RNN, Method.TRANSFORMER):
        words = data["pretrained"][WORDS].shape[0]
        net = from_scratch(which.value, words, ids, mask, y, data["classes"], seed)
    else:
        encoder = data["pretrained"]
        if which is Method.RANDOM:
            encoder = random_like(encoder, seed)
        net = finetune(encoder, ids, mask, y, data["classes"], seed)
    guess = predict(net, data["ids"][data["test"]], data["mask"][data["test"]])
    result = np.mean((guess == data["y"][data["test"]]).numpy())
    log.info("%s with %d labels, seed %d: %.4f", method, labels, seed, result)
    return float(result)


def main() -> None:
    data, rows = load_data(TEXTS), []
    for seed in OPTIONS.seeds:
        for method, numbers in SWEEP.items():
            for labels in numbers:
                start = time.process_time()
                metric = run_cell(method.value, labels, seed, data)
                rows.append(Row(method.value, labels, seed, metric, time.process_time() - start))
    with open("results.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(Row._fields)
        writer.writerows(rows)
    figure, axis = plt.subplots(figsize=(6, 4))
    for method in SWEEP:
        mine = [row for row in rows if row.method == method.value]
        axis.plot([row.labels for row in mine], [row.metric for row in mine], "x", label=method.value)
    axis.set_xscale("log")
    axis.set_xlabel("labels a class")
    axis.set_ylabel("accuracy")
    axis.legend()
    figure.tight_layout()
    figure.savefig("plot.png", dpi=50)


if __name__ == "__main__":
    main()
