"""A lab's public half as the portal shows it: the handout as HTML and the skeleton as a zip."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from markupsafe import Markup

from grader.api import Assignment, handout_files, handout_zip
from portal.platform.markdown import render_markdown

LANGUAGES = {"en": ("README.md", "English"), "zh": ("README.zh.md", "中文")}


@dataclass(frozen=True)
class Handout:
    """A handout in one language."""

    language: str  # a key of LANGUAGES
    body: Markup
    others: tuple[tuple[str, str], ...]  # (language, its own name) of the other languages


def read_handout(public: Path, language: str) -> Handout | None:
    """Return the handout of a lab's public folder, in another language if this one is not there.

    None if the folder holds no handout at all.
    """
    there = [key for key, (name, _) in LANGUAGES.items() if (public / name).is_file()]
    if not there:
        return None
    chosen = language if language in there else there[0]
    file = public / LANGUAGES[chosen][0]
    others = tuple((key, LANGUAGES[key][1]) for key in there if key != chosen)
    return Handout(chosen, _render_file(file, file.stat().st_mtime_ns), others)


def skeleton_zip(assignment: Assignment) -> bytes:
    """Return what a lab hands out as a zip, the same bytes for the same files."""
    return handout_zip(assignment.slug, handout_files(assignment))


@lru_cache(maxsize=64)
def _render_file(file: Path, _modified: int) -> Markup:
    return render_markdown(file.read_text(encoding="utf-8"))
