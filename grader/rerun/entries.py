"""What is to be run again: each team's predictions and the source that is said to make them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.competition import read_predictions
from grader.competition.metrics import Values
from grader.errors import ProctorError, Rejected, TableError
from grader.intake import Submission, receive, receive_bytes
from grader.lab.competition import CompetitionRules
from grader.lab.manifest import Assignment


@dataclass(frozen=True)
class Entry:
    """A team's final: what it claims, and the code behind it."""

    team: str
    claimed: Values  # [rows, columns], on the term's test
    source: Submission


@dataclass(frozen=True)
class EntryFolder:
    """The entries of a folder, and why others cannot be run: each by its team."""

    entries: tuple[Entry, ...]
    refused: Mapping[str, str]


def read_entries(
    folder: Path, assignment: Assignment, rules: CompetitionRules, ids: Sequence[str]
) -> EntryFolder:
    """Read ``team.csv`` and ``team.zip`` of every team in a folder; nothing of them is run.

    Raises ProctorError if there is no entry at all.
    """
    teams = sorted({file.stem for file in folder.iterdir() if file.suffix in {".csv", ".zip"}})
    if not teams:
        raise ProctorError(f"{folder} holds no entries; put team.csv and team.zip there for each")
    entries: list[Entry] = []
    refused: dict[str, str] = {}
    for team in teams:
        try:
            claimed = read_predictions(_bytes(folder / f"{team}.csv"), rules, ids)
            entries.append(Entry(team, claimed, _source(folder / f"{team}.zip", assignment, rules)))
        except TableError as error:
            refused[team] = f"{team}.csv: {error}"
        except Rejected as error:
            refused[team] = f"{team}.zip: {error}"
    return EntryFolder(tuple(entries), refused)


def read_entry(
    team: str,
    claimed: bytes,
    source: bytes,
    assignment: Assignment,
    rules: CompetitionRules,
    ids: Sequence[str],
) -> Entry:
    """Read the predictions and the zip of one team; nothing of it is run.

    Raises TableError for the predictions, Rejected for the source.
    """
    values = read_predictions(claimed, rules, ids)
    return Entry(team, values, receive_bytes("source.zip", source, _asked(assignment, rules)))


def _bytes(file: Path) -> bytes:
    if not file.is_file():
        raise Rejected([f"There is no {file.name}; a team needs its predictions and its source."])
    return file.read_bytes()


def _source(file: Path, assignment: Assignment, rules: CompetitionRules) -> Submission:
    _bytes(file)
    return receive(file, _asked(assignment, rules))


def _asked(assignment: Assignment, rules: CompetitionRules) -> Assignment:
    """Ask for a source as for any upload, of whose files it must hold the entry point alone."""
    asked = tuple(
        one.model_copy(update={"required": one.path == rules.source}) for one in assignment.files
    )
    return assignment.model_copy(update={"files": asked})
