"""Every command in the documents is real: cheap ones run, long ones are held against the program.

Commands stand in ``sh`` blocks, and in ``console`` blocks behind ``$ ``. No command goes unseen:
one whose program is neither ours nor listed in `ELSEWHERE` fails.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import grader.cli.main
import portal.cli
from grader.grading import rejected_report
from grader.lab.catalogue import Catalogue
from grader.report.export import to_json

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
GROUPS = {"grader": grader.cli.main.cli, "portal": portal.cli.cli}
PASSWORD = "correct horse battery staple"

# Cheap and harmless: these are run, in the order of their page.
RUN = {
    "grader list", "grader show", "grader doctor", "grader explain", "grader new", "grader release",
    "grader draw", "grader rank", "grader rerun",
    "portal init", "portal create-term", "portal create-user", "portal choose-variant",
    "portal backup", "portal restore", "portal reset-password", "portal close-account",
    "portal export-course", "portal import-course", "portal copy-term",
    "portal rebuild-standings",
}  # fmt: skip
FINDING_ALLOWED = {"grader doctor"}  # exits with 1 on a machine without a sandbox

# Programs that are not ours, and what of them is looked at.
ELSEWHERE = {
    "cd": "folder exists",
    ".": "script is the environment's",
    "apt-get": "packages are those the set-up installs",
}

FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Command:
    """One command as a page shows it; `spoken` if it stands in running text."""

    page: Path
    line: str
    spoken: bool = False

    @property
    def words(self):
        """The command's words, without variables in front and without sudo."""
        words = [word for word in shlex.split(self.line, comments=True) if word != "sudo"]
        while "=" in words[0]:
            words = words[1:]
        return words

    @property
    def name(self):
        """Program and subcommand, the latter of our own programs only."""
        return " ".join(self.words[:2]) if self.words[0] in GROUPS else self.words[0]


def blocks(text):
    """Yield language and lines of every fenced block, indented ones too."""
    for fence in FENCE.finditer(text):
        yield fence[2], fence[3].splitlines()


def commands_of(page):
    """Return a page's commands: of its blocks, and of its text between backticks."""
    text = page.read_text(encoding="utf-8")
    lines = []
    for language, block in blocks(text):
        if language == "sh":
            lines += [line for line in block if line.strip() and not line.startswith("#")]
        elif language == "console":
            lines += [line.removeprefix("$ ") for line in block if line.startswith("$ ")]
    inline = re.findall(r"`([^`\n]+)`", FENCE.sub("", text))
    ours = re.compile(r"([A-Z_]+=\S+ )*(grader|portal|\.ci/\w+) [a-z-].*|\.ci/\w+")
    spoken = [one for one in inline if ours.fullmatch(one)]
    return [Command(page, line) for line in lines] + [Command(page, one, True) for one in spoken]


COMMANDS = [command for page in PAGES for command in commands_of(page)]


def is_run(command):
    return command.name in RUN and not command.spoken


def named(command):
    return f"{command.page.stem}: {command.line}"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A current folder laid out as the commands of the documents expect it."""
    lay_out(tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("GRADER_", "PORTAL_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def lay_out(home):
    """Put everything there that commands of the documents read."""
    for folder in ("assignments", "reference"):
        (home / folder).mkdir()  # a command may put a lab of its own beside those of the course
        for lab in (ROOT / folder).iterdir():
            (home / folder / lab.name).symlink_to(lab)
    for folder in ("my-work", "submissions", "autumn", "fresh"):
        (home / folder).mkdir()
    (home / "submissions" / "ada.zip").write_bytes(b"")
    (home / "term.secret").write_text("ab" * 32)
    lay_out_final(home / "finals")
    (home / "labels.csv").write_text("id\n", encoding="utf-8")
    lab = Catalogue(ROOT).get("fnn").assignment
    reports = [rejected_report(lab, "ada.zip", ["The zip is empty."])]
    (home / "reports.json").write_text(to_json(reports), encoding="utf-8")


def lay_out_final(folder):
    """Put one team's predictions for the competition `swing` there, and the source of them."""
    folder.mkdir()
    rows = Catalogue(ROOT).get("swing").assignment.competition.test
    lines = "".join(f"r{row:04},22\n" for row in range(rows))
    (folder / "ada.csv").write_text(f"id,halving\n{lines}")
    with zipfile.ZipFile(folder / "ada.zip", "w") as archive:
        source = "def predict(train, test):\n    return 0 * test['readings'][:, 0] + 22\n"
        archive.writestr("swing/predict.py", source)


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if any(map(is_run, commands_of(page)))],
    ids=lambda page: page.stem,
)
def test_the_cheap_commands_of_a_page_run_in_its_order(home, page):
    commands = [command.words for command in commands_of(page) if is_run(command)]
    makes = [words for words in commands if words[0] == "portal"]
    if makes and ["portal", "init"] not in makes:  # the page says that this was done before
        commands.insert(0, ["portal", "init"])
    for words in commands:
        result = CliRunner().invoke(GROUPS[words[0]], words[1:], input=f"{PASSWORD}\n{PASSWORD}\n")
        allowed = {0, 1} if " ".join(words) in FINDING_ALLOWED else {0}
        assert result.exit_code in allowed, f"{words}\n{result.output}{result.exception!r}"


@pytest.mark.parametrize(
    "command",
    [one for one in COMMANDS if one.words[0] in GROUPS and not is_run(one)],
    ids=named,
)
def test_our_other_commands_accept_what_the_documents_give_them(home, command):
    group, words = GROUPS[command.words[0]], command.words[1:]
    if command.spoken and len(words) == 1:  # a command's name, not a whole command
        assert words[0] in group.commands
        return
    with CliRunner().isolation():
        parse(group, words)


def parse(group, words):
    """Read a command line as the program would, without doing what it says."""
    try:
        with click.Context(group) as context:
            name, subcommand, rest = group.resolve_command(context, list(words))
            if name != "--help":
                subcommand.make_context(name, rest)
    except click.exceptions.Exit:  # --help
        return
    except click.ClickException as error:
        pytest.fail(error.format_message())


@pytest.mark.parametrize(
    "command", [one for one in COMMANDS if one.words[0][:3] == ".ci"], ids=named
)
def test_a_script_that_the_documents_name_is_there_and_sound(command):
    script = ROOT / command.words[0]
    assert os.access(script, os.X_OK), f"{script} cannot be executed"
    done = subprocess.run(
        ["bash", "-n", str(script)], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    if script.name == "setup":
        assert re.search(rf"^  {command.words[1]}\) ", script.read_text(), re.MULTILINE)
    if script.name == "demo":
        parse(portal.cli.cli, ["demo", *command.words[1:]])


@pytest.mark.parametrize(
    "command",
    [one for one in COMMANDS if one.words[0] == "python" and one.words[1] != "-m"],
    ids=named,
)
def test_a_script_of_ours_knows_the_options_that_the_documents_give_it(command):
    _, script, *words = command.words
    said = subprocess.run(
        [sys.executable, ROOT / script, "--help"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    assert {word for word in words if word.startswith("--") and word not in said} == set()


@pytest.mark.parametrize(
    "command",
    [
        one
        for one in COMMANDS
        if one.words[0] in {"pytest", "ruff", "mypy"} or one.words[:2] == ["python", "-m"]
    ],
    ids=named,
)
def test_a_tool_is_one_we_install_and_its_files_are_there(command):
    words = command.words[2:] if command.words[:2] == ["python", "-m"] else command.words
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    known = pyproject["project"]["dependencies"] + pyproject["dependency-groups"]["dev"]
    assert any(re.match(rf"{words[0]}\b", need) for need in known)
    before = [one for one in commands_of(command.page) if one.words[0] == "cd"]
    folder = ROOT / before[0].words[1] if before else ROOT
    for word in words[1:]:
        if "/" in word or word.endswith(".py"):
            assert (folder / word).exists(), f"there is no {word}"


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.name in ELSEWHERE], ids=named)
def test_a_command_from_elsewhere_names_what_exists(command):
    program, *words = command.words
    setup = (ROOT / ".ci" / "setup").read_text(encoding="utf-8")
    if program == "cd":
        assert (ROOT / words[0]).is_dir()
    elif program == ".":
        assert words == [".venv/bin/activate"]
    else:
        assert program == "apt-get"
        assert words[0] == "install"
        assert all(package in setup for package in words[1:])


def test_no_command_goes_unchecked():
    tools = {"pytest", "python", "ruff", "mypy"}
    unknown = [
        named(command)
        for command in COMMANDS
        if command.words[0] not in GROUPS
        and command.words[0] not in tools
        and command.words[0] not in ELSEWHERE
        and not command.words[0].startswith(".ci/")
    ]
    assert unknown == []


def test_every_fence_says_its_language():
    languages = {language for page in PAGES for language, _ in blocks(page.read_text("utf-8"))}
    assert languages <= {"sh", "console", "python", "mermaid", "text", "toml"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_variable_that_a_page_names_is_read_somewhere(page):
    text = page.read_text(encoding="utf-8")
    names = set(re.findall(r"\b(?:PORTAL|GRADER|PROCTOR|TORCH)_[A-Z_]+\b", text))
    sources = [*ROOT.glob("grader/**/*.py"), *ROOT.glob("portal/**/*.py"), ROOT / ".ci/setup"]
    sources += [ROOT / "tests/conftest.py"]
    read = "".join(source.read_text(encoding="utf-8") for source in sources)
    assert {name for name in names if name not in read} == set()


def test_the_scripts_need_no_more_than_the_shell_they_name():
    bash = shutil.which("bash")
    assert bash is not None
    for script in sorted((ROOT / ".ci").iterdir()):
        first = script.read_text(encoding="utf-8").splitlines()[0]
        assert first in {"#!/usr/bin/env bash", "# shellcheck shell=bash"}, script.name


def test_the_report_of_the_example_has_its_schema_documented():
    schema = json.loads((ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8"))
    assert "tests" in schema["properties"]
