"""What pretraining is worth: four classifiers, trained on few labels of the same texts.

``python -m text.study`` trains every cell of SWEEP and writes results.csv and plot.png into the
current folder.
"""

from __future__ import annotations

from functools import partial
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor, nn

from .datasets import load
from .datasets.pretrained import Pretrained as PretrainedFile
from .datasets.wordpieces import encode, tokenizer_of
from .model import Pretrained, finetune, from_scratch
from .results import COLUMNS, Table  # noqa: F401

# The texts of your term: ag-news-test or synthetic-topics. Your course page says which.
TEXTS = "ag-news-test"

BASE = {"labels": 10}  # labelled texts a class

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


class Draw:
    """Draws texts class by class with one generator."""

    def __init__(self, y, train, seed):
        self.y, self.train = y, train
        self.generator = torch.Generator().manual_seed(seed)

    def of_class(self, label, count):
        places = self.train[self.y[self.train].eq(label)]
        if places.numel() < count:
            raise ValueError(f"{count} texts of class {label} are wanted of {places.numel()}")
        return places[torch.randperm(places.numel(), generator=self.generator)[:count]]

    def of_every_class(self, count):
        return torch.cat([self.of_class(c, count) for c in range(1 + self.y.max().item())])


class Scratch:
    method: str

    def __init__(self, data, chosen, seed):
        self.texts = tuple(data[part][chosen] for part in ("ids", "mask", "y"))
        self.data, self.seed = data, seed

    def train(self):
        words = self.data["pretrained"][WORDS].size(0)
        return from_scratch(self.method, words, *self.texts, self.data["classes"], self.seed)


class Recurrent(Scratch):
    method = "rnn"


class Transformer(Scratch):
    method = "transformer"


class Pretrained_(Scratch):
    def encoder(self):
        return self.data["pretrained"]

    def train(self):
        return finetune(self.encoder(), *self.texts, self.data["classes"], self.seed)


class Untrained(Pretrained_):
    def encoder(self):
        return random_like(super().encoder(), self.seed)


METHODS = {
    "rnn": Recurrent,
    "transformer": Transformer,
    "finetuned": Pretrained_,
    "random_encoder": Untrained,
}


def few_labels(y: Tensor, train: Tensor, labels: int, seed: int) -> Tensor:
    return Draw(y, train, seed).of_every_class(labels)


def run_cell(method: str, labels: int, seed: int, data: Data) -> float:
    try:
        make = METHODS[method]
    except KeyError:
        raise ValueError(f"Unknown method: {method}") from None
    chosen = few_labels(data["y"], data["train"], labels, seed)
    model = make(data, chosen, seed).train()
    test = data["test"]
    guesses = predict(model, data["ids"][test], data["mask"][test])
    return guesses.eq(data["y"][test]).sum().item() / len(test)


def main() -> None:
    data, table = load_data(TEXTS), Table()
    for method in ("rnn", "transformer", "finetuned"):
        for labels in (10, 50, 200):
            for seed in range(3):
                table.measure(method, labels, seed, partial(run_cell, data=data))
    for seed in range(3):
        table.measure("random_encoder", 10, seed, partial(run_cell, data=data))
    table.save("results.csv")
    table.plot("plot.png")


if __name__ == "__main__":
    main()
