"""What would become of an upload, said before it is sent: by the rules of intake itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grader.intake.matching import ignored, match, missing, mistaken
from grader.intake.names import plain
from grader.intake.own import MOST_OWN, too_many
from grader.intake.plainform import plain_form
from grader.lab.manifest import Assignment
from grader.text import shown, shown_list


@dataclass(frozen=True)
class Preview:
    """What would become of an upload; every name is safe to show."""

    taken: tuple[tuple[str, str], ...]  # (name in the upload, manifest path)
    opened: tuple[str, ...]  # notebooks and zips: what they hold shows only after the upload
    ignored: tuple[str, ...]
    missing: tuple[str, ...]  # required manifest paths; empty while something is to be opened
    problems: tuple[str, ...]  # sentences: why the upload would be refused
    notices: tuple[str, ...]  # sentences: what is perhaps not as it was meant


def preview_upload(
    names: Sequence[str], assignment: Assignment, contents: Mapping[str, bytes] | None = None
) -> Preview:
    """Say what would become of files with these names, before they are sent.

    Of texts and tables whose `contents` are known by name it is also said whether they can be read.
    """
    names = [plain(name) for name in names]
    known = {plain(name): content for name, content in (contents or {}).items()}
    found = match(names, assignment)
    zips = tuple(name for name in found.others if name.lower().endswith(".zip"))
    opened = (*found.notebooks, *zips)
    own = found.own if len(found.own) <= MOST_OWN else {}
    left = [name for path, name in found.own.items() if path not in own]
    forms = [
        plain_form(file, known[found.taken[file.path]])
        for file in assignment.files
        if found.taken.get(file.path) in known
    ]
    return Preview(
        taken=tuple((shown(name), path) for path, name in (found.taken | own).items()),
        opened=shown_list(opened),
        ignored=ignored([*left, *(name for name in found.others if name not in zips)]),
        missing=() if opened else tuple(missing(found.taken, assignment)),
        problems=(*found.clashes, *(reason for form in forms for reason in form.reasons)),
        notices=(
            *(notice for form in forms for notice in form.notices),
            *(() if zips else mistaken(found.taken, found.others, assignment)),
            *([too_many(len(left))] if left else ()),
        ),
    )
