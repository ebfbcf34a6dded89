"""Train the small networks by which the suite of `gan` judges images, and write their weights.

    GRADER_DATA=... python bench/gan_judge.py
    GRADER_DATA=... python bench/gan_judge.py --only synthetic-digits

For each set of images one network learns the classes from four fifths of the images; its accuracy
on the others is printed, beside the SHA-256 of the file that is written,
`reference/gan/suite/judge-SET.safetensors`. Numbers are kept with 16 bits: 48 kB a set. What
the suite measures hangs on these files, so they are made once and kept; a new one needs new bars.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import torch
from torch.nn import functional

from reference.datasets import load

SUITE = Path(__file__).resolve().parents[1] / "reference" / "gan" / "suite"
SETS = ("mnist-5k", "synthetic-digits")
MOST, EPOCHS, BATCH, SEED = 12_000, 12, 64, 5


def suite_module() -> ModuleType:
    """Return the suite's own reading of images and its network."""
    spec = importlib.util.spec_from_file_location("judge_of_gan", SUITE / "judge.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"{SUITE / 'judge.py'} cannot be read")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def train(judge: ModuleType, name: str) -> tuple[torch.nn.Module, float]:
    """Return the trained network of a set and its accuracy on held-out images."""
    torch.manual_seed(SEED)
    x, y = judge.pictures(load(name))
    x, y = x[:MOST], y[:MOST]
    held = torch.arange(len(x)) % 5 == 4
    network = judge.Judge()
    steps = EPOCHS * int((~held).sum()) // BATCH
    optimiser = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    known = torch.nonzero(~held).squeeze(1)
    for _ in range(steps):
        rows = known[torch.randint(len(known), (BATCH,))]
        optimiser.zero_grad()
        functional.cross_entropy(network(x[rows]), y[rows]).backward()
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        right = network(x[held]).argmax(dim=1) == y[held]
    return network, float(right.double().mean())


def write(path: Path, tensors: dict[str, torch.Tensor]) -> str:
    """Write tensors with 16 bits as a file of type safetensors; return its SHA-256."""
    header, chunks, end = {}, [], 0
    for name, tensor in tensors.items():
        data = tensor.detach().numpy().astype("<f2").tobytes()
        offsets = [end, end + len(data)]
        header[name] = {"dtype": "F16", "shape": list(tensor.shape), "data_offsets": offsets}
        chunks.append(data)
        end = offsets[1]
    stated = json.dumps(header).encode()
    stated += b" " * (-len(stated) % 8)
    content = struct.pack("<Q", len(stated)) + stated + b"".join(chunks)
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def main(arguments: Sequence[str] | None = None) -> None:
    """Train and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=SETS, nargs="*", default=SETS)
    chosen = parser.parse_args(arguments).only
    torch.set_num_threads(1)
    judge = suite_module()
    for name in chosen:
        network, accuracy = train(judge, name)
        digest = write(SUITE / f"judge-{name}.safetensors", dict(network.named_parameters()))
        print(f"{name}: accuracy {accuracy:.3f}, sha256 {digest}")


if __name__ == "__main__":
    main()
