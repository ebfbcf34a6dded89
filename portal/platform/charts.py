"""What every chart begins with: a Vega-Lite specification of some rows, as wide as its place.

Every chart stands beside a table of the same data, which is what a screen reader reads.
"""

from __future__ import annotations

from typing import Any

Spec = dict[str, Any]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"


def chart_of(rows: list[dict[str, Any]], **parts: Any) -> Spec:
    """Return the specification of a chart of these rows; `parts` say what is drawn."""
    return {
        "$schema": SCHEMA,
        "data": {"values": rows},
        "width": "container",
        "autosize": {"type": "fit-x", "contains": "padding"},
        **parts,
    }
