"""A term as a TOML file: to look at, to keep, to carry to the next term."""

from __future__ import annotations

import base64
import tomllib
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

import tomlkit
from pydantic import ValidationError
from tomlkit.items import Table
from werkzeug.datastructures import FileStorage

from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.settings.values import (
    TERM_LABELS,
    CriterionSettings,
    OfferingSettings,
    TermSettings,
    sentence,
)

MAX_BYTES = 200_000
_HEAD = (
    "A term of Proctor. Times are by the clock of its zone; a due time names the last minute.",
    "Import it on the term's page of settings, or by: portal import-course FILE --dry-run",
)


def write_course(settings: TermSettings) -> str:
    """Return a term as a course file, which `read_course` reads back as the same settings."""
    document = tomlkit.document()
    for line in _HEAD:
        document.add(tomlkit.comment(line))
    for name in ("slug", *TERM_LABELS):
        document.add(name, tomlkit.item(getattr(settings, name)))
    offerings = tomlkit.aot()
    for one in settings.offering:
        table = _table(one.model_copy(update={"criterion": None}))
        if one.criterion:
            criteria = tomlkit.aot()
            for criterion in one.criterion:
                criteria.append(_table(criterion))
            table.add("criterion", criteria)
        offerings.append(table)
    document.add("offering", offerings)
    return tomlkit.dumps(document)


def read_course(data: bytes) -> TermSettings:
    """Read a course file. Raises Invalid with every problem and the offering it stands in."""
    if len(data) > MAX_BYTES:
        raise Invalid(
            gettext(
                "the file has %(size)s bytes; a course file has %(most)s at most",
                size=len(data),
                most=MAX_BYTES,
            )
        )
    try:
        values = tomllib.loads(data.decode("utf-8-sig"), parse_float=Decimal)
    except UnicodeDecodeError:
        raise Invalid(gettext("the file is not UTF-8 text; save it as UTF-8")) from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is a ValueError
        raise Invalid(gettext("the file is not TOML: %(error)s", error=error)) from None
    try:
        return TermSettings.model_validate(values)
    except ValidationError as error:
        raise Invalid("; ".join(_where(values, one) for one in error.errors())) from None


def sent_file(sent: FileStorage | None) -> bytes:
    """Return the bytes of a course file that a form brought; nothing if it brought none."""
    return sent.read() if sent else b""


def sent_back(course: str) -> bytes:
    """Return the file that a preview's form carries, nothing if it was changed on the way."""
    try:
        return base64.b64decode(course, validate=True)
    except ValueError:
        return b""


def example() -> str:
    """Return a short course file to begin with."""
    lab = OfferingSettings(
        title="Lab 1",
        points=Decimal(14),
        opens=datetime(2027, 3, 1, 0, 0),
        due=datetime(2027, 3, 14, 23, 59),
        closes=datetime(2027, 3, 17, 23, 59),
        late_percent=Decimal(10),
        attempts_per_day=20,
    )
    term = TermSettings(
        slug="2027-spring",
        title="Deep Learning, spring 2027",
        timezone="Asia/Shanghai",
        offering=(lab,),
    )
    return write_course(term)


def next_term(settings: TermSettings, *, slug: str, title: str, first_day: date) -> TermSettings:
    """Return a term's settings for another one that begins on `first_day`, nothing published.

    Every date moves by the same number of days, so that weekdays stay if `first_day` is one of the
    same weekday as the day on which the first offering opened.
    """
    if not settings.offering:
        raise Invalid(f"{settings.title} offers nothing that could be copied")
    begins = min(one.opens for one in settings.offering).date()
    by = first_day - begins
    moved = tuple(_moved(one, by) for one in settings.offering)
    try:
        new = {"slug": slug, "title": title, "offering": moved}
        return TermSettings.model_validate({**dict(settings), **new})
    except ValidationError as error:
        raise Invalid("; ".join(sentence(one) for one in error.errors())) from None


def _moved(one: OfferingSettings, by: timedelta) -> OfferingSettings:
    try:
        times = {name: getattr(one, name) + by for name in ("opens", "due")}
        for name in ("closes", "teams_lock"):
            moment = getattr(one, name)
            times[name] = moment + by if moment else None
        changed = {**times, "published": False, "marks_published": False}
        return OfferingSettings.model_validate(one.model_dump() | changed)
    except (OverflowError, ValidationError):
        raise Invalid("the first day is too far away; write one like 2027-03-01") from None


def _table(settings: OfferingSettings | CriterionSettings) -> Table:
    table = tomlkit.table()
    for name, value in settings:
        if value is not None and value != ():  # TOML has no word for nothing
            table.add(name, tomlkit.item(_plain(value)))
    return table


def _plain(value: Any) -> Any:
    """Return a value as TOML has it."""
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral() else float(value)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, datetime):
        return value.replace(microsecond=0)
    return value


def _where(values: dict[str, Any], problem: Any) -> str:
    """Say what is wrong, and in which offering: by its number, and its title if it has one."""
    loc = problem["loc"]
    if len(loc) < 2 or loc[0] != "offering":
        return sentence(problem)
    entry = values["offering"][loc[1]]
    title = f" ({entry['title']})" if isinstance(entry, dict) and "title" in entry else ""
    return gettext(
        "offering %(number)s%(title)s: %(problem)s",
        number=loc[1] + 1,
        title=title,
        problem=sentence(problem),
    )
