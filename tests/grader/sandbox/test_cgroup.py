"""Control groups of version 2, on a made-up tree: this is what we write, and what we read."""

import os
import shutil

import psutil
import pytest

from grader.errors import SandboxError
from grader.sandbox import cgroup
from grader.sandbox.cgroup import Cgroup

FILES = ("memory.max", "memory.swap.max", "memory.oom.group", "pids.max", "cgroup.kill")


@pytest.fixture
def root(tmp_path, monkeypatch):
    """Return a folder that looks like version 2, whose groups come with the kernel's files."""
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory pids")
    (tmp_path / "cgroup.subtree_control").write_text("")
    original = type(tmp_path).mkdir

    def mkdir(self, *args, **options):
        original(self, *args, **options)
        if self.parent.name == cgroup.PARENT:
            for name in (*FILES, "cgroup.procs"):
                (self / name).write_text("")
            (self / "memory.events").write_text("low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\n")
            (self / "cpu.stat").write_text("usage_usec 0\nuser_usec 0\nsystem_usec 0\n")

    monkeypatch.setattr(type(tmp_path), "mkdir", mkdir)
    # The kernel's files go with their folder.
    monkeypatch.setattr(type(tmp_path), "rmdir", lambda self: shutil.rmtree(self))
    return tmp_path


@pytest.fixture
def group(root):
    return Cgroup.create("1-2-3", memory_mb=64, processes=10, root=root)


def test_limits_are_written_where_version_2_wants_them(root, group):
    folder = root / cgroup.PARENT / "1-2-3"
    assert (folder / "memory.max").read_text() == str(64 * 2**20)
    assert (folder / "memory.swap.max").read_text() == "0"
    assert (folder / "pids.max").read_text() == "10"
    for level in (root, root / cgroup.PARENT):
        assert (level / "cgroup.subtree_control").read_text() == "+memory +pids +cpu"
    assert group.entries == [folder / "cgroup.procs"]


def test_meters_are_read_in_seconds_and_kills(root, group):
    folder = root / cgroup.PARENT / "1-2-3"
    (folder / "cpu.stat").write_text("usage_usec 2500000\nuser_usec 1\nsystem_usec 1\n")
    assert group.cpu_seconds() == 2.5
    assert (group.oom_kills(), group.reached_memory_limit()) == (0, False)
    (folder / "memory.events").write_text("low 0\nhigh 0\nmax 3\noom 1\noom_kill 2\n")
    assert (group.oom_kills(), group.reached_memory_limit()) == (2, True)


def test_a_group_is_found_again_by_its_name(root, group):
    again = Cgroup.existing(group.name, root)
    assert (again.version, again.entries) == (2, group.entries)


def test_everything_in_a_group_is_killed_at_once(root, group):
    group.kill()
    assert (root / cgroup.PARENT / "1-2-3" / "cgroup.kill").read_text() == "1"


def test_a_group_is_removed(root, group):
    folder = root / cgroup.PARENT / "1-2-3"
    group.remove()
    assert not folder.exists()


def test_a_sweep_removes_the_groups_of_the_dead_alone(root):
    mine = f"{os.getpid()}-{int(psutil.Process().create_time())}-0"
    for name in (mine, "999999999-1-0"):
        folder = root / cgroup.PARENT / name
        (root / cgroup.PARENT).mkdir(exist_ok=True)
        os.mkdir(folder)
    assert cgroup.sweep(root) == 1
    assert [f.name for f in (root / cgroup.PARENT).iterdir()] == [mine]


def test_a_machine_without_controllers_says_so(tmp_path):
    with pytest.raises(SandboxError, match="no cgroup controllers"):
        Cgroup.create("x", memory_mb=1, processes=1, root=tmp_path)


def test_version_2_without_the_memory_controller_is_no_use(tmp_path, monkeypatch):
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io pids")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert not cgroup.available(tmp_path)
