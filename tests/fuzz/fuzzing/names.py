"""The promises of what is said from names alone, before a file is sent."""

from __future__ import annotations

import json

from fuzzing.limits import cpu_at_most, expect, only
from fuzzing.uploads import OWN, judge_accepted, judge_sentences

from grader.errors import Rejected
from grader.intake import preview_upload
from grader.intake.receiving import receive_files
from grader.lab.manifest import Assignment

_MOST = 200


def check(data: bytes, lab: Assignment) -> str:
    """Judge the preview of names, given as a JSON list or one a line, and their hand-in.

    Raises Finding.
    """
    found = _names(data)
    with cpu_at_most(5.0), only():
        seen = preview_upload(found, lab)
    taken = [name for name, _ in seen.taken]
    for texts in (seen.opened, seen.ignored, seen.problems, seen.notices, taken):
        expect(len(texts) <= 102, "a list of names has an end")
        for start in range(0, len(texts), 50):
            judge_sentences(text.strip() or "?" for text in texts[start : start + 50])
    asked = {file.path for file in lab.files}
    expect(
        all(path in asked or OWN.fullmatch(path) for _, path in seen.taken),
        "paths are the manifest's or the package's",
    )
    expect(set(seen.missing) <= asked, "what is missing is the manifest's")
    try:
        with cpu_at_most(10.0), only(Rejected):
            taken = receive_files([(name, b"x = 1\n") for name in found], lab)
    except Rejected as rejected:
        judge_sentences(rejected.reasons[:50], at_least=1)
        return "rejected"
    judge_accepted(taken, lab)
    return "accepted"


def _names(data: bytes) -> list[str]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = data.decode("utf-8", "surrogateescape").split("\n")
    names = found if isinstance(found, list) else [found]
    return [name for name in names if isinstance(name, str)][:_MOST]
