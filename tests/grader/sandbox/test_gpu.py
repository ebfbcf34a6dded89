"""A lab that asks for a GPU gets its device files, or a refusal that says what is missing."""

import importlib
import os
import stat
from contextlib import closing
from pathlib import Path

import pytest

from grader.errors import SandboxError
from grader.sandbox import Sandbox, SandboxSpec, Tier, ZygoteProcess, available_tiers, confinement
from grader.sandbox import bubblewrap as namespaces
from grader.sandbox.gpu import device_files, gpu_count

shared = importlib.import_module("grader.sandbox.confinement")  # a function has its name too

GPU = SandboxSpec(gpu=True)
# A device file that every machine has and no sandbox shows, in the place of a GPU's.
STAND_IN = "/dev/kmsg"
LAB = """
import os

def devices():
    return sorted(os.listdir("/dev"))
"""

needs_full = pytest.mark.skipif(
    Tier.FULL not in available_tiers(), reason="needs control groups: tier 1 is not to be had"
)


@pytest.fixture
def one_gpu(monkeypatch):
    monkeypatch.setattr(shared, "gpu_count", lambda: 1)
    monkeypatch.setattr(namespaces, "device_files", lambda: (STAND_IN,))


def test_gpus_are_counted_and_all_their_files_named(tmp_path):
    assert (gpu_count(tmp_path), device_files(tmp_path)) == (0, ())
    for name in ("nvidiactl", "nvidia-uvm"):
        (tmp_path / name).touch()
    (tmp_path / "nvidia-caps").mkdir()
    assert (gpu_count(tmp_path), device_files(tmp_path)) == (0, ())  # a driver without a card
    for name in ("nvidia0", "nvidia1"):
        (tmp_path / name).touch()
    assert gpu_count(tmp_path) == 2
    names = [Path(file).name for file in device_files(tmp_path)]
    assert names == ["nvidia-uvm", "nvidia0", "nvidia1", "nvidiactl"]


@pytest.mark.parametrize("tier", available_tiers())
def test_without_a_gpu_no_tier_makes_such_a_sandbox(tier, monkeypatch):
    monkeypatch.setattr(shared, "gpu_count", lambda: 0)
    with pytest.raises(SandboxError, match=r"needs an NVIDIA GPU.* portal worker --queue gpu"):
        confinement(tier).settings(GPU)


@pytest.mark.parametrize("tier", [tier for tier in available_tiers() if tier is not Tier.FULL])
@pytest.mark.usefixtures("one_gpu")
def test_a_tier_that_limits_addresses_refuses(tier):
    with pytest.raises(SandboxError, match=r"only sandbox tier 1 .*grader doctor"):
        confinement(tier).settings(GPU)


@needs_full
@pytest.mark.usefixtures("one_gpu")
@pytest.mark.parametrize("gpu", [True, False])
def test_the_devices_are_there_if_they_were_asked_for(gpu):
    assert stat.S_ISCHR(os.stat(STAND_IN).st_mode)
    zygote = ZygoteProcess(confinement(Tier.FULL), SandboxSpec(memory_mb=300, gpu=gpu))
    write = lambda folder: (folder / "lab.py").write_text(LAB)  # noqa: E731
    with closing(zygote), closing(Sandbox(zygote.spawn, write, ("lab",), 5)) as box:
        with box.session(0, 2) as session:
            found = session.channel.ask("call", ["lab", "devices"], [], {})
    assert (Path(STAND_IN).name in found) is gpu
