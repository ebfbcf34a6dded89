"""How values look on a page: instants, points, sizes. Registered as template filters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from flask import Flask

from grader.api import Report, findings_to_look_at, where
from portal.platform.language import ENGLISH, PageLanguage, gettext, ngettext, page_language

_CENT, _MILLIONTH = Decimal("0.01"), Decimal("0.000001")


@dataclass(frozen=True)
class Moment:
    """An instant in a sentence that is said later: written in the language of whoever reads it."""

    instant: datetime
    zone: str

    def __str__(self) -> str:
        return moment(self.instant, self.zone)

    @property
    def source(self) -> str:
        """The instant as the sentence is stored."""
        return _written(self.instant, self.zone, ENGLISH)


def moment(instant: datetime, zone: str) -> str:
    """Write an instant in a zone with its offset: ``Fri 27 Nov 2026, 23:59 (UTC+08:00)``."""
    return _written(instant, zone, page_language())


def offset_minutes(instant: datetime, zone: str) -> int:
    """Return how far a zone's clock is ahead of UTC at an instant."""
    ahead = instant.astimezone(ZoneInfo(zone)).utcoffset() or timedelta(0)
    return round(ahead.total_seconds() / 60)


def _written(instant: datetime, zone: str, language: PageLanguage) -> str:
    local = instant.astimezone(ZoneInfo(zone))
    written = format_datetime(local.replace(tzinfo=None), language.moment, locale=language.code)
    return f"{written} ({utc_offset(local)})"


def utc_offset(local: datetime) -> str:
    """Write the offset of an aware datetime: ``UTC+08:00``, ``UTC`` for none."""
    offset = local.utcoffset() or timedelta(0)
    minutes = round(offset.total_seconds() / 60)
    if minutes == 0:
        return "UTC"
    sign = "+" if minutes > 0 else "-"
    return f"UTC{sign}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def points(value: Decimal | float | None) -> str:
    """Write points with at most two decimals and no trailing zeros; a dash for none.

    Rounded half up, as official points are: the same number reads the same everywhere.
    """
    return exact(None if value is None else Decimal(str(value)).quantize(_CENT, ROUND_HALF_UP))


def exact(value: Decimal | float | None) -> str:
    """Write points as they are kept, so that what is added up adds up; a dash for none."""
    if value is None:
        return "–"
    text = f"{Decimal(str(value)).quantize(_MILLIONTH, ROUND_HALF_UP):f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text if text not in {"-0", ""} else "0"


def signed(value: Decimal) -> str:
    """Write points that are added or taken off: ``+2``, ``−0.5``."""
    return f"{'−' if value < 0 else '+'}{points(abs(value))}"


def file_size(size: int) -> str:
    """Write a number of bytes: ``12 bytes``, ``3.4 KB``, ``1.2 MB``."""
    if size < 1000:
        return gettext("%(size)s bytes", size=size)
    if size < 999_950:
        return f"{size / 1000:.1f} KB"
    return f"{size / 1_000_000:.1f} MB"


def time_left(until: datetime, now: datetime) -> str:
    """Write how far away an instant is in its two largest units: ``2 days 3 hours``."""
    minutes = int(abs(until - now).total_seconds() // 60)
    days, rest = divmod(minutes, 1440)
    hours, minutes = divmod(rest, 60)
    parts = [
        (days, ngettext("%(num)s day", "%(num)s days", days)),
        (hours, ngettext("%(num)s hour", "%(num)s hours", hours)),
        (minutes, ngettext("%(num)s minute", "%(num)s minutes", minutes)),
    ]
    while len(parts) > 1 and parts[0][0] == 0:
        parts = parts[1:]
    words = [said for count, said in parts[:2] if count]
    return " ".join(words) or gettext("less than a minute")


def setting(value: object) -> str:
    """Write a setting of a variant: yes or no, numbers to six digits, lists with commas."""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        return ", ".join(setting(entry) for entry in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def findings(report: Report) -> str:
    """Say how many findings there are: in English by the engine's own words."""
    if page_language() is ENGLISH:
        return findings_to_look_at(report)
    return gettext("%(count)s findings to look at", count=len(report.findings))


def sentence(text: str) -> str:
    """Let a message that stands by itself begin with a capital; its other letters stay."""
    return text[:1].upper() + text[1:]


def init_app(app: Flask) -> None:
    """Register the filters."""
    shown = (
        moment, offset_minutes, points, exact, signed, file_size, time_left, setting, findings,
        where, sentence,
    )  # fmt: skip
    for function in shown:
        app.add_template_filter(function)
