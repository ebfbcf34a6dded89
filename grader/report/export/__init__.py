"""Reports in the formats of others: JSON list, CSV, JUnit XML, Gradescope's results.json."""

from grader.report.export.csv_table import for_spreadsheets, safe_cell, to_csv
from grader.report.export.files import write_atomically
from grader.report.export.gradescope import to_gradescope
from grader.report.export.json_list import from_json, to_json
from grader.report.export.junit import to_junit

__all__ = [
    "for_spreadsheets",
    "from_json",
    "safe_cell",
    "to_csv",
    "to_gradescope",
    "to_json",
    "to_junit",
    "write_atomically",
]
