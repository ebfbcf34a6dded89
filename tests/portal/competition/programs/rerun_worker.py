"""A real worker whose re-runs wait: ``rerun_worker.py INSTANCE URL HOME GATE``.

While the FIFO at GATE exists, a re-run waits there for somebody to open the other end.
"""

import sys
from datetime import timedelta
from functools import partial
from pathlib import Path

from grader.api import Rerun, Verdict
from portal.competition.rerunning import Reruns
from portal.platform.config import PortalConfig
from portal.runs.worker import WorkerSettings, run_worker

instance, url, home, gate = sys.argv[1:]


def run(_parts, _order):
    try:
        Path(gate).read_bytes()
    except FileNotFoundError:
        pass
    return Rerun("", Verdict.HOLDS, tries=1, cpu_seconds=1.0)


run_worker(
    PortalConfig(
        instance=Path(instance),
        database_url=url,
        secret_key="0" * 64,
        grading_key=b"1" * 32,
        home=Path(home),
    ),
    WorkerSettings(
        queues=("cpu",),
        concurrency=2,
        heartbeat_seconds=0.2,
        reconcile_seconds=0.3,
        polling_seconds=0.05,
        lease=timedelta(seconds=2),
        drain_seconds=30,
    ),
    others=[partial(Reruns, run=run)],
)
