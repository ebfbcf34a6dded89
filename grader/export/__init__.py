"""Reports in the formats of others: JSON list, CSV, JUnit XML, Gradescope's results.json."""

from grader.export.csv_table import safe_cell, to_csv
from grader.export.files import write_atomically
from grader.export.gradescope import to_gradescope
from grader.export.json_list import from_json, to_json
from grader.export.junit import to_junit

__all__ = [
    "from_json",
    "safe_cell",
    "to_csv",
    "to_gradescope",
    "to_json",
    "to_junit",
    "write_atomically",
]
