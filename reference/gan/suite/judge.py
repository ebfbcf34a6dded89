"""The hidden judge of images: a small network that was trained to tell the classes apart.

FID is measured in the 64 numbers of its last hidden layer, labels by its output. Students get other
features, so that nobody can train against these. ``bench/gan_judge.py`` made the weights.
"""

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import nn

from grader.suite import require

SIDE = 14  # pixels of an image
MOST = 12_000  # images of a set that are looked at
# Of the files that bench/gan_judge.py wrote: bars hold for these networks alone.
DIGESTS = {
    "mnist-5k": "098c0c5c2cf3f826ca23323d76b2654461a80fd4bb0c628241f77d7763474d5d",
    "synthetic-digits": "1a37a1e03a37c45b9e864dd12cd2c745607305b4e2820b69efff173c706efc94",
}


class Judge(nn.Module):
    """Two convolutions and a hidden layer: x [n, 196] from -1 to 1 -> logits [n, 10]."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 16, 3, padding=1)
        self.second = nn.Conv2d(16, 32, 3, padding=1)
        self.hidden = nn.Linear(32 * 9, 64)
        self.last = nn.Linear(64, 10)

    def features(self, x):
        """Return the last hidden layer [n, 64]."""
        h = torch.max_pool2d(torch.relu(self.first(x.reshape(-1, 1, SIDE, SIDE))), 2)  # 7 x 7
        h = torch.max_pool2d(torch.relu(self.second(h)), 2)  # 3 x 3
        return torch.relu(self.hidden(h.flatten(1)))

    def forward(self, x):
        """Return logits [n, 10]."""
        return self.last(self.features(x))


def pictures(data):
    """Return all images of a set as x float32 [n, 196] from -1 to 1, and y int64 [n].

    Each pixel is the mean over a square of four, as in `load_data` of the lab.
    """
    x = np.concatenate([data.train_x, data.test_x])[:, 0]
    y = np.concatenate([data.train_y, data.test_y])
    small = x[:MOST].reshape(-1, SIDE, 2, SIDE, 2).mean(axis=(2, 4)) / 127.5 - 1
    return torch.tensor(small.reshape(-1, SIDE * SIDE), dtype=torch.float32), torch.tensor(y[:MOST])


def load_judge(name, read_tensors):
    """Return the judge of a set, read from the file beside this one."""
    path = Path(__file__).parent / f"judge-{name}.safetensors"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    require(digest == DIGESTS[name], f"{path.name} is not the file that the bars were set with")
    judge = Judge()
    with torch.no_grad():
        for key, parameter in judge.named_parameters():
            parameter.copy_(torch.tensor(read_tensors(path)[key].astype(np.float32)))
    return judge.eval().requires_grad_(False)
