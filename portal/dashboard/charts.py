"""Vega-Lite specifications of the dashboard's charts, as plain dictionaries."""

from __future__ import annotations

from dataclasses import asdict

from portal.dashboard.service import Dashboard
from portal.platform.charts import Spec, chart_of
from portal.platform.language import CHINESE, gettext, page_language

SHOWN_TESTS = 25


def charts(board: Dashboard) -> dict[str, Spec]:
    """Return the charts of a dashboard by name."""
    return {
        "distribution": distribution(board),
        "tests": tests(board),
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


def tests(board: Dashboard) -> Spec:
    """Return a bar a test, the hardest on top; at most `SHOWN_TESTS` of them."""
    rows = [
        {"title": one.title, "test": one.test, "rate": one.rate}
        for one in board.tests[:SHOWN_TESTS]
    ]
    return chart_of(
        rows,
        mark={"type": "bar"},
        height={"step": 20},
        encoding={
            "y": {
                "field": "title",
                "type": "nominal",
                "sort": None,
                "title": None,
                "axis": {"labelLimit": 220},
            },
            "x": {
                "field": "rate",
                "type": "quantitative",
                "title": gettext("Share of students who pass"),
                "scale": {"domain": [0, 1]},
                "axis": {"format": "%"},
            },
        },
    )


def progress(board: Dashboard) -> Spec:
    """Return the number of students who have submitted by each day, and the due date."""
    days = [
        {"day": one.day.isoformat(), "students": one.students, "uploads": one.uploads}
        for one in board.days
    ]
    axis: Spec = {"labelOverlap": True}
    if page_language() is CHINESE:
        axis["format"] = "%-m月%-d日"  # the charts' own words for days are English
    day = {"field": "day", "type": "temporal", "title": gettext("Day"), "axis": axis}
    line = {
        "mark": {"type": "line", "interpolate": "step-after", "point": True},
        "encoding": {"x": day, "y": _count("students", gettext("Students who have submitted"))},
    }
    due = {
        "data": {"values": [{"day": board.offering.due_at.isoformat()}]},
        "mark": {"type": "rule", "strokeDash": [4, 4]},
        "encoding": {"x": {"field": "day", "type": "temporal"}},
    }
    return chart_of(days, layer=[line, due])


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
