"""Calibrate a lab's bars: how far from each the reference lies, and how near wrong solutions."""

from grader.authoring.calibrate.assess import FEWEST_RUNS, MOST_MISSES, Assessment, Counts, assess
from grader.authoring.calibrate.calibration import (
    CALIBRATION_NAME,
    Calibration,
    load_calibration,
    save_calibration,
)
from grader.authoring.calibrate.collect import CalibrationPlan, variants_of
from grader.authoring.calibrate.confirm import Comparison, compare_runs, confirmed
from grader.authoring.calibrate.log import LoggedRun
from grader.authoring.calibrate.make import JudgedBar, judge_bars, make_calibration, unproven_bars

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
    "compare_runs",
    "confirmed",
    "judge_bars",
    "load_calibration",
    "make_calibration",
    "save_calibration",
    "unproven_bars",
    "variants_of",
]
