"""Every attack the design names has a row, and every row says what it tries."""

import ast
from collections import Counter
from pathlib import Path

import elsewhere
from hostile.design import ITEMS
from table import PAGE, every_row, markdown, page, uncovered


def test_every_attack_of_the_design_is_tried():
    assert uncovered() == []


def test_rows_cover_only_what_the_design_names():
    assert [(a.name, c) for _, a in every_row() for c in a.covers if c not in ITEMS] == []
    assert [a.name for _, a in every_row() if not a.covers] == []


def test_a_name_stands_once():
    assert [n for n, count in Counter(a.name for _, a in every_row()).items() if count > 1] == []


def test_every_row_says_in_a_sentence_what_it_tries():
    for _, attack in every_row():
        assert attack.tries[0].isupper() and attack.tries.endswith("."), attack.name
        assert "|" not in attack.tries and "\n" not in attack.tries, attack.name


def test_the_table_holds_every_row():
    table = markdown()
    assert [a.name for _, a in every_row() if f"| `{a.name}` |" not in table] == []


def test_the_page_holds_the_table_as_it_is():
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python tests/attacks/table.py"


def test_what_is_tried_elsewhere_is_tried():
    tests = Path(__file__).parents[1]
    for row in elsewhere.ROWS:
        file, _, name = row.test.partition("::")
        tree = ast.parse((tests / file).read_text(encoding="utf-8"))
        assert name in {getattr(node, "name", None) for node in tree.body}, row.name
    assert len({row.name for row in elsewhere.ROWS}) == len(elsewhere.ROWS)
