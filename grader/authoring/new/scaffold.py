"""Make a lab or a competition from the templates beside this file, all of it or nothing.

Templates are the files of a small but real one, with ``$slug`` and the titles left open. Their
skeleton and notebook are made by the release, as they are for every lab.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import tempfile
from enum import StrEnum
from keyword import iskeyword
from pathlib import Path
from string import Template

from pydantic import TypeAdapter, ValidationError

from grader.authoring.release import plan_release
from grader.errors import AuthoringError
from grader.lab.catalogue import ASSIGNMENTS
from grader.lab.given import DATASETS, REFERENCE
from grader.lab.naming import Slug

TEMPLATES = Path(__file__).parent / "templates"
_SUFFIX = ".template"
_SLUG = "SLUG"  # stands for the slug in a template's file name
_HALVES = (REFERENCE, ASSIGNMENTS)  # the public half last: with it the lab is in the catalogue


class Kind(StrEnum):
    """What can be begun; each has its folder of templates."""

    LAB = "lab"
    COMPETITION = "competition"


def new_lab(
    home: Path, slug: str, *, title: str = "", title_zh: str = "", kind: Kind = Kind.LAB
) -> list[str]:
    """Make both folders of a lab and return the paths of its files, below `home`.

    `title` defaults to one made from the slug, `title_zh` to `title`. Raises AuthoringError,
    and leaves nothing behind, if the slug will not do or the lab exists.
    """
    title = title or f"{slug[:1].upper()}{slug[1:]}".replace("_", " ")
    titles = {"title": title, "title_zh": title_zh or title}
    if problems := [*_problems_of_slug(home, slug), *_problems_of_titles(titles)]:
        raise AuthoringError(problems)
    try:
        with tempfile.TemporaryDirectory(prefix=".new-lab-", dir=home) as name:
            return _make(Path(name), home, slug, titles, kind)
    except OSError as error:
        where = error.filename2 or error.filename
        raise AuthoringError([f"{where} cannot be written: {error.strerror}"]) from None


def _make(draft: Path, home: Path, slug: str, titles: dict[str, str], kind: Kind) -> list[str]:
    """Make the lab in a folder of its own, then move it to its place."""
    for path, text in template_files(slug, titles, kind).items():
        (draft / path).parent.mkdir(parents=True, exist_ok=True)
        (draft / path).write_text(text, encoding="utf-8")
    plan_release(draft, slug).write()
    made = sorted(file.relative_to(draft).as_posix() for file in draft.rglob("*.*"))
    _move(draft, home, slug)
    return made


def template_files(slug: str, titles: dict[str, str], kind: Kind = Kind.LAB) -> dict[str, str]:
    """Return the texts a new lab begins with, by path below the home."""
    values = {
        "slug": slug,
        **titles,
        **{f"quoted_{key}": json.dumps(text, ensure_ascii=False) for key, text in titles.items()},
    }
    return {
        _path(file, slug, kind): Template(file.read_text(encoding="utf-8")).substitute(values)
        for file in sorted((TEMPLATES / kind).rglob(f"*{_SUFFIX}"))
    }


def _path(file: Path, slug: str, kind: Kind) -> str:
    half, *inner = file.relative_to(TEMPLATES / kind).parts
    return "/".join([half, slug, *inner]).removesuffix(_SUFFIX).replace(_SLUG, slug)


def _problems_of_slug(home: Path, slug: str) -> list[str]:
    try:
        TypeAdapter(Slug).validate_python(slug)
    except ValidationError as error:
        rule = error.errors()[0]["msg"].removeprefix("Value error, ")
        return [f"{slug!r} will not do as a lab's name: {rule}"]
    if iskeyword(slug):
        return [f"{slug!r} will not do as a lab's name: it is a word of the Python language"]
    if slug == DATASETS:
        return [f"{slug!r} will not do as a lab's name: {REFERENCE}/{slug} is for loaders of data"]
    there = [f"{half}/{slug}" for half in _HALVES if (home / half / slug).exists()]
    if there:
        return [f"there is {' and '.join(there)} already; choose another name"]
    if slug in sys.stdlib_module_names or importlib.util.find_spec(slug):
        return [f"Python has a module {slug!r} already, which students' imports would meet instead"]
    return []


def _problems_of_titles(titles: dict[str, str]) -> list[str]:
    return [
        f"the title {title!r} will not do: write one line of plain text"
        for title in dict.fromkeys(titles.values())
        if not title.isprintable() or not title.strip()
    ]


def _move(draft: Path, home: Path, slug: str) -> None:
    """Put both halves in their places; if the second cannot be, take the first back."""
    moved: list[Path] = []
    try:
        for half in _HALVES:
            (home / half).mkdir(exist_ok=True)
            (draft / half / slug).rename(home / half / slug)
            moved.append(home / half / slug)
    except OSError:
        for folder in moved:
            folder.rename(draft / f"taken-back-{folder.parent.name}")
        raise
