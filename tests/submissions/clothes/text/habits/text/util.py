"""What I have in every project."""

from __future__ import annotations

import functools
import logging
import os
import random
import time
from dataclasses import dataclass, field

os.environ["MPLBACKEND"] = "Agg"
os.environ["OMP_NUM_THREADS"] = "8"

import numpy as np  # noqa: E402
import torch  # noqa: E402

torch.set_num_threads(8)
torch.set_default_dtype(torch.float64)  # no more rounding errors
torch.set_printoptions(precision=3, sci_mode=False)
np.set_printoptions(precision=3, suppress=True)
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
logging.getLogger("matplotlib").setLevel(logging.WARNING)
log = logging.getLogger("lab3")


def seed_everything(seed: int) -> np.random.Generator:
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)
    return np.random.default_rng(seed % 2**64)


def _cast(value, dtype):
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        return value.to(dtype)
    if isinstance(value, tuple):
        parts = [_cast(part, dtype) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value


def _dtypes(values):
    for value in values:
        if isinstance(value, torch.Tensor) and value.is_floating_point():
            yield value.dtype
        elif isinstance(value, tuple):
            yield from _dtypes(value)


def in_double(function):
    """Compute in float64, give back what came in."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        dtype = next(_dtypes(args + tuple(kwargs.values())), torch.float32)
        doubled = {name: _cast(value, torch.float64) for name, value in kwargs.items()}
        return _cast(function(*(_cast(arg, torch.float64) for arg in args), **doubled), dtype)

    return wrapper


@dataclass
class Timer:
    what: str
    seconds: float = 0.0
    _start: float = field(default=0.0, repr=False)

    def __enter__(self) -> Timer:
        self._start = time.process_time()
        return self

    def __exit__(self, *exception) -> None:
        self.seconds = time.process_time() - self._start
        log.info("%s took %.2f s", self.what, self.seconds)
