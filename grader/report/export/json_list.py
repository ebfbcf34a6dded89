"""The JSON list that scripts read: one object a submission, the whole report in it.

Each object is the report with two more keys: ``name`` (the submission's) and ``tier`` (the
sandbox's, null if nothing ran). Keys are only ever added within one schema version.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError

from grader.errors import ProctorError
from grader.report.report import Report

_ADDED = ("name", "tier")


def to_json(reports: Iterable[Report]) -> str:
    """Write reports as a JSON list, in the order given."""
    rows = [_row(report) for report in reports]
    return json.dumps(rows, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def from_json(text: str) -> list[Report]:
    """Read the reports of `to_json` back; ProctorError if the text is something else."""
    try:
        rows = json.loads(text)
        if not isinstance(rows, list):
            raise ProctorError("The file holds no list of reports; write one with run --json.")
        return [Report.model_validate_json(json.dumps(_without_added(row))) for row in rows]
    except (ValueError, RecursionError, ValidationError) as error:
        first = str(error).splitlines()[0]
        raise ProctorError(
            f"The file is no list of reports ({first}); write one with run --json."
        ) from None


def _row(report: Report) -> dict[str, Any]:
    tier = report.environment.tier if report.environment else None
    return {"name": report.submission, "tier": tier, **report.model_dump(mode="json")}


def _without_added(row: Any) -> Any:
    if not isinstance(row, dict):
        return row
    return {key: value for key, value in row.items() if key not in _ADDED}
