"""The threat model is short enough to be read, and its figures are those of the code."""

import math
import re
from pathlib import Path

from grader.lab.catalogue import Catalogue
from portal.runs.progress import SECONDS_BETWEEN, STEPS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
MOST_WORDS = 2_000
SHARPEST_LOOK = 0.1  # seconds: how exactly somebody who reloads a page knows when a run has ended


LABS = [  # what is uploaded to a competition is scored by no worker's sandbox
    lab.assignment for lab in Catalogue(ROOT).labs() if not lab.assignment.competition
]


def longest_hold():
    return max(lab.limits.longest_hold_seconds for lab in LABS)


def test_it_is_a_short_read():
    assert len(TEXT.split()) < MOST_WORDS


def test_progress_and_end_of_a_run_tell_no_more_bits_than_it_says():
    """Each step but the last is told at one of the ticks, in their order, or never."""
    said = int(re.search(r"its end: under (\d+) bits", " ".join(TEXT.split()))[1])
    ticks = int(longest_hold() / SECONDS_BETWEEN)
    told = STEPS - 1
    assert (
        math.log2(math.comb(ticks + told, told)) + math.log2(longest_hold() / SHARPEST_LOOK) < said
    )


def test_it_says_how_long_each_lab_may_hold_a_worker():
    for lab in LABS:
        minutes = lab.limits.longest_hold_seconds / 60
        assert re.search(rf"{lab.slug} {math.ceil(minutes)}\b", TEXT), lab.slug
