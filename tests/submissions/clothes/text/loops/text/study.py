"""What pretraining is worth: four classifiers, trained on few labels of the same texts.

``python -m text.study`` trains every cell of SWEEP and writes results.csv and plot.png into the
current folder.
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
    result = []
    for label in range(int(y.max()) + 1):
        places = []
        for place in train.tolist():
            if int(y[place]) == label:
                places.append(place)
        if len(places) < labels:
            raise ValueError("class " + str(label) + " has too few texts: " + str(len(places)))
        order = torch.randperm(len(places), generator=generator).tolist()
        for number in order[:labels]:
            result.append(places[number])
    return torch.tensor(result, dtype=torch.int64)


def run_cell(method: str, labels: int, seed: int, data: Data) -> float:
    if method not in METHODS:
        raise ValueError("there is no method " + str(method))
    places = few_labels(data["y"], data["train"], labels, seed)
    ids = data["ids"][places]
    mask = data["mask"][places]
    y = data["y"][places]
    pretrained = data["pretrained"]
    if method == "rnn" or method == "transformer":
        vocab = pretrained[WORDS].shape[0]
        model = from_scratch(method, vocab, ids, mask, y, data["classes"], seed)
    else:
        if method == "random_encoder":
            pretrained = random_like(pretrained, seed)
        model = finetune(pretrained, ids, mask, y, data["classes"], seed)
    test = data["test"]
    guesses = predict(model, data["ids"][test], data["mask"][test]).tolist()
    right = 0
    for guess, place in zip(guesses, test.tolist()):
        if guess == int(data["y"][place]):
            right += 1
    return right / len(guesses)


def main() -> None:
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    data = load_data(TEXTS)
    lines = []
    plt.figure()
    for method in METHODS[:3]:
        for labels in (10, 50, 200):
            for seed in (1, 2, 3):
                start = time.process_time()
                metric = run_cell(method, labels, seed, data)
                seconds = time.process_time() - start
                lines.append([method, labels, seed, round(metric, 4), round(seconds, 2)])
                print(lines[-1])
                plt.plot(labels, metric, "C" + str(METHODS.index(method)) + "o")
    with open("results.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for line in lines:
            writer.writerow(line)
    for number, method in enumerate(METHODS[:3]):
        plt.plot([], [], "C" + str(number) + "o", label=method)
    plt.xscale("log")
    plt.xlabel("labels a class")
    plt.ylabel("accuracy")
    plt.legend()
    plt.savefig("plot.png", dpi=60)


if __name__ == "__main__":
    main()
