"""What pretraining is worth: four classifiers, trained on few labels of the same texts.

``python -m text.study`` trains every cell of your sweep and writes results.csv and plot.png into
the current folder.
"""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor, nn

from .datasets import load
from .datasets.pretrained import Pretrained as PretrainedFile
from .datasets.wordpieces import encode, tokenizer_of
from .model import Pretrained, finetune, from_scratch

# The texts of your term: ag-news-test or synthetic-topics. Your course page says which.
TEXTS = "ag-news-test"

METHODS = ("rnn", "transformer", "finetuned", "random_encoder")
BASE = {"labels": 10}  # labelled texts a class
COLUMNS = ("method", "labels", "seed", "metric", "cpu_s")

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
            shape, kind = tensor.shape, tensor.dtype  # whatever torch's default is set to
            made[name] = 0.02 * torch.randn(shape, generator=generator, dtype=kind)
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
    """Draw `labels` texts of each class from `train`, to train on.

    One generator of the seed draws for class 0, then for class 1, and so on to the largest class in
    `train`: of a class's places, in the order of `train`, those that the first `labels` numbers of
    torch.randperm(their count) name, in that order. The result holds the classes one after another.

    Shapes: y [N] int64, train [M] int64 -> [labels * classes] int64, places in y.
    Raises ValueError if a class has fewer texts in `train`.
    """
    raise NotImplementedError("few_labels is not written yet")


def run_cell(method: str, labels: int, seed: int, data: Data) -> float:
    """Train one classifier on few labels of `data` and return its accuracy on all of `test`.

    It is trained on the texts few_labels(y, train, labels, seed) and no others:
    rnn, transformer   by from_scratch, with a word for every row of the encoder's table
    finetuned          by finetune, with your defaults
    random_encoder     the same, of random_like(pretrained, seed) in place of pretrained
    and with `seed`, which decides all that is random: the same call gives the same number. Nothing
    may be trained, chosen or stopped by what is measured. Any number of labels must work, not only
    those of your sweep, and any texts. A cell of 10 labels takes at most 30 CPU seconds.
    Raises ValueError if there is no method of that name.
    """
    raise NotImplementedError("run_cell is not written yet")


def main() -> None:
    """Train every cell, then write results.csv (header COLUMNS) and plot.png."""
    raise NotImplementedError("main is not written yet")


if __name__ == "__main__":
    main()
