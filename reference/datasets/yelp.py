"""Yelp's reviews and their stars, in two forms.

"yelp" are twice 5,000 reviews from the repository of Aug-PE (Xie et al. 2024): ``dev.csv`` and
``test.csv`` with the columns text, kind of business, stars. "yelp-2013" and "yelp-2014" are those
of Tang, Qin and Liu 2015, on which Hierarchical Attention Networks are measured:
``yelp-2013-{train,dev,test}.txt.ss``, a review a line in four fields, its sentences parted by
``<sssss>``.
"""

from __future__ import annotations

from pathlib import Path

from .kinds import Texts
from .reading import either, read_lines, read_table, wrong
from .sources import Source
from .texts import labels_of, published

# The repository's last commit. It publishes no checksums: these are of the files in that commit.
URL = (
    "https://raw.githubusercontent.com/AI-secure/aug-pe/"
    "a3f292f6fec7427b6a6e6d982b83b68c1f0a86d5/data/yelp/"
)
SOURCES = {
    "yelp": (
        Source(
            f"{URL}dev.csv",
            "yelp/dev.csv",
            3_077_733,
            "sha256:c3eca3486566a3f949f192dcd9bb33ecd60cead9312a90060a374bc1ec29fdbc",
        ),
        Source(
            f"{URL}test.csv",
            "yelp/test.csv",
            3_042_046,
            "sha256:8ec4a7352b5b54e68ebcb1d041ea45deda04e6f2d1d41bbb1eb24c5db3b4b0cf",
        ),
    )
}
CHECKSUMS = {"yelp": {Path(s.path).name: s.checksum for s in SOURCES["yelp"]}}
HEADER = ["text", "label1", "label2"]
STARS = ("1", "2", "3", "4", "5")
CLASSES = ("1 star", "2 stars", "3 stars", "4 stars", "5 stars")
MARK = "<sssss>"  # between sentences
PARTS = ("train", "dev", "test")


def find(root: Path, name: str) -> Path | None:
    """Return the folder below `root` that holds files of the set, or None."""
    place = root / name
    return place if any(path.is_file() for path in files(place, name)) else None


def files(place: Path, name: str) -> list[Path]:
    """Return the files of the set, present or not."""
    if name == "yelp":
        return [either(place, file) for file in CHECKSUMS["yelp"]]
    return [either(place, f"{name}-{part}.txt.ss") for part in PARTS]


def read(place: Path, name: str, marks: bool = False) -> Texts:
    """Read a set from its folder, as its publisher split it.

    Of "yelp" the dev file is to train on, and nothing to validate on. `marks` leaves ``<sssss>``
    between the sentences of "yelp-2013" and "yelp-2014"; without it there are spaces alone.

    Raises DataError naming the file that is absent, damaged or holds something else.
    """
    if name == "yelp":
        return published(name, [_table(path) for path in files(place, name)], CLASSES)
    return published(name, [_reviews(path, marks) for path in files(place, name)], CLASSES)


def _table(path: Path) -> tuple[list[str], list[int]]:
    header, *rows = read_table(path, columns=3) or [[]]
    if header != HEADER:
        raise wrong(path, f"its first row must be {','.join(HEADER)}")
    stars = [f"Review Stars: {star}.0" for star in STARS]
    return [row[0] for row in rows], labels_of(path, [row[2] for row in rows], stars)


def _reviews(path: Path, marks: bool) -> tuple[list[str], list[int]]:
    rows = [line.split("\t\t") for line in read_lines(path)]  # user, product, stars, text
    if any(len(row) != 4 for row in rows):
        raise wrong(path, "each line must hold user, product, stars and text between double tabs")
    texts = [row[3] if marks else " ".join(row[3].replace(MARK, " ").split()) for row in rows]
    return texts, labels_of(path, [row[2] for row in rows], STARS)
