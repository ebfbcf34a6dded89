from __future__ import annotations

import csv
import time
from itertools import product

import numpy as np
import torch

from .datasets import load
from .datasets.wordpieces import encode, tokenizer_of
from .model import finetune, from_scratch

TEXTS = "ag-news-test"
METHODS = ("rnn", "transformer", "finetuned", "random_encoder")
BASE = {"labels": 10}
COLUMNS = ("method", "labels", "seed", "metric", "cpu_s")
LENGTH, POOL, TEST, LAYERS, STARS = 48, 250, 400, 3, ((0, 1), (3, 4))
WORDS = "embeddings.word_embeddings.weight"
BATCH = 64


def load_data(name):
    texts = load(name)
    y, classes = texts.y, len(texts.classes)
    if name == "yelp":
        y, classes = np.full_like(y, -1), 2
        for label, stars in enumerate(STARS):
            y[np.isin(texts.y, stars)] = label
    parts = ((texts.train, POOL), (texts.test, TEST // classes))
    train, test = (np.concatenate([places[y[places] == c][:most] for c in range(classes)]) for places, most in parts)
    chosen = np.concatenate([train, test])
    encoder = load("synthetic-encoder") if name.startswith("synthetic-") else load("minilm", layers=LAYERS)
    pretrained, ids, mask = numbered(encoder, [texts.texts[place] for place in chosen])
    train, test = torch.arange(len(chosen)).tensor_split([len(train)])
    return dict(pretrained=pretrained, ids=ids, mask=mask, y=torch.from_numpy(y[chosen]), train=train, test=test, classes=classes)


def numbered(encoder, lines):
    ids, mask = encode(tokenizer_of(encoder), lines, LENGTH)
    words, places = np.unique(np.append(ids, 0), return_inverse=True)
    tensors = {name: torch.from_numpy(tensor) for name, tensor in encoder.tensors.items()}
    tensors[WORDS] = tensors[WORDS][torch.from_numpy(words)]
    return {**tensors, "heads": encoder.heads, "eps": encoder.eps}, torch.from_numpy(places[:-1].reshape(ids.shape)), torch.from_numpy(mask)


def random_like(pretrained, seed):
    g = torch.Generator().manual_seed(seed)
    new = lambda k, v: v if not torch.is_tensor(v) else 0.02 * torch.randn(v.shape, generator=g) if v.ndim == 2 else torch.full_like(v, float(k.endswith("LayerNorm.weight")))
    return {k: new(k, v) for k, v in pretrained.items()}


@torch.no_grad()
def predict(model, ids, mask):
    return torch.cat([model(*b).argmax(1) for b in zip(ids.split(BATCH), mask.split(BATCH))])


def few_labels(y, train, labels, seed):
    g, pools = torch.Generator().manual_seed(seed), [train[y[train] == c] for c in range(int(y.max()) + 1)]
    if min(map(len, pools)) < labels:
        raise ValueError([*map(len, pools)])
    return torch.cat([p[torch.randperm(len(p), generator=g)[:labels]] for p in pools])


def run_cell(method, labels, seed, data):
    if method not in METHODS:
        raise ValueError(method)
    ids, mask, y, enc = (data[k] for k in ("ids", "mask", "y", "pretrained"))
    args = (*(a[few_labels(y, data["train"], labels, seed)] for a in (ids, mask, y)), data["classes"], seed)
    if method in METHODS[:2]:
        net = from_scratch(method, len(enc[WORDS]), *args)
    else:
        net = finetune(enc if method == "finetuned" else random_like(enc, seed), *args)
    return (predict(net, ids[t := data["test"]], mask[t]) == y[t]).double().mean().item()


def main():
    import matplotlib.pyplot as plt

    data, rows = load_data(TEXTS), []
    for m, n, s in product(METHODS[:3], (10, 50, 200), range(3)):
        c = time.process_time()
        rows += [(m, n, s, round(run_cell(m, n, s, data), 4), round(time.process_time() - c, 2))]
        print(*rows[-1], flush=True)
    with open("results.csv", "w", newline="") as o:
        csv.writer(o).writerows([COLUMNS, *rows])
    for m in METHODS[:3]:
        plt.semilogx(*zip(*((r[1], r[3]) for r in rows if r[0] == m)), "o", label=m)
    plt.legend(), plt.xlabel("labels a class"), plt.ylabel("accuracy"), plt.savefig("plot.png", dpi=45)


if __name__ == "__main__":
    main()
