from __future__ import annotations

import argparse
import csv
import logging
from collections import defaultdict
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, TypedDict

import matplotlib
import numpy as np
import torch
from torch import Tensor, nn

from .datasets import load
from .datasets.pretrained import Pretrained as PretrainedFile
from .datasets.wordpieces import encode, tokenizer_of
from .model import Pretrained, finetune, from_scratch
from .util import Timer

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

plt.rcParams["figure.figsize"] = (6, 4)
log = logging.getLogger("lab3.study")

TEXTS = "ag-news-test"

parser = argparse.ArgumentParser(description="sweep of lab 3")
parser.add_argument("--texts", default=TEXTS)
parser.add_argument("--seeds", type=int, nargs="+", default=[101, 202, 303])
parser.add_argument("--dpi", type=int, default=50)
ARGS = parser.parse_known_args()[0]


class Method(Enum):
    RNN = "rnn"
    TRANSFORMER = "transformer"
    FINETUNED = "finetuned"
    RANDOM_ENCODER = "random_encoder"

    @property
    def pretrains(self) -> bool:
        return self in (Method.FINETUNED, Method.RANDOM_ENCODER)


METHODS = tuple(method.value for method in Method)
BASE = {"labels": 10}


class Row(NamedTuple):
    method: str
    labels: int
    seed: int
    metric: float
    cpu_s: float

    def rounded(self) -> Row:
        return self._replace(metric=round(self.metric, 4), cpu_s=round(self.cpu_s, 2))


COLUMNS = Row._fields

LENGTH = 48  # word pieces of a text, marks of begin and end among them
POOL = 250  # texts a class that labelled ones are drawn from
TEST = 400  # texts in all to test on
LAYERS = 3  # of the encoder's six
STARS = ((0, 1), (3, 4))  # what "yelp" is asked for: a bad review or a good one
WORDS = "embeddings.word_embeddings.weight"
BATCH = 64  # texts that are read together when nothing is trained


class Data(TypedDict):
    pretrained: Pretrained
    ids: Tensor
    mask: Tensor
    y: Tensor
    train: Tensor
    test: Tensor
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
    """Return an encoder's tensors, and the lines as numbers of its words (given)."""
    ids, mask = encode(tokenizer_of(encoder), lines, LENGTH)
    words, places = np.unique(np.append(ids, 0), return_inverse=True)  # 0 stays padding's number
    tensors = {name: torch.from_numpy(tensor) for name, tensor in encoder.tensors.items()}
    tensors[WORDS] = tensors[WORDS][torch.from_numpy(words)]
    pretrained = {**tensors, "heads": encoder.heads, "eps": encoder.eps}
    return pretrained, torch.from_numpy(places[:-1].reshape(ids.shape)), torch.from_numpy(mask)


def random_like(pretrained: Pretrained, seed: int) -> Pretrained:
    """Return an encoder of the same sizes that nobody trained (given, but for the dtype)."""
    generator = torch.Generator().manual_seed(seed)
    made: dict[str, Tensor | int | float] = {}
    for name, tensor in pretrained.items():
        if not isinstance(tensor, Tensor):
            made[name] = tensor
        elif tensor.ndim == 2:
            # not my float64: other numbers would be drawn
            made[name] = 0.02 * torch.randn(tensor.shape, generator=generator, dtype=tensor.dtype)
        else:
            made[name] = torch.full_like(tensor, float(name.endswith("LayerNorm.weight")))
    return made


@torch.no_grad()
def predict(model: nn.Module, ids: Tensor, mask: Tensor) -> Tensor:
    """Return the class of each text, by a model in evaluation mode (given)."""
    pairs = zip(ids.split(BATCH), mask.split(BATCH), strict=True)
    return torch.cat([model(i, m).argmax(dim=1) for i, m in pairs])


def few_labels(y: Tensor, train: Tensor, labels: int, seed: int) -> Tensor:
    generator = torch.Generator()
    generator.manual_seed(seed)
    truth, pool = y.cpu().numpy(), train.cpu().numpy()
    drawn = np.zeros((truth.max() + 1, labels), dtype=np.int64)
    for c, row in enumerate(drawn):
        members = pool[truth[pool] == c]
        if members.size < labels:
            raise ValueError(f"class {c}: {members.size} texts, {labels} wanted")
        row[:] = members[torch.randperm(members.size, generator=generator).numpy()[:labels]]
    return torch.from_numpy(drawn.ravel()).to(y.device)


@dataclass(frozen=True)
class Part:
    """Some texts of the data."""

    ids: Tensor
    mask: Tensor
    y: Tensor

    @classmethod
    def of(cls, data: Data, places: Tensor) -> Part:
        return cls(*(data[name][places] for name in ("ids", "mask", "y")))


def run_cell(method: str, labels: int, seed: int, data: Data) -> float:
    which = Method(method)  # ValueError if unknown
    few = Part.of(data, few_labels(data["y"], data["train"], labels, seed))
    known = (few.ids, few.mask, few.y, data["classes"], seed)
    if which.pretrains:
        encoder = data["pretrained"]
        if which is Method.RANDOM_ENCODER:
            encoder = random_like(encoder, seed)
        net = finetune(encoder, *known)
    else:
        net = from_scratch(which.value, data["pretrained"][WORDS].size(0), *known)
    test = Part.of(data, data["test"])
    guess = predict(net, test.ids, test.mask).cpu().numpy()
    accuracy = float(np.mean(guess == test.y.cpu().numpy()))
    print(f"{method} {labels} {seed}: {accuracy:.3f}")
    return accuracy


SWEEP = defaultdict(list)
for _method in (Method.FINETUNED, Method.TRANSFORMER, Method.RNN):
    SWEEP[_method] += [10, 50, 200]


def sweep(data: Data) -> list[Row]:
    rows = []
    for seed in ARGS.seeds:
        for method, numbers in SWEEP.items():
            for labels in numbers:
                with Timer(f"{method.name} {labels}") as timer:
                    metric = run_cell(method.value, labels, seed, data)
                rows.append(Row(method.value, labels, seed, metric, timer.seconds).rounded())
    return rows


def plot(rows: list[Row]) -> None:
    table = defaultdict(lambda: defaultdict(list))
    for row in rows:
        table[row.method][row.labels].append(row.metric)
    figure, axes = plt.subplots()
    for method, cells in table.items():
        low, mean, high = ([f(cell) for cell in cells.values()] for f in (np.min, np.mean, np.max))
        axes.fill_between(list(cells), low, high, alpha=0.2)
        axes.plot(list(cells), mean, marker="o", label=method)
    axes.set(xscale="log", xlabel="labels a class", ylabel="accuracy on test", ylim=(0, 1))
    axes.legend(loc="lower right")
    figure.savefig("plot.png", dpi=ARGS.dpi, bbox_inches="tight")
    plt.close(figure)


def main() -> None:
    rows = sweep(load_data(ARGS.texts))
    with open("results.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(row._asdict() for row in rows)
    plot(rows)


if __name__ == "__main__":
    main()
