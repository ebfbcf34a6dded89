"""A comparison in plain sentences: the whole first, then who moves and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from grader.authoring.rescore.changes import Change, Flip, Standing, moved
from grader.report.explain import points
from grader.text import clean_line

_MOST_TESTS = 3  # of one submission's line; the rest is counted


def summary(found: Sequence[Change]) -> Iterator[str]:
    """Yield the summary: how many move, how far, and through which tests."""
    movers = moved(found)
    gains = [change.points for change in movers if change.points and change.points > 0]
    losses = [-change.points for change in movers if change.points and change.points < 0]
    yield f"{_counted(found)}, {len(movers)} would move."
    if gains:
        yield f"{len(gains)} would gain {points(round(sum(gains), 4))} points in all."
    if losses:
        yield f"{len(losses)} would lose {points(round(sum(losses), 4))} points in all."
    others = len(movers) - len(gains) - len(losses)
    if others:
        yield f"{others} would gain or lose a score as such: see their rows."
    for old, new in sorted(set(_maxima(found))):
        yield f"The maximum would change from {points(old)} to {points(new)}."
    edited = [change for change in found if change.edited]
    if edited:
        yield f"Other files than when the earlier reports were made: {_counted(edited)}."
    yield from _tests(found)


def score_cell(standing: Standing | None) -> str:
    """Return a score for a table, or why there is none."""
    if standing is None:
        return "-"
    return standing.status.value if standing.score is None else points(standing.score)


def points_cell(change: Change) -> str:
    """Return gained or lost points with their sign, empty if one side has none."""
    if change.points is None:
        return ""
    return f"+{points(change.points)}" if change.points > 0 else points(change.points)


def why(change: Change) -> str:
    """Return what is behind a submission's change, the dearest tests first."""
    refused = [
        clean_line(standing.why_not, 120)
        for standing in (change.before, change.after)
        if standing and standing.why_not
    ]
    if refused:
        return "; ".join(refused)
    shown = [_flip(flip) for flip in change.flips if flip.points or not change.moves]
    if not shown:
        return "other points for the same outcomes" if change.moves else ""
    more = len(shown) - _MOST_TESTS
    return "; ".join([*shown[:_MOST_TESTS], *([f"and {more} more"] if more > 0 else [])])


def _counted(found: Sequence[Change]) -> str:
    return "1 submission" if len(found) == 1 else f"{len(found)} submissions"


def _maxima(found: Sequence[Change]) -> Iterator[tuple[float, float]]:
    for change in found:
        if change.before and change.after and change.points is not None:
            old, new = change.before.max_score, change.after.max_score
            if old != new:
                yield old, new


def _flip(flip: Flip) -> str:
    name = clean_line(flip.test.partition("::")[2] or flip.test, 80)
    if flip.before is None:
        return f"{name}: new, {flip.after}"
    if flip.after is None:
        return f"{name}: gone, was {flip.before}"
    if flip.before is flip.after:
        return f"{name}: {points(flip.points_before)} -> {points(flip.points_after)}"
    return f"{name}: {flip.before} -> {flip.after}"


def _tests(found: Sequence[Change]) -> Iterator[str]:
    """Yield a line for each test that came to something else, the most frequent first."""
    better: Counter[str] = Counter()
    worse: Counter[str] = Counter()
    alone: dict[str, str] = {}
    for change in found:
        for flip in change.flips:
            better[flip.test] += flip.points > 0
            worse[flip.test] += flip.points < 0
            if flip.before is None or flip.after is None:
                alone[flip.test] = " (new)" if flip.before is None else " (gone)"
    names = sorted(better, key=lambda name: (-better[name] - worse[name], name))
    if names:
        yield f"Tests that came to something else: {len(names)}"
    for name in names:
        yield (
            f"  {clean_line(name, 120)}{alone.get(name, '')}: "
            f"{better[name]} better, {worse[name]} worse"
        )
