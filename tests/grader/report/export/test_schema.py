"""The published schema is that of the reports we write."""

import json
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from grader.report import Report
from grader.report.export.schema import report_schema

SCHEMA = Path(__file__).parents[4] / "docs" / "report.schema.json"


def test_the_committed_schema_is_up_to_date():
    current = SCHEMA.read_text(encoding="utf-8") == report_schema()
    assert current, "run: python -m grader.report.export.schema > docs/report.schema.json"


def test_a_report_fits_its_schema(make_report: Callable[..., Report]):

    data = json.loads(make_report().model_dump_json())
    jsonschema.validate(data, json.loads(report_schema()))
    del data["status"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, json.loads(report_schema()))
