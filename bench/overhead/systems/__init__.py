"""The systems side by side: each stages a batch, names its command, and reads its verdicts."""

from overhead.systems.base import Batch, System, Verdict
from overhead.systems.nbgrader import Nbgrader
from overhead.systems.otter import Otter
from overhead.systems.ours import Ours
from overhead.systems.scripts import Floor, GradescopeUtils, Pytest

SYSTEMS = {
    system.name: system for system in (Ours, Pytest, GradescopeUtils, Otter, Nbgrader, Floor)
}

__all__ = ["SYSTEMS", "Batch", "System", "Verdict"]
