"""Calibrate a lab's bars: how far from each the reference lies, and how near wrong solutions."""

from grader.authoring.calibrate.added import with_added
from grader.authoring.calibrate.assess import FEWEST_RUNS, MOST_MISSES, Assessment, Counts, assess
from grader.authoring.calibrate.calibration import (
    CALIBRATION_NAME,
    Calibration,
    load_calibration,
    save_calibration,
)
from grader.authoring.calibrate.collect import CalibrationPlan, variants_of
from grader.authoring.calibrate.confirm import Comparison, compare_runs, confirmed
from grader.authoring.calibrate.judge import JudgedBar, bars_of, judge_bars, unproven_bars
from grader.authoring.calibrate.log import LoggedRun
from grader.authoring.calibrate.make import make_calibration

__all__ = [
    "CALIBRATION_NAME",
    "FEWEST_RUNS",
    "MOST_MISSES",
    "Assessment",
    "Calibration",
    "Comparison",
    "Counts",
    "CalibrationPlan",
    "JudgedBar",
    "LoggedRun",
    "assess",
    "bars_of",
    "compare_runs",
    "confirmed",
    "judge_bars",
    "load_calibration",
    "make_calibration",
    "save_calibration",
    "unproven_bars",
    "variants_of",
    "with_added",
]
