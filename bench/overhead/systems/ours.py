"""The engine of this project on a lab of its own."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Any

from overhead.students import HERE
from overhead.systems.base import INSIDE, Batch, Outcome, System, Verdict

HOME = HERE / "home"
SLUG = "smallnet"


class Ours(System):
    """`grader run` on the folder of submissions, in the strongest sandbox the machine gives."""

    name = "ours"
    title = "Proctor"
    warm = True
    how = (
        "`grader.grading.batch.run_batch` on all submissions, hidden suite in a trusted process, "
        "each in the strongest sandbox of the machine; what starts sandboxes in advance counts"
    )

    def prepare(self) -> None:
        """Nothing: the lab is part of the benchmark."""

    def versions(self) -> dict[str, str]:
        """Return the versions of this interpreter's packages."""
        names = {"Proctor": "proctor-autograder"} | {n: n for n in ("pytest", "torch", "numpy")}
        return {title: version(name) for title, name in names.items()}

    def stage(self, batch: Batch) -> list[str]:
        """Write each submission as a folder with the lab's package in it."""
        tasks = []
        for student in batch.students:
            folder = batch.own(student)
            (folder / SLUG).mkdir()
            (folder / SLUG / "functions.py").write_text(student.source)
            tasks.append({"name": student.name, "cwd": str(folder)})
        plan = batch.plan(tasks, home=str(HOME), slug=SLUG)
        return [sys.executable, str(INSIDE / "ours.py"), plan]

    def collect(self, batch: Batch) -> dict[str, Outcome]:
        """Read the reports' scores."""
        done = [event for event in batch.read_events() if event["event"] == "done"]
        return {event["name"]: _outcome(event) for event in done}


def _outcome(event: dict[str, Any]) -> Outcome:
    if event["status"] != "graded":
        return Outcome(Verdict.NONE, f"{event['status']}: {event['fault'][-800:]}")
    if event["score"] == event["max_score"]:
        return Outcome(Verdict.PASSED, f"tier {event['tier']}")
    lost = [f"{i.partition('::')[2]} {o}" for i, o in event["tests"].items() if o[:6] != "passed"]
    return Outcome(Verdict.FAILED, "; ".join(lost))
