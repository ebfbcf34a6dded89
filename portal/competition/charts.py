"""The chart of a team's own entries, on the numbers that the board has shown."""

from __future__ import annotations

from collections.abc import Sequence

from portal.competition.board import BoardStep
from portal.competition.opening import Competition
from portal.platform.charts import Spec, chart_of
from portal.platform.language import gettext


def history_chart(competition: Competition, history: Sequence[BoardStep]) -> Spec:
    """Return a team's number on the board by its entries, and the baseline."""
    rows = [
        {"entry": number, "shown": step.shown}
        for number, step in enumerate(history, 1)
        if step.shown is not None
    ]
    number = {
        "field": "shown",
        "type": "quantitative",
        "title": gettext("Number on the board"),
        "scale": {"zero": False},
    }
    entry = {
        "field": "entry",
        "type": "quantitative",
        "title": gettext("Entry"),
        "axis": {"tickMinStep": 1, "format": "d"},
        "scale": {"domainMin": 1, "nice": False},
    }
    line = {
        "mark": {"type": "line", "interpolate": "step-after", "point": True},
        "encoding": {"x": entry, "y": number},
    }
    baseline = {
        "data": {"values": [{"shown": competition.rules.baseline}]},
        "mark": {"type": "rule", "strokeDash": [4, 4]},
        "encoding": {"y": {"field": "shown", "type": "quantitative"}},
    }
    return chart_of(rows, layer=[line, baseline])
