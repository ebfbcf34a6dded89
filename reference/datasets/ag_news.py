"""AG News: titles and first lines of news in four classes (Zhang, Zhao and LeCun 2015).

``train.csv`` and ``test.csv`` have no header: class 1 to 4, title, description. "ag-news" is both
files as published, "ag-news-test" the small one alone, with a split of its own.
"""

from __future__ import annotations

from pathlib import Path

from .kinds import Texts
from .reading import either, read_table
from .sources import Source
from .texts import drawn, labels_of, published

# The last commit of the repository from which torchtext takes the set; the MD5 are torchtext's.
URL = (
    "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/"
    "555590db4219b1243abb1918effd6a7425a2d75f/data/ag_news_csv/"
)
TRAIN = Source(
    f"{URL}train.csv", "ag_news/train.csv", 29_470_338, "md5:b1a00f826fdfbd249f79597b59e1dc12"
)
TEST = Source(
    f"{URL}test.csv", "ag_news/test.csv", 1_857_427, "md5:d52ea96a97a2d943681189a97654912d"
)
SOURCES = {"ag-news": (TRAIN, TEST), "ag-news-test": (TEST,)}
CHECKSUMS = {
    name: {Path(source.path).name: source.checksum for source in sources}
    for name, sources in SOURCES.items()
}
FOLDERS = ("ag_news", "ag_news_csv")
CLASSES = ("World", "Sports", "Business", "Sci/Tech")
NUMBERS = ("1", "2", "3", "4")


def find(root: Path, name: str) -> Path | None:
    """Return the folder below `root` that holds all files of the set, or None.

    Both sets lie in one folder: with the test file alone there, only "ag-news-test" is here.
    """
    for folder in FOLDERS:
        if all(path.is_file() for path in files(root / folder, name)):
            return root / folder
    return None


def files(place: Path, name: str) -> list[Path]:
    """Return the files of the set, present or not."""
    return [either(place, file) for file in CHECKSUMS[name]]


def read(place: Path, name: str, seed: int = 0) -> Texts:
    r"""Read a set from its folder: title and description of each news, joined by a space.

    A backslash in a text is where its line was broken. "ag-news" has no part to validate on, and
    `seed` does nothing; that of "ag-news-test" is drawn from `seed`.

    Raises DataError naming the file that is absent, damaged or holds something else.
    """
    parts = [_part(path) for path in files(place, name)]
    if name == "ag-news":
        return published(name, parts, CLASSES)
    ((texts, y),) = parts
    return drawn(name, texts, y, CLASSES, seed)


def _part(path: Path) -> tuple[list[str], list[int]]:
    rows = read_table(path, columns=3)
    return [f"{title} {text}" for _, title, text in rows], labels_of(
        path, [row[0] for row in rows], NUMBERS
    )
