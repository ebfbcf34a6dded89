"""The engine that delivers run ids to workers, behind a port of six methods."""

from portal.platform.engine.dbos_engine import DbosEngine, prepare
from portal.platform.engine.port import (
    DEFAULT_QUEUE,
    GPU_QUEUE,
    Job,
    JobEngine,
    QueueStats,
    WorkerOptions,
)

__all__ = [
    "DEFAULT_QUEUE",
    "GPU_QUEUE",
    "DbosEngine",
    "Job",
    "JobEngine",
    "QueueStats",
    "WorkerOptions",
    "prepare",
]
