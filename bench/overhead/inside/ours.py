"""Grade a folder of submissions with this project's engine, as `grader run` does.

python ours.py PLAN.json
"""

import json
import sys
from pathlib import Path

from grader.grading.batch import Settings, run_batch
from grader.intake.exports import HandIn
from grader.lab.catalogue import Catalogue

sys.path.insert(0, str(Path(__file__).parent))
from events import Events


class Watcher:
    """Notes when a submission's first and last news came."""

    def __init__(self, names, events):
        self._names, self._events, self._started = names, events, set()

    def on_progress(self, index, progress):
        """Note the start of a submission's tests."""
        if index not in self._started:
            self._started.add(index)
            self._events.say("tests", self._names[index])

    def on_done(self, index, report):
        """Note a report."""
        lost = {test.id: test.outcome for test in report.tests}
        self._events.say(
            "done",
            self._names[index],
            status=report.status,
            score=report.score,
            max_score=report.max_score,
            fault=report.fault,
            tests=lost,
            tier=report.environment.tier if report.environment else None,
        )


def main():
    """Run the plan."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    lab = Catalogue(Path(plan["home"])).get(plan["slug"])
    hand_ins = [HandIn(task["name"], Path(task["cwd"])) for task in plan["tasks"]]
    watcher = Watcher([hand_in.name for hand_in in hand_ins], Events(plan["events"]))
    run_batch(lab, hand_ins, Settings(key=b"benchmark" * 4, jobs=plan["jobs"]), watcher=watcher)


if __name__ == "__main__":
    main()
