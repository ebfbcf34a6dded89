"""The report's JSON schema: ``python -m grader.report.export.schema > docs/report.schema.json``."""

from __future__ import annotations

import json
import sys

from grader.report.report import Report


def report_schema() -> str:
    """Return the JSON schema of a report as it is written."""
    schema = Report.model_json_schema(mode="serialization")
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(report_schema())
