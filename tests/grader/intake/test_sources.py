"""The source that people read is the source that runs: encodings and hidden characters."""

import pytest

from grader.errors import Rejected
from grader.intake import receive_files

BODY = "\n\ndef forward(x):\n    return x\n"


def hand_in(lab, good, text, path="toy/layers.py"):
    return receive_files([*(good | {path: text.encode()}).items()], lab)


@pytest.mark.parametrize(
    "name",
    ["utf-7", "UTF7", "raw-unicode-escape", "unicode_escape", "latin-1", "gbk", "utf-16", "cp437",
     "punycode", "idna", "rot13", "ascii", "hz", "no-such-thing"],
)  # fmt: skip
@pytest.mark.parametrize(
    "line",
    ["# -*- coding: {} -*-", "# coding={}", "\t# vim: set fileencoding={} :", "#!x\n#coding:{}",
     "\n# encoding: {}", "\f# coding: {}", "#\r# coding: {}", "\ufeff# coding: {}"],
)  # fmt: skip
def test_another_encoding_than_utf_8_is_refused(lab, good, line, name):
    with pytest.raises(Rejected) as caught:
        hand_in(lab, good, line.format(name) + BODY)
    assert caught.value.reasons == [
        f"toy/layers.py says that it is written in '{name}'. Take out that line (with 'coding') "
        "and save the file with the encoding UTF-8."
    ]


@pytest.mark.parametrize(
    "text",
    [
        "# -*- coding: utf-8 -*-", "# coding: UTF8", "# coding=utf_8", "# vim: fileencoding=utf-8",
        "\ufeff# coding: utf-8", "x = 1\n# coding: gbk", "#\n#\n# coding: gbk",
        "x = '# coding: gbk'", "# the kind of coding is one-hot", "'''\n# coding: gbk\n'''",
    ],
)  # fmt: skip
def test_utf_8_and_what_python_takes_for_no_encoding_are_fine(lab, good, text):
    assert hand_in(lab, good, text + BODY).notices == ()


def test_a_module_of_the_students_own_in_another_encoding_is_not_taken(lab, good):
    accepted = hand_in(lab, good, "# coding: utf-7" + BODY, "toy/own.py")
    assert accepted.file("toy/own.py") is None
    assert "toy/own.py says that it is written in 'utf-7'" in accepted.notices[0]


def test_a_cell_of_a_notebook_cannot_name_an_encoding_either(lab, good, make_notebook):
    cells = [f"# file: {path[4:]}\n{text.decode()}" for path, text in good.items()]
    cells[0] = cells[0].replace("\n", "\n# coding: utf-7\n", 1)
    with pytest.raises(Rejected, match="'utf-7'"):
        receive_files([("hw.ipynb", make_notebook(*cells))], lab)


@pytest.mark.parametrize("before", ["x = 1\n", "x = 1\r\n", "x = 1\r"])
@pytest.mark.parametrize(
    "char",
    [
        pytest.param("\u202e", id="right to left"),
        pytest.param("\u2066", id="isolate"),
        pytest.param("\u200f", id="mark of direction"),
        pytest.param("\u200b", id="no width"),
        pytest.param("\u200d", id="joiner"),
        pytest.param("\u00ad", id="soft hyphen"),
        pytest.param("\ufeff", id="byte order"),
        pytest.param("\u3164", id="a letter that is blank"),
        pytest.param("\u2800", id="braille"),
        pytest.param("\U000e0041", id="tag"),
        pytest.param("\u2028", id="line separator"),
        pytest.param("\x1b", id="escape"),
        pytest.param("\x08", id="backspace"),
        pytest.param("\x85", id="next line"),
    ],
)
def test_a_character_that_cannot_be_seen_is_named_with_its_line(lab, good, char, before):
    (notice,) = hand_in(lab, good, f"{before}y = 'a{char}b'{BODY}").notices
    said = f"toy/layers.py line 2 holds characters that cannot be seen (U+{ord(char):04X})"
    assert notice.startswith(said)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("x = '张三 é 👨\u200d💻 ✔\ufe0f ❤\ufe0f\u200d🔥'", id="emoji"),
        pytest.param("x = 1\t# a\n\f\ny = '\u00a0'", id="blanks"),
        pytest.param("\ufeffx = 1", id="byte order mark"),
    ],
)
def test_what_people_write_is_no_news(lab, good, text):
    assert hand_in(lab, good, text + BODY).notices == ()
