"""Intake: from what a student hands in to the few files that are graded.

Reads nothing the manifest does not name, writes nothing, runs nothing. An upload that cannot be
graded is `Rejected` with every reason at once; what is merely worth knowing becomes a notice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from grader.errors import Rejected
from grader.intake.archive import open_zip, refuse_foreign
from grader.intake.candidate import Candidate
from grader.intake.contents import faults_in, notice_on_given, notices_on, python_faults
from grader.intake.folder import list_parts, read_regular
from grader.intake.matching import Matching, ignored, match, missing, mistaken, near
from grader.intake.merging import Merged, merge
from grader.intake.names import made_by_tools, plain
from grader.intake.own import MOST_OWN, too_many
from grader.intake.plainform import plain_form
from grader.intake.submission import AcceptedFile, Submission
from grader.intake.together import are_together
from grader.lab.manifest import Assignment
from grader.text import megabytes, shown

_ARCHIVE_ENDINGS = (".zip", ".7z", ".rar", ".tar", ".gz", ".tgz")
_MOST_ZIPS = 5  # of a folder; what lies in others is not looked for


def receive(source: Path, assignment: Assignment) -> Submission:
    """Take in a file or a folder from disk; raises Rejected."""
    if source.is_dir():
        return receive_parts(source.resolve().name, [("", source)], assignment)
    data = read_regular(source.resolve(), _limit(assignment) + 1)
    return receive_bytes(source.name, data, assignment)


def receive_parts(
    name: str, parts: Sequence[tuple[str, Path]], assignment: Assignment
) -> Submission:
    """Take in files and folders from disk that were sent together, each as (name it had, path).

    Zips among the files are opened if the work is not complete without them. Raises Rejected.
    """
    candidates, notices = list_parts(parts)
    return _accept(name, _with_open_zips(candidates, assignment), notices, assignment)


def receive_bytes(filename: str, data: bytes, assignment: Assignment) -> Submission:
    """Take in one uploaded ``.py``, ``.ipynb`` or ``.zip``; raises Rejected."""
    return receive_files([(filename, data)], assignment)


def receive_files(files: Sequence[tuple[str, bytes]], assignment: Assignment) -> Submission:
    """Take in files picked together, as (name, bytes); zips among them are opened.

    Raises Rejected with every reason found.
    """
    limit = _limit(assignment)
    if not files:
        raise Rejected(["The upload is empty: pick the files to hand in."])
    total = sum(len(data) for _, data in files)
    if total > limit:
        raise Rejected([_too_large("The upload", total, limit)])
    name = plain(files[0][0]) + (f" and {len(files) - 1} more" if len(files) > 1 else "")
    if len(files) == 1:
        files = _unpacked(*files[0], limit)
    return _accept(name, _candidates(files, limit), [], assignment)


def _unpacked(name: str, data: bytes, limit: int) -> list[tuple[str, bytes]]:
    """Return the files that one upload was sent as."""
    if not are_together(data) or not _is_zip(name):
        return [(name, data)]
    return [(file.name, file.read()) for file in open_zip(plain(name), data, limit)]


def _candidates(files: Sequence[tuple[str, bytes]], limit: int) -> list[Candidate]:
    """Return what files offer; of zips beside other files each name begins with the zip's."""
    candidates: list[Candidate] = []
    reasons: list[str] = []
    for filename, data in files:
        name = plain(filename)
        try:
            offered = _offered(name, data, limit)
        except Rejected as rejected:
            reasons.extend(rejected.reasons)
            continue
        if len(files) > 1 and _is_zip(name):
            offered = [replace(file, name=f"{name}/{file.name}") for file in offered]
        candidates.extend(offered)
    if reasons:
        raise Rejected(reasons)
    return candidates


def _with_open_zips(candidates: list[Candidate], assignment: Assignment) -> list[Candidate]:
    """Put what zips hold in their place, if files are missing without that."""
    found = match([candidate.name for candidate in candidates], assignment)
    zips = [one for one in candidates if _is_zip(one.name) and not made_by_tools(one.name)]
    if not missing(found.taken, assignment) or len(zips) > _MOST_ZIPS:
        return candidates
    offered = [candidate for candidate in candidates if candidate not in zips]
    reasons: list[str] = []
    for one in zips:
        try:
            within = _within(one, _limit(assignment))
        except Rejected as rejected:
            reasons.extend(rejected.reasons)
            within = [one]
        offered.extend(within)
    if reasons and not found.notebooks:  # the work may be in those
        raise Rejected(reasons)
    return offered


def _within(packed: Candidate, limit: int) -> list[Candidate]:
    if packed.size > limit:
        raise Rejected([_too_large(shown(packed.name), packed.size, limit)])
    offered = _offered(packed.name, packed.read(), limit)
    return [replace(file, name=f"{packed.name}/{file.name}") for file in offered]


def _is_zip(name: str) -> bool:
    return plain(name).lower().endswith(".zip")


def _limit(assignment: Assignment) -> int:
    return int(assignment.limits.upload_mb * 1_000_000)


def _too_large(what: str, size: int, limit: int) -> str:
    return (
        f"{what} has {megabytes(size)}; the limit is {megabytes(limit)}. Leave out data sets, "
        f"checkpoints and outputs."
    )


def _offered(name: str, data: bytes, limit: int) -> list[Candidate]:
    if _is_zip(name):
        if not data:
            raise Rejected([f"{shown(name)} is empty (0 bytes). Make the zip again."])
        refuse_foreign(name, data)
        return open_zip(name, data, limit)
    refuse_foreign(name, data)
    return [Candidate(name, len(data), partial(bytes, data))]


def _accept(
    name: str, candidates: Sequence[Candidate], notices: Iterable[str], assignment: Assignment
) -> Submission:
    """Pick, read, bring together and judge."""
    by_name = {candidate.name: candidate for candidate in candidates}
    found = match([candidate.name for candidate in candidates], assignment)
    _refuse_bulk(found, by_name, _limit(assignment))
    files = {path: by_name[at].read() for path, at in (found.taken | found.own).items()}
    notebooks = [by_name[at] for at in found.notebooks]
    merged = merge(files, notebooks, assignment, _limit(assignment))
    merged = _in_plain_form(_with_sound_modules(merged, assignment), assignment)
    contents = merged.contents
    reasons = [*found.clashes, *_faults(candidates, found, merged, assignment)]
    size, limit = sum(map(len, contents.values())), _limit(assignment)
    if size > limit:  # a notebook's code can be longer than the notebook was
        reasons.append(_too_large("The code of the upload", size, limit))
    if reasons:
        raise Rejected(reasons)
    all_notices = [*notices, *merged.notices]
    for path, at in found.given.items():
        all_notices.extend(notice_on_given(path, by_name[at].read(), assignment))
    for path, content in contents.items():
        all_notices.extend(notices_on(path, content, assignment))
    all_notices.extend(mistaken(contents, found.others, assignment))
    left = [at for path, at in found.own.items() if path not in contents]
    return Submission(
        name=shown(name),
        files=tuple(AcceptedFile(path, contents[path]) for path in sorted(contents)),
        ignored=ignored([*left, *found.others, *merged.unused]),
        notices=tuple(all_notices),
    )


def _with_sound_modules(merged: Merged, assignment: Assignment) -> Merged:
    """Leave out modules of the student's own that cannot be taken; that is no reason to refuse."""
    asked = {file.path for file in assignment.files}
    own = {path: text for path, text in merged.contents.items() if path not in asked}
    if len(own) > MOST_OWN:
        reasons, broken = [too_many(len(own))], {*own}
    else:
        faults = {path: python_faults(path, content) for path, content in own.items()}
        broken = {path for path, found in faults.items() if found}
        reasons = [f"{fault} It was not taken." for found in faults.values() for fault in found]
    kept = {path: text for path, text in merged.contents.items() if path not in broken}
    return replace(merged, contents=kept, notices=(*merged.notices, *reasons))


def _in_plain_form(merged: Merged, assignment: Assignment) -> Merged:
    """Bring the files that were asked for to the form that is graded."""
    contents = dict(merged.contents)
    notices, reasons = [*merged.notices], [*merged.reasons]
    for file in assignment.files:
        if file.path in contents:
            form = plain_form(file, contents[file.path])
            contents[file.path] = form.content
            notices.extend(form.notices)
            reasons.extend(form.reasons)
    return replace(merged, contents=contents, notices=(*notices,), reasons=(*reasons,))


def _refuse_bulk(found: Matching, by_name: Mapping[str, Candidate], limit: int) -> None:
    """Stop before anything is read if what would be read is more than the limit."""
    wanted = [
        *(*found.taken.values(), *found.own.values()),
        *(*found.given.values(), *found.notebooks),
    ]
    total = sum(by_name[name].size for name in wanted)
    if total > limit:
        raise Rejected([_too_large("What would be graded", total, limit)])


def _faults(
    candidates: Sequence[Candidate], found: Matching, merged: Merged, assignment: Assignment
) -> list[str]:
    if not candidates:
        return ["The upload is empty: there is no file in it."]
    reasons = list(merged.reasons)
    asked = {file.path for file in assignment.files}
    for path, content in merged.contents.items():
        if path in asked:
            reasons.extend(faults_in(path, content))
    stale = not merged.contents and merged.reasons
    if not stale:  # then the notebook is the one thing to say, not every file it lacks
        absent = missing(merged.contents, assignment)
        others = [*found.others, *found.own.values()]
        reasons.extend(
            merged.lost.get(path) or _missing(path, others, assignment) for path in absent
        )
    return reasons


def _missing(path: str, others: Sequence[str], assignment: Assignment) -> str:
    close = near(path, others)
    packed = next((name for name in others if name.lower().endswith(_ARCHIVE_ENDINGS)), None)
    if close:
        return f"{path} is missing; rename '{shown(close)}' if that is it."
    if packed:
        return (
            f"{path} is missing; archives within an upload are not opened: "
            f"unpack '{shown(packed)}' and hand in its files."
        )
    return (
        f"{path} is missing. Add it; if you did not work on it, take the copy from the skeleton "
        f"of '{assignment.title}'."
    )
