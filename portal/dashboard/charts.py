"""Vega-Lite specifications of the dashboard's charts, as plain dictionaries."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from portal.dashboard.service import Dashboard
from portal.platform.charts import Spec, chart_of
from portal.platform.language import CHINESE, gettext, page_language


def charts(board: Dashboard) -> dict[str, Spec]:
    """Return the charts of a dashboard by name."""
    return {
        "distribution": distribution(board),
        "progress": progress(board),
        "tries": tries(board),
    }


def distribution(board: Dashboard) -> Spec:
    """Return a histogram of scores."""
    return chart_of(
        [asdict(one) for one in board.distribution],
        mark={"type": "bar"},
        encoding={
            "x": {
                "field": "low",
                "type": "quantitative",
                "bin": {"binned": True},
                "title": gettext("Points"),
            },
            "x2": {"field": "high"},
            "y": _count("students", gettext("Students")),
        },
    )


def progress(board: Dashboard) -> Spec:
    """Return the number of students who have submitted by each day, and the due date.

    Times are written as the clock of the course's zone shows them and drawn as they are written:
    wherever the reader's browser is, a day is the course's.
    """
    zone = ZoneInfo(board.offering.term.timezone)
    due = board.offering.due_at.astimezone(zone).replace(tzinfo=UTC)
    days = [
        {
            "day": datetime.combine(one.day, time(0), UTC).isoformat(),
            "students": one.students,
            "uploads": one.uploads,
        }
        for one in board.days
    ]
    axis: Spec = {"labelOverlap": True}
    if page_language() is CHINESE:
        axis["format"] = "%-m月%-d日"  # the charts' own words for days are English
    day = {
        "field": "day",
        "type": "temporal",
        "scale": {"type": "utc"},
        "title": gettext("Day (%(zone)s)", zone=zone.key),
        "axis": axis,
    }
    line = {
        "mark": {"type": "line", "interpolate": "step-after", "point": True},
        "encoding": {"x": day, "y": _count("students", gettext("Students who have submitted"))},
    }
    rule = {
        "data": {"values": [{"day": due.isoformat()}]},
        "mark": {"type": "rule", "strokeDash": [4, 4]},
        "encoding": {"x": {"field": "day", "type": "temporal", "scale": {"type": "utc"}}},
    }
    return chart_of(days, layer=[line, rule])


def tries(board: Dashboard) -> Spec:
    """Return how many students passed every test with their first, second, ... attempt."""
    return chart_of(
        [{"attempt": attempt, "students": count} for attempt, count in board.tries],
        mark={"type": "bar"},
        encoding={
            "x": {
                "field": "attempt",
                "type": "ordinal",
                "title": gettext("Attempt"),
                "axis": {"labelAngle": 0},
            },
            "y": _count("students", gettext("Students")),
        },
    )


def _count(field: str, title: str) -> Spec:
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        "axis": {"tickMinStep": 1, "format": "d"},
        "scale": {"domainMin": 0},
    }
