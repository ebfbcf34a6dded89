"""Measure the figures of `text` that docs/labs/text.md has: accuracy by number of labels.

    GRADER_DATA=... python bench/text_figures.py --seeds 5
    GRADER_DATA=... python bench/text_figures.py --texts yelp --labels 10,50

Each method of the study is trained once a seed on so many labels a class, and beside them naive
Bayes on the same texts and a linear layer on the frozen encoder. Prints mean and sd over the seeds
in per cent, and the CPU seconds of one training and its score.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from grader.grading.reference import load_reference
from grader.lab.catalogue import Catalogue

LAB = Catalogue(Path(__file__).resolve().parents[1]).get("text")
TEXT = load_reference(LAB.reference, LAB.assignment)

# How many labels a class; of the smallest class of Yahoo Answers there are 32 to train on.
LABELS = {"ag-news-test": (10, 50, 200), "yelp": (10, 50, 200), "yahoo-answers": (10, 30)}
Data = dict[str, Any]
Method = Callable[[int, int, Data], float]


def cell_of(method: str) -> Method:
    """Return a method of the study."""
    return lambda labels, seed, data: TEXT.study.run_cell(method, labels, seed, data)


def frozen(labels: int, seed: int, data: Data) -> float:
    """Train the head alone, on an encoder that keeps its weights."""
    shown = shown_of(labels, seed, data)
    depth = len(TEXT.model.Encoder.load(data["pretrained"]).layers)
    model = TEXT.model.finetune(
        data["pretrained"], *shown, data["classes"], seed, freeze=depth, steps=100, head_rate=1e-2
    )
    return share_right(TEXT.study.predict(model, *tested(data)), data)


def naive_bayes(labels: int, seed: int, data: Data) -> float:
    """Count words by class, one added to each: log p(c) is equal for all classes of a draw."""
    ids, mask, y = shown_of(labels, seed, data)
    words = len(data["pretrained"][TEXT.study.WORDS])
    counts = torch.stack([bag(ids[y == c], mask[y == c], words) for c in range(data["classes"])])
    chance = (counts + 1) / (counts + 1).sum(dim=1, keepdim=True)  # [C, words]
    ids, mask = tested(data)
    scores = (chance.log()[:, ids] * mask).sum(dim=2)  # [C, N]
    return share_right(scores.argmax(dim=0), data)


def bag(ids: Tensor, mask: Tensor, words: int) -> Tensor:
    """Return how often each word stands in texts. Shapes: ids [N, T], mask [N, T] -> [words]."""
    return torch.bincount(ids[mask], minlength=words).double()


def shown_of(labels: int, seed: int, data: Data) -> tuple[Tensor, Tensor, Tensor]:
    """Return the texts to train on, as every method gets them: ids, mask and y."""
    rows = TEXT.study.few_labels(data["y"], data["train"], labels, seed)
    return data["ids"][rows], data["mask"][rows], data["y"][rows]


def tested(data: Data) -> tuple[Tensor, Tensor]:
    """Return the texts to test on: ids and mask."""
    return data["ids"][data["test"]], data["mask"][data["test"]]


def share_right(guess: Tensor, data: Data) -> float:
    """Return the share of the test texts whose class was guessed."""
    return float((guess == data["y"][data["test"]]).double().mean())


METHODS: dict[str, Method] = {
    "finetuned": cell_of("finetuned"),
    "rnn": cell_of("rnn"),
    "transformer": cell_of("transformer"),
    "naive Bayes": naive_bayes,
    "frozen": frozen,
}


def main() -> None:
    """Train everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--texts", choices=list(LABELS), help="only these")
    parser.add_argument("--labels", help="so many a class, with commas between")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    print("| texts, labels a class | method | per cent | CPU s |\n|---|---|---|---|")
    for name in [chosen.texts] if chosen.texts else LABELS:
        data = TEXT.study.load_data(name)
        asked = map(int, chosen.labels.split(",")) if chosen.labels else LABELS[name]
        for labels in asked:
            for method, measure in METHODS.items():
                start = time.process_time()
                found = [100 * measure(labels, seed, data) for seed in range(chosen.seeds)]
                seconds = (time.process_time() - start) / chosen.seeds
                spread = f"{statistics.fmean(found):.1f} +- {statistics.stdev(found):.1f}"
                print(f"| {name}, {labels} | {method} | {spread} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
