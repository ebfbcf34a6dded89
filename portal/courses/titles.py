"""What an offering is called: its own title, and to whoever reads Chinese the lab's in Chinese.

A title is free text of the instructor's. Those that the portal gives are made of words of ours
and of the manifest's title, so they can be said in another language; any other stays as it is.
"""

from __future__ import annotations

import re
from typing import cast

from flask import g

from grader.api import Assignment, ManifestError, UnknownAssignment
from portal.courses.models import Offering
from portal.platform.language import ENGLISH, gettext, page_language, titled
from portal.platform.web import portal

_NUMBERED = re.compile(r"Lab (?P<number>\d+)(?:: (?P<title>.+))?")


def lab_title(offering: Offering) -> str:
    """Return the title of an offering, or of a lab's manifest, in the reader's language."""
    own = _in_manifest(offering)
    if offering.title in own:
        return own[offering.title]
    numbered = _NUMBERED.fullmatch(offering.title)
    if numbered is None:
        return {
            "Competition": gettext("Competition"),
            "Course feedback": gettext("Course feedback"),
            "New lab": gettext("New lab"),
        }.get(offering.title, offering.title)
    number, title = numbered["number"], numbered["title"]
    if title is None:
        return gettext("Lab %(number)s", number=number)
    return gettext("Lab %(number)s: %(title)s", number=number, title=own.get(title, title))


def manifest_titles(offering: Offering) -> dict[str, str]:
    """Return what an assignment's parts and items are called, by their ids.

    Reports have titles too, in English and as they were when it was graded: they stand for what the
    manifest does not know.
    """
    assignment = _assignment(offering)
    if assignment is None or page_language() is ENGLISH:
        return {}
    parts = {part.id: titled(part) for part in assignment.parts}
    return parts | {item.id: titled(item) for item in assignment.items}


def _in_manifest(offering: Offering) -> dict[str, str]:
    """Return the manifest's title and what it is in the reader's language."""
    assignment = None if page_language() is ENGLISH else _assignment(offering)
    return {assignment.title: titled(assignment)} if assignment else {}


def _assignment(offering: Offering) -> Assignment | None:
    """Return what an offering offers; a page with many lines reads each manifest once."""
    known = cast(dict[str, Assignment | None], g.setdefault("assignments_by_slug", {}))
    slug = offering.assignment_slug or ""
    if slug not in known:
        try:
            known[slug] = portal().catalogue.get(slug).assignment
        except (UnknownAssignment, ManifestError):
            known[slug] = None
    return known[slug]
