"""From results to figures: medians over rounds, and who judged what wrongly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from overhead.plan import Kind, Result
from overhead.students import Student, original


@dataclass(frozen=True)
class Figures:
    """What is said of one system. Seconds and MiB; the submissions' own seconds are taken off."""

    system: str
    rounds: int
    cpu_each: float  # batch of right ones, start-up and all, for each submission
    cpu_steady: float  # what one more submission costs
    wall_each: float  # from a free place to the result, median of all
    wall_steady: float  # what one more submission adds to the batch
    first_wall: float  # one submission from a cold start to the result
    first_cpu: float  # the same to the end of the command
    batch_wall: float
    batch_cpu: float
    hostile_wall: float | None
    peak_mb: float
    cpu_spread: tuple[float, float]  # least and most of `cpu_each` over the rounds
    steady_spread: tuple[float, float]  # and of `cpu_steady`
    verdicts: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Mistakes:
    """Where a system's verdicts went wrong, by name of the submission."""

    fooled: tuple[str, ...]  # wrong ones that passed
    robbed: tuple[str, ...]  # right ones that did not
    silent: tuple[str, ...]  # wrong ones without any score: not counted as mistakes
    right: int
    cheats_caught: int


def own_seconds(results: Iterable[Result]) -> dict[str, float]:
    """Return each right submission's own CPU seconds, the median over rounds."""
    found: dict[str, list[float]] = {}
    for result in results:
        for name, seconds in (result.own or {}).items():
            if seconds is not None:
                found.setdefault(name, []).append(seconds)
    return {name: median(values) for name, values in found.items()}


def figures(
    system: str, results: Sequence[Result], own: dict[str, float], *, warm: bool = False
) -> Figures | None:
    """Return a system's figures, None while a measurement of it is missing.

    What one more submission costs is a batch less a shorter one, divided by how many more there
    are: of a `warm` system, whose start-up is large beside that, the long batch less the usual one.
    """
    mine = [result for result in results if result.system == system]
    clean = {r.round: r for r in mine if r.kind is Kind.CLEAN}
    one = {r.round: r for r in mine if r.kind is Kind.ONE}
    more, less = (
        ({r.round: r for r in mine if r.kind is Kind.LONG}, clean) if warm else (clean, one)
    )
    rounds = sorted(clean.keys() & one.keys() & more.keys())
    if not rounds:
        return None
    hostile = [r.usage["wall"] for r in mine if r.kind is Kind.HOSTILE]
    each = [_beyond(clean[n], own) / len(clean[n].students) for n in rounds]
    steady = [_more(more[n], less[n], own) for n in rounds]
    return Figures(
        system=system,
        rounds=len(rounds),
        cpu_each=median(each),
        cpu_steady=median(steady),
        wall_each=median(s for n in rounds for s in clean[n].each) - median(own.values()),
        wall_steady=median(_more_wall(more[n], less[n]) for n in rounds),
        first_wall=median(one[n].first or one[n].usage["wall"] for n in rounds),
        first_cpu=median(_beyond(one[n], own) for n in rounds),
        batch_wall=median(clean[n].usage["wall"] for n in rounds),
        batch_cpu=median(clean[n].usage["cpu"] for n in rounds),
        hostile_wall=median(hostile) if hostile else None,
        peak_mb=max(clean[n].usage["peak_mb"] for n in rounds),
        cpu_spread=(min(each), max(each)),
        steady_spread=(min(steady), max(steady)),
        verdicts=_verdicts(mine),
    )


def _beyond(result: Result, own: dict[str, float]) -> float:
    """Return the CPU seconds a task used beyond the submissions' own."""
    return float(result.usage["cpu"]) - sum(
        own.get(original(name), 0.0) for name in result.students
    )


def _more(more: Result, less: Result, own: dict[str, float]) -> float:
    further = len(more.students) - len(less.students)
    return (_beyond(more, own) - _beyond(less, own)) / further


def _more_wall(more: Result, less: Result) -> float:
    further = len(more.students) - len(less.students)
    return float(more.usage["wall"] - less.usage["wall"]) / further


def _verdicts(results: Sequence[Result]) -> dict[str, tuple[str, str]]:
    """Return each submission's verdict; one that did not pass every time did not pass."""
    seen: dict[str, list[tuple[str, str]]] = {}
    for result in results:
        for name, verdict in (result.verdicts or {}).items():
            seen.setdefault(original(name), []).append((verdict[0], verdict[1]))
    return {name: min(v, key=lambda verdict: verdict[0] == "passed") for name, v in seen.items()}


def mistakes(verdicts: dict[str, tuple[str, str]], students: Sequence[Student]) -> Mistakes:
    """Compare verdicts with what is true of the submissions."""
    said = {name: verdict for name, (verdict, _) in verdicts.items()}
    wrong = [s for s in students if not s.right]
    fooled = [s.name for s in wrong if said.get(s.name) == "passed"]
    robbed = [s.name for s in students if s.right and said.get(s.name) != "passed"]
    silent = [s.name for s in wrong if said.get(s.name, "none") == "none"]
    cheats = [s.name for s in wrong if s.cheat]
    return Mistakes(
        tuple(fooled),
        tuple(robbed),
        tuple(silent),
        right=len(students) - len(fooled) - len(robbed),
        cheats_caught=len(set(cheats) - set(fooled)),
    )


def foreign_share(results: Iterable[Result], cores: int) -> float:
    """Return the share of the machine's CPU time that others used during the measurements."""
    usages = [result.usage for result in results if result.usage]
    available = sum(usage["wall"] for usage in usages) * cores
    return sum(usage["foreign_cpu"] for usage in usages) / available if available else 0.0
