"""The course at a glance says what the manifests say, in the order of the labs in the demo."""

import re
from pathlib import Path

import pytest

from grader.lab.catalogue import Catalogue
from portal.demo import LABS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "course.md").read_text("utf-8")
ROWS = [
    re.split(r" *\| *", line.strip("| ")) for line in PAGE.splitlines() if line.startswith("| ")
]
LAB = re.compile(r"\[?`(\w+)`")
EXAMPLES = re.findall(r"\[`(\w+)`\]", PAGE.partition("## Beside the course")[2])


def rows(columns):
    found = [row for row in ROWS if len(row) == columns and LAB.match(row[0])]
    return {LAB.match(row[0])[1]: row[1:] for row in found}


def test_every_lab_of_the_course_stands_in_both_tables_in_its_order():
    assert tuple(rows(8)) == tuple(rows(3)) == LABS


def test_every_other_lab_is_told_to_be_an_example():
    assignments = [lab.assignment for lab in Catalogue(ROOT).labs()]
    labs = [assignment.slug for assignment in assignments if not assignment.competition]
    assert sorted([*LABS, *EXAMPLES]) == sorted(labs)


def test_the_course_has_a_hundred_points():
    labs = [Catalogue(ROOT).get(slug).assignment for slug in LABS]
    assert sum(lab.max_score for lab in labs) + 25 + 5 == 100


@pytest.mark.parametrize("slug", LABS)
def test_points_limits_and_variants_are_those_of_the_manifest(slug):
    lab = Catalogue(ROOT).get(slug).assignment
    title, *points, by_hand, seconds = rows(8)[slug]
    assert title == lab.title
    assert [float(cell) for cell in points] == [float(part.points) for part in lab.parts]
    assert float(by_hand) == float(sum(item.points for item in lab.items if item.manual))
    assert float(seconds) == lab.limits.cpu_seconds
    assert re.findall(r"`(\w+)`", rows(3)[slug][0]) == list(lab.variants)


def test_every_competition_stands_in_its_table_with_its_figures():
    found = {lab.assignment.slug: lab.assignment for lab in Catalogue(ROOT).labs()}
    competitions = {slug: one for slug, one in found.items() if one.competition}
    assert set(rows(7)) == set(competitions)
    for slug, about in competitions.items():
        rules = about.competition
        title, metric, train, test, public, baseline = rows(7)[slug]
        assert (title, metric) == (about.title, f"`{rules.metric.value}`")
        assert [int(cell.replace(",", "")) for cell in (train, test, public)] == [
            rules.train, rules.test, rules.public,
        ]  # fmt: skip
        assert float(baseline) == rules.baseline
