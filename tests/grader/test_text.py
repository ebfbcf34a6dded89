"""Text that student code chose is shown without its tricks."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.text import clean, clean_line

NASTY = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\x1b[]\\;m0\x07\x9b\x9c\x9d\r\n\t\u202e\u2066\ufeff\u2028\x00"),
    )
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("\x1b[31mred\x1b[0m", "red", id="colour"),
        pytest.param("\x9b2Jgone", "gone", id="8-bit clear screen"),
        pytest.param("a\x1b]0;title\x07b", "ab", id="window title ended by BEL"),
        pytest.param("a\x1b]8;;http://evil\x1b\\b", "ab", id="link ended by ST"),
        pytest.param("a\x1bP$q\x1b\\b", "ab", id="device control string"),
        pytest.param("a\x1b(0b\x1bcd", "abd", id="character set and reset"),
        pytest.param("a\u202eb\u2066c", "abc", id="bidi"),
        pytest.param("a\u200bb\ufeffc", "abc", id="invisible"),
        pytest.param("a\x00\x08b\x7f", "ab", id="controls"),
        pytest.param("a\r\nb\rc\u2028d", "a\nb\nc\nd", id="line ends"),
        pytest.param("a\tb", "a\tb", id="tab stays"),
        pytest.param("训练 ≤ 1e-3 é", "训练 ≤ 1e-3 é", id="ordinary text stays"),
        pytest.param("a\ud800b", "ab", id="lone surrogate"),
    ],
)
def test_tricks_are_removed(text: str, shown: str):
    assert clean(text) == shown


def test_a_long_text_keeps_its_start_and_its_end():
    shown = clean("start" + "x" * 50_000_000 + "the error", 500)
    assert len(shown) <= 500
    assert shown.startswith("start")
    assert shown.endswith("the error")
    assert "50,000,014 characters in all" in shown


def test_an_unended_command_swallows_no_more_than_its_share():
    assert "the error" in clean("\x1b]0;" + "x" * 5000 + "\nthe error")


def test_a_name_stays_on_one_line():
    assert clean_line("  a\n\tb\u2029c.py ") == "a b c.py"


@given(NASTY, st.integers(0, 300))
def test_what_is_left_is_short_printable_and_stable(text: str, limit: int):
    shown = clean(text, limit)
    assert len(shown) <= limit
    assert all(c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"} for c in shown)
    shown.encode()
    assert clean(shown, limit) == shown
