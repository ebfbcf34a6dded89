"""What one test writes, the next one cannot read; what the import wrote, every test can."""

import os
from contextlib import closing

import pytest

from grader.sandbox import Sandbox, SandboxSpec, Tier, ZygoteProcess, available_tiers, confinement
from grader.sandbox.guest.leftovers import Leftovers

CODE = """
import os

os.mkdir("cache")
for name in ("cache/table", "log"):
    with open(name, "w") as file:
        file.write("import")

def folders():
    return [".", "/dev/shm"] if os.path.isdir("/sandbox") else ["."]  # tier 3 has one alone

def write():
    for folder in folders():
        os.makedirs(f"{folder}/a/b", exist_ok=True)
        for name in ("answer", "a/b/answer", ".answer"):
            open(f"{folder}/{name}", "w").write("42")
        os.symlink("answer", f"{folder}/link")
    open("cache/answer", "w").write("42")
    open("log", "a").write("42")

def deny():
    os.makedirs("closed/in")
    os.chmod("closed", 0)

def nest():
    for _ in range(2000):
        os.mkdir("d")
        os.chdir("d")

def found():
    return sorted(os.path.join(at, name)
                  for folder in folders() for at, _, names in os.walk(folder) for name in names)

def entries():
    return sorted(os.listdir())

def table():
    return open("cache/table").read()
"""
TIERS = [tier for tier in available_tiers() if tier is not Tier.PROCESS]


@pytest.fixture(scope="module", params=TIERS, ids=lambda tier: f"tier {tier}")
def box(request):
    zygote = ZygoteProcess(confinement(request.param), SandboxSpec(memory_mb=500))

    def write(folder):
        (folder / "writer.py").write_text(CODE)

    with closing(zygote), closing(Sandbox(zygote.spawn, write, ("writer",), 30)) as box:
        yield box


def ask(box, *functions):
    with box.session(0, 30) as session:
        return [session.channel.ask("call", ["writer", name], [], {}) for name in functions][-1]


def test_a_file_of_one_test_is_gone_in_the_next(box):
    assert any("answer" in path for path in ask(box, "write", "found"))
    assert ask(box, "found") == ["./cache/table"]


def test_a_file_of_the_import_is_there_in_every_test(box):
    assert [ask(box, "table"), ask(box, "table")] == ["import", "import"]


@pytest.mark.parametrize("obstacle", ["deny", "nest"])
def test_what_cannot_be_removed_costs_the_cell(box, obstacle):
    ask(box, "write", obstacle)
    assert ask(box, "entries") == ["cache", "log"]
    assert ask(box, "table") == "import"


def test_files_stay_while_another_session_is_open(box):
    with box.session(0, 30) as shared:
        ask(box, "write")
        assert "answer" in shared.channel.ask("call", ["writer", "entries"], [], {})
    assert "answer" not in ask(box, "entries")


def test_no_link_is_followed_out_of_the_folder(tmp_path):
    outside, scratch = tmp_path / "outside", tmp_path / "scratch"
    for folder in (outside, scratch):
        folder.mkdir()
    (outside / "precious").touch()
    os.symlink(outside, scratch / "folder")
    os.symlink(outside / "precious", scratch / "file")
    assert Leftovers([str(scratch)]).remove()
    assert list(scratch.iterdir()) == []
    assert (outside / "precious").exists()


def test_a_folder_swapped_for_a_link_does_not_survive(tmp_path):
    (tmp_path / "scratch" / "kept").mkdir(parents=True)
    leftovers = Leftovers([str(tmp_path / "scratch")])
    leftovers.accept()
    (tmp_path / "scratch" / "kept").rmdir()
    os.symlink(tmp_path, tmp_path / "scratch" / "kept")
    assert leftovers.remove()
    assert list((tmp_path / "scratch").iterdir()) == []
