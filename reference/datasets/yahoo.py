"""Yahoo Answers: 1,000 questions with their best answers, by ten topics.

They are part of the test set of Zhang, Zhao and LeCun 2015, in the form in which the repository of
Maheshwary, Maheshwary and Pudi 2021 keeps them: topic 0 to 9, a space and the text, one a line.
"""

from __future__ import annotations

from pathlib import Path

from .kinds import Texts
from .reading import either, read_lines
from .sources import Source
from .texts import drawn, labels_of

FILE = "test_1000.txt"
# The repository's last commit. It publishes no checksum: this is of the file in that commit.
SOURCES = {
    "yahoo-answers": (
        Source(
            "https://raw.githubusercontent.com/RishabhMaheshwary/hard-label-attack/"
            "eea2c234f6ac3a292200672e415fb3f1692317a5/data/yahoo",
            f"yahoo/{FILE}",
            553_436,
            "sha256:9b5dfb69560063ccfd1597db1e3c2d729fdd0d39b806806ac85e1024bbeac477",
        ),
    )
}
CHECKSUMS = {"yahoo-answers": {FILE: SOURCES["yahoo-answers"][0].checksum}}
FOLDERS = ("yahoo", "yahoo-answers")
CLASSES = (
    "Society & Culture", "Science & Mathematics", "Health", "Education & Reference",
    "Computers & Internet", "Sports", "Business & Finance", "Entertainment & Music",
    "Family & Relationships", "Politics & Government",
)  # fmt: skip
NUMBERS = tuple(str(number) for number in range(len(CLASSES)))


def find(root: Path, name: str) -> Path | None:
    """Return the folder below `root` that holds the file of the set, or None."""
    places = (root / folder for folder in FOLDERS)
    return next((place for place in places if either(place, FILE).is_file()), None)


def files(place: Path, name: str) -> list[Path]:
    """Return the file of the set, present or not."""
    return [either(place, FILE)]


def read(place: Path, name: str, seed: int = 0) -> Texts:
    """Read the set from its folder; its split is drawn from `seed`.

    Raises DataError naming the file that is absent, damaged or holds something else.
    """
    (path,) = files(place, name)
    rows = [line.partition(" ") for line in read_lines(path)]
    y = labels_of(path, [number for number, _, _ in rows], NUMBERS)
    return drawn(name, [text for _, _, text in rows], y, CLASSES, seed)
