"""The encoding of a text: marked, certain, or guessed from what people write often."""

from random import Random

import pytest

from grader.encoding import decode_text

SIMPLIFIED = (
    "王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高梁郑罗宋谢唐韩曹许邓萧冯曾程蔡彭潘袁于董余"
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚"
)
TRADITIONAL = (
    "王李張劉陳楊黃趙吳徐孫馬胡郭林何高梁鄭羅宋謝許鄧蕭馮曾程蔡彭潘袁葉呂魏蔣田杜丁沈"
    "偉芳娜敏靜麗強軍勇傑娟濤明超霞平剛"
)
WESTERN = (
    "Jürgen Müller,Lía François,Søren Kierkegård,José Núñez,Zoë Brontë,Ángel Íñiguez,Élodie "
    "Lefèvre,Björn Åkesson,Günther Groß,João Gonçalves,Noël Étienne,Märta Öberg,Jörg Weiß"
).split(",")
TEXT = "报告：学习率太大时，训练发散。\n我们比较了深度与宽度。\n"


def a_list(rng, letters, count):
    """Return a list of names in one script."""
    names = (
        rng.choice(letters)
        if isinstance(letters, list)
        else "".join(rng.sample(letters, rng.choice((2, 3))))
        for _ in range(count)
    )
    return "username,name\n" + "".join(f"u{n},{name}\n" for n, name in enumerate(names))


@pytest.mark.parametrize(
    ("codec", "name", "is_guess"),
    [
        ("utf-8", "UTF-8", False),
        ("utf-8-sig", "UTF-8", False),
        ("utf-16", "UTF-16", False),
        ("utf-16-le", "UTF-16", True),
        ("utf-16-be", "UTF-16", True),
        ("utf-32", "UTF-32", False),
        ("gbk", "GBK", True),
        ("gb18030", "GBK", True),
    ],
)
def test_a_text_comes_out_as_it_was_written(codec, name, is_guess):
    text = f"# Report\n{TEXT}and many a word in between that is none.\n"
    found = decode_text(text.encode(codec))
    assert (found.text, found.encoding, found.is_guess) == (text, name, is_guess)


@pytest.mark.parametrize(
    ("letters", "codec"), [(SIMPLIFIED, "gbk"), (TRADITIONAL, "big5"), (WESTERN, "cp1252")]
)
@pytest.mark.parametrize("count", [3, 10, 60])
def test_names_come_out_as_they_were_written(letters, codec, count):
    texts = [a_list(Random(seed), letters, count) for seed in range(100)]
    right = sum(decode_text(text.encode(codec)).text == text for text in texts)
    assert right == len(texts)


def test_plain_ascii_is_utf_8():
    assert decode_text(b"a,b\n1,2\n").encoding == "UTF-8"
    assert decode_text(b"").text == ""


@pytest.mark.parametrize(
    "data", [b"\xff\xfea", b"\xef\xbb\xbf\xff", b"a\0b\0\0", bytes(9), b"\x00\xd8"]
)
def test_what_is_no_text_is_none(data):
    assert decode_text(data) is None


def test_ten_megabytes_are_judged_by_their_beginning():
    data = TEXT.encode("gbk") * 170_000
    assert decode_text(data).encoding == "GBK"
