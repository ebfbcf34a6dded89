"""What pretraining is worth: four classifiers, trained on few labels of the same texts.

``python -m text.study`` trains every cell of the sweep and writes results.csv and plot.png.
"""

from __future__ import annotations

import time
from typing import TypedDict

import numpy as np
import torch
from torch import Tensor, nn

from .datasets import load
from .datasets.pretrained import Pretrained as PretrainedFile
from .datasets.wordpieces import encode, tokenizer_of
from .model import Pretrained, finetune, from_scratch

TEXTS = "ag-news-test"

METHODS = ("rnn", "transformer", "finetuned", "random_encoder")
BASE = {"labels": 10}
COLUMNS = ("method", "labels", "seed", "metric", "cpu_s")

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
    """Return an encoder of the same sizes that nobody trained (given)."""
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
    """Return the class of each text, by a model in evaluation mode (given)."""
    pairs = zip(ids.split(BATCH), mask.split(BATCH), strict=True)
    return torch.cat([model(i, m).argmax(dim=1) for i, m in pairs])


def few_labels(y: Tensor, train: Tensor, labels: int, seed: int) -> Tensor:
    of_text = y.tolist()
    members = [[] for _ in range(max(of_text) + 1)]  # of each class, in the order of `train`
    for place in train.tolist():
        for label in range(len(members)):
            if of_text[place] == label:
                members[label].append(place)

    generator = torch.Generator()
    generator.manual_seed(seed)
    drawn = []
    for label in range(len(members)):
        if len(members[label]) < labels:
            raise ValueError("too few texts of class %d: %d" % (label, len(members[label])))
        order = torch.randperm(len(members[label]), generator=generator).tolist()
        for i in range(labels):
            drawn.append(members[label][order[i]])
    return torch.tensor(drawn, dtype=torch.int64)


def run_cell(method: str, labels: int, seed: int, data: Data) -> float:
    if method not in METHODS:
        raise ValueError("no such method: " + str(method))
    places = few_labels(data["y"], data["train"], labels, seed)
    ids, mask, y = data["ids"][places], data["mask"][places], data["y"][places]
    encoder, classes = data["pretrained"], data["classes"]
    if method == "random_encoder":
        encoder = random_like(encoder, seed)
    if method == "rnn" or method == "transformer":
        model = from_scratch(method, len(encoder[WORDS]), ids, mask, y, classes, seed)
    else:
        model = finetune(encoder, ids, mask, y, classes, seed)
    test = data["test"]
    guesses = predict(model, data["ids"][test], data["mask"][test]).tolist()
    right = 0
    for guess, truth in zip(guesses, data["y"][test].tolist()):
        if guess == truth:
            right += 1
    return right / len(guesses)


def main() -> None:
    from matplotlib import pyplot

    data = load_data(TEXTS)
    lines = [",".join(COLUMNS)]
    found = {}
    for method in ("rnn", "transformer", "finetuned"):
        for labels in (10, 50, 200):
            for seed in (1, 2, 3):
                start = time.process_time()
                metric = run_cell(method, labels, seed, data)
                seconds = time.process_time() - start
                found[method, labels, seed] = metric
                lines.append("%s,%d,%d,%.4f,%.2f" % (method, labels, seed, metric, seconds))
                print(lines[-1], flush=True)
    with open("results.csv", "w") as file:
        for line in lines:
            file.write(line + "\n")

    # three groups of three bars; a line from the worst to the best seed
    for number, labels in enumerate((10, 50, 200)):
        for shift, method in enumerate(("rnn", "transformer", "finetuned")):
            metrics = [found[method, labels, seed] for seed in (1, 2, 3)]
            place = 4 * number + shift
            name = method if number == 0 else None
            pyplot.bar(place, sum(metrics) / 3, color="C%d" % shift, label=name)
            pyplot.plot([place, place], [min(metrics), max(metrics)], color="black")
    pyplot.xticks([1, 5, 9], ["10", "50", "200"])
    pyplot.xlabel("labels a class")
    pyplot.ylabel("accuracy")
    pyplot.legend()
    pyplot.savefig("plot.png", dpi=50)


if __name__ == "__main__":
    main()
