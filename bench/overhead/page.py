"""Writes docs/benchmarks.md: every number on it comes from the results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from overhead.figures import Figures, Mistakes, mistakes
from overhead.plan import COPIES
from overhead.students import Student

OURS, FLOOR = "ours", "floor"


@dataclass(frozen=True)
class System:
    """How a system is named and used."""

    name: str
    title: str
    how: str
    versions: dict[str, str]
    at_once: int


@dataclass(frozen=True)
class Scene:
    """What the page says besides the figures."""

    machine: str
    meter: str
    began: float
    ended: float
    foreign: float  # share of the CPU time that others used
    own: dict[str, float]
    tests: int
    timeout: int


HEAD = """\
# Side by side with other graders

`python bench/overhead.py` wrote this page; no number is typed by hand. The same small assignment,
the same {tests} checks and the same {all} submissions go through each system: {right} right ones in
different clothes and {wrong} wrong ones, {cheats} of them cheats.

![CPU seconds that each system adds to a submission](benchmarks.svg)

## What grading adds to a submission

{table}

All figures are medians over the rounds, of which there were {rounds}. The submissions' own work
({own_ms:.0f} ms of CPU in the median) is taken off wherever it says "beyond". Read the columns so:

- **CPU s each**: CPU seconds of the whole process tree for the {right} right submissions, start-up
  included, divided by {right}, beyond their own; in brackets the least and the most of the rounds.
- **CPU s one more**: the same without start-up: a batch of {right} less a batch of one, divided by
  {further}. Work done in advance for later submissions counts where it is done. Where submissions
  share a start-up, which is large beside this figure and never twice the same, it is a batch of
  {long}, {copies} copies of each, less the batch of {right}, divided by {longer}.
- **wall s each**: from the moment a place is free to the result, beyond the submission's own; with
  two places two of these run side by side.
- **first result**: one submission alone from a cold start: wall seconds to its result, and CPU
  seconds until the command has ended.
- **batch**: wall seconds for the {right} right ones, start to end of the command.
- **memory**: the largest sum of private memory of all processes, MiB; libraries' pages, which
  processes share, are left out.

The same as ratios, to Proctor and to the floor (the warm fork):

{ratios}

## Verdicts

{verdicts}

A right submission must have full marks, a wrong one must not. No score at all counts as "not full
marks" here, though a person then has to look.

{mistakes}

What each system said of the wrong submissions:

{hostile}
"""

TAIL = """\
## The submissions

| name | what it does | must | own CPU ms |
|---|---|---|---:|
{students}

## How it was measured

- {machine}.
- {date}, {minutes:.0f} minutes from the first measurement to the last. Other programs used
  {foreign:.1%} of the machine's CPU time meanwhile.
- A round measures every system on the same work in random order. A cold run of each system
  before the first round is thrown away: it fills the disk cache and writes bytecode.
- Counted by {meter}: every process below the command, also those that left their parent. All
  systems run with `OMP_NUM_THREADS=1`, the same Python, the same torch and NumPy files or versions.
- A submission's own CPU seconds are those of a bare warm fork that imports it and calls its
  functions on the recorded inputs of the checks, without a test framework.
- Writing the submissions into each system's form and reading its scores afterwards are not counted.
- Every system runs in a control group with a memory limit, so that the memory bomb ends there.

How each system is used:

{systems}

## What it does not show

- Systems with containers (Gradescope itself, `otter grade`) add the containers' start; here only
  what runs inside is measured.
- It has one small assignment. Where submissions compute for minutes, the differences in this table
  vanish.
- The cheats are general ones; none is made for one system. Passing them proves little: the
  [attack suite](attacks.md) is where this project's protection is tested.
- The floor protects nothing and is no grader: it says what the checks cost at the very least.
- nbgrader and Otter-Grader do more than judge functions: notebooks, feedback, a grade book.

## Again

```text
python bench/overhead.py                     # makes the environments, then measures everything
python bench/overhead.py --only ours,pytest  # again for some; the rest is taken from the cache
python bench/overhead.py --quick             # few submissions, one round, nothing written here
```
"""


def page(
    figures: Sequence[Figures],
    systems: dict[str, System],
    students: Sequence[Student],
    scene: Scene,
) -> str:
    """Return the page's text."""
    judged = [f for f in figures if len(f.verdicts) == len(students)]
    faults = {f.system: mistakes(f.verdicts, students) for f in judged}
    head = HEAD.format(
        **counts(students),
        tests=scene.tests,
        rounds=min(f.rounds for f in figures),
        own_ms=1000 * sorted(scene.own.values())[len(scene.own) // 2],
        table=figures_table(figures, systems),
        ratios=ratios_table(figures, systems),
        verdicts=verdicts_table(faults, systems, students),
        mistakes=mistakes_text(faults, systems),
        hostile=hostile_table(judged, systems, students),
    )
    tail = TAIL.format(
        students="\n".join(student_row(student, scene.own) for student in students),
        machine=scene.machine,
        date=datetime.fromtimestamp(scene.began, UTC).strftime("%d %B %Y"),
        minutes=(scene.ended - scene.began) / 60,
        foreign=scene.foreign,
        meter=scene.meter,
        systems="\n".join(system_line(systems[f.system]) for f in figures),
    )
    return head + "\n" + tail


def counts(students: Sequence[Student]) -> dict[str, int]:
    """Return how many submissions there are of each sort."""
    right = sum(student.right for student in students)
    return {
        "all": len(students),
        "right": right,
        "further": right - 1,
        "copies": COPIES,
        "long": COPIES * right,
        "longer": COPIES * right - right,
        "wrong": len(students) - right,
        "cheats": sum(student.cheat for student in students),
    }


Column = tuple[str, Callable[[Figures], str]]

RATIOS: tuple[tuple[str, Callable[[Figures], float]], ...] = (
    ("CPU each", lambda f: f.cpu_each),
    ("CPU one more", lambda f: f.cpu_steady),
    ("wall of a first result", lambda f: f.first_wall),
)


def figures_table(figures: Sequence[Figures], systems: dict[str, System]) -> str:
    """Return the table of costs, cheapest first."""
    columns: list[Column] = [
        ("system", lambda f: systems[f.system].title),
        ("CPU s each", lambda f: f"{f.cpu_each:.2f} ({_span(f.cpu_spread)})"),
        ("CPU s one more", lambda f: f"{f.cpu_steady:.2f} ({_span(f.steady_spread)})"),
        ("wall s each", lambda f: f"{f.wall_each:.2f}"),
        ("at once", lambda f: str(systems[f.system].at_once)),
        ("first result, wall s (CPU s)", lambda f: f"{f.first_wall:.2f} ({f.first_cpu:.2f})"),
        ("batch, wall s", lambda f: f"{f.batch_wall:.1f}"),
        ("memory, MiB", lambda f: f"{f.peak_mb:.0f}"),
    ]
    return _filled(columns, figures)


def ratios_table(figures: Sequence[Figures], systems: dict[str, System]) -> str:
    """Return how many times Proctor's and the floor's figures each system's are."""
    columns: list[Column] = [("system", lambda f: systems[f.system].title)]
    for title, value in RATIOS:
        for base, against in ((OURS, "Proctor"), (FLOOR, "floor")):
            whole = {f.system: value(f) for f in figures}.get(base)
            columns.append((f"{title} ÷ {against}", _ratio(value, whole)))
    return _filled(columns, figures)


def _filled(columns: Sequence[Column], figures: Sequence[Figures]) -> str:
    ordered = sorted(figures, key=lambda f: f.cpu_each)
    rows = [[cell(f) for _, cell in columns] for f in ordered]
    return table([title for title, _ in columns], rows)


def _span(spread: tuple[float, float]) -> str:
    return f"{spread[0]:.2f}–{spread[1]:.2f}"


def _ratio(value: Callable[[Figures], float], base: float | None) -> Callable[[Figures], str]:
    return lambda f: f"{value(f) / base:.1f}" if base and base > 0 else "–"


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table with its first column left and the others right."""
    lines = ["| " + " | ".join(titles) + " |", "|---|" + "---:|" * (len(titles) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def verdicts_table(
    faults: dict[str, Mistakes], systems: dict[str, System], students: Sequence[Student]
) -> str:
    """Return how many verdicts were right and how many cheats were caught."""
    number = counts(students)
    titles = ["system", f"right verdicts of {number['all']}"]
    titles += [f"cheats caught of {number['cheats']}", "no score at all"]
    rows = [
        [systems[name].title, str(m.right), str(m.cheats_caught), str(len(m.silent))]
        for name, m in sorted(faults.items(), key=lambda pair: -pair[1].right)
    ]
    return table(titles, rows)


def mistakes_text(faults: dict[str, Mistakes], systems: dict[str, System]) -> str:
    """Name every wrong verdict."""
    lines = []
    for name, fault in faults.items():
        if fault.fooled:
            lines.append(f"- {systems[name].title} gave full marks to {_names(fault.fooled)}.")
        if fault.robbed:
            lines.append(f"- {systems[name].title} refused full marks to {_names(fault.robbed)}.")
    return "\n".join(lines) or "No system gave a wrong verdict."


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def hostile_table(
    figures: Sequence[Figures], systems: dict[str, System], students: Sequence[Student]
) -> str:
    """Return the verdict of every system on every wrong submission."""
    words = {"passed": "**full marks**", "failed": "not full", "none": "no score"}
    rows = [
        [f"`{s.name}`{' (cheat)' if s.cheat else ''}"]
        + [words[f.verdicts[s.name][0]] for f in figures]
        for s in students
        if not s.right
    ]
    times = [f"{f.hostile_wall:.0f} s" if f.hostile_wall else "–" for f in figures]
    rows.append(["wall time of the batch", *times])
    return table(["submission", *(systems[f.system].title for f in figures)], rows)


def student_row(student: Student, own: dict[str, float]) -> str:
    """Return a submission's row."""
    must = "pass" if student.right else ("not pass; a cheat" if student.cheat else "not pass")
    cost = f"{1000 * own[student.name]:.1f}" if student.name in own else "–"
    return f"| `{student.name}` | {student.about.rstrip('.')} | {must} | {cost} |"


def system_line(system: System) -> str:
    """Return how a system is used, with versions."""
    versions = ", ".join(f"{name} {version}" for name, version in system.versions.items())
    return f"- **{system.title}** ({versions}): {system.how}."
