"""The NVIDIA GPUs of this machine, as the device files that CUDA opens."""

from __future__ import annotations

from pathlib import Path

_DEV = Path("/dev")


def gpu_count(dev: Path = _DEV) -> int:
    """Return how many GPUs there are; needs no driver library, and starts nothing on them."""
    return sum(1 for _ in dev.glob("nvidia[0-9]*"))


def device_files(dev: Path = _DEV) -> tuple[str, ...]:
    """Return the device files that a process must be able to open to compute on the GPUs."""
    if not gpu_count(dev):
        return ()
    return tuple(sorted(str(file) for file in dev.glob("nvidia*") if not file.is_dir()))
