"""How values look on a page: instants, points, sizes. Registered as template filters."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from flask import Flask

from grader.api import findings_to_look_at, where


def moment(instant: datetime, zone: str) -> str:
    """Write an instant in a zone with its offset: ``Fri 27 Nov 2026, 23:59 (UTC+08:00)``."""
    local = instant.astimezone(ZoneInfo(zone))
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M} ({utc_offset(local)})"


def utc_offset(local: datetime) -> str:
    """Write the offset of an aware datetime: ``UTC+08:00``, ``UTC`` for none."""
    offset = local.utcoffset() or timedelta(0)
    minutes = round(offset.total_seconds() / 60)
    if minutes == 0:
        return "UTC"
    sign = "+" if minutes > 0 else "-"
    return f"UTC{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def points(value: Decimal | float | None) -> str:
    """Write points with at most two decimals and no trailing zeros; a dash for none."""
    if value is None:
        return "–"
    text = f"{Decimal(str(value)):.2f}".rstrip("0").rstrip(".")
    return text if text not in {"-0", ""} else "0"


def file_size(size: int) -> str:
    """Write a number of bytes: ``12 bytes``, ``3.4 KB``, ``1.2 MB``."""
    if size < 1000:
        return f"{size} bytes"
    if size < 999_950:
        return f"{size / 1000:.1f} KB"
    return f"{size / 1_000_000:.1f} MB"


def time_left(until: datetime, now: datetime) -> str:
    """Write how far away an instant is in its two largest units: ``2 days 3 hours``."""
    minutes = int(abs(until - now).total_seconds() // 60)
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    parts = [(days, "day"), (hours, "hour"), (minutes, "minute")]
    while len(parts) > 1 and parts[0][0] == 0:
        parts = parts[1:]
    words = [f"{count} {unit}{'' if count == 1 else 's'}" for count, unit in parts[:2] if count]
    return " ".join(words) or "less than a minute"


def setting(value: object) -> str:
    """Write a setting of a variant: yes or no, numbers to six digits, lists with commas."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(setting(entry) for entry in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def init_app(app: Flask) -> None:
    """Register the filters."""
    shown = (moment, points, file_size, time_left, setting, findings_to_look_at, where)
    for function in shown:
        app.add_template_filter(function)
