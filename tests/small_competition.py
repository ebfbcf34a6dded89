"""A small competition as `grader new` makes it, its data, and entries to it."""

import io
import zipfile

from grader.authoring.draw import draw
from grader.authoring.new import Kind, new_lab
from grader.competition.drawn import files_of
from grader.lab.catalogue import Catalogue

SECRET = bytes(range(32))
SOURCE = "rings/predict.py"
HONEST = """
def predict(train, test):
    radius = (test["points"] ** 2).sum(axis=1) ** 0.5
    return (radius > 1.3).astype(int) + (radius > 1.9)
"""


def rings(home):
    """Make the competition below an empty folder and return it."""
    (home / "assignments").mkdir()
    new_lab(home, "rings", kind=Kind.COMPETITION)
    return Catalogue(home).get("rings")


def put(folder, files):
    """Write files by path below a folder."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


def draw_into(lab, folder, number=1):
    """Draw a set into a folder, as `grader draw` does."""
    return put(folder, files_of(draw(lab, SECRET, number), lab.assignment.competition))


def packed(text, **others):
    """Return a zip with a source and modules beside it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(SOURCE, text)
        for name, content in others.items():
            archive.writestr(f"rings/{name}.py", content)
    return out.getvalue()


def predictions(lab, drawn, values):
    """Return a file of predictions by the numbers of their classes."""
    rules = lab.assignment.competition
    lines = [",".join([rules.id, *rules.predicted])]
    for name, row in zip(drawn.labels.ids, values, strict=True):
        lines.append(",".join([name, *(rules.classes[int(value)] for value in row)]))
    return ("\n".join(lines) + "\n").encode()
