"""Which data sets there are, where to look for them, and which module reads each.

A loader is a module beside this one with ``find(root, name)``, ``files(place, name)`` and
``read(place, name, **options)``; SOURCES and CHECKSUMS say where its sets come from and what their
published files are. A stand-in is made by a module with ``generate(name, **options)``. Either is
imported when its set is asked for.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
from pathlib import Path
from types import ModuleType

from .kinds import DataError, Graph, Images
from .sources import checksum

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
}
GENERATORS = {
    "synthetic-cora": "synthetic_graphs",
    "synthetic-citeseer": "synthetic_graphs",
    "synthetic-ppi": "synthetic_graphs",
    "synthetic-images": "synthetic_images",
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
}
NAMES = (*LOADERS, *GENERATORS)

Folder = str | os.PathLike[str] | None


def load(name: str, folder: Folder = None, **options: object) -> Graph | Images:
    """Return a data set as `Graph` or `Images`.

    It is looked for in `folder`, in the folder that the environment names as GRADER_DATA and in
    the folder of downloads, in this order; stand-ins ("synthetic-...") are computed. `options` are
    those of the set's module, such as ``size=32`` for images.

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
    return next((place for place in places if place is not None), None)


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
        wanted = expected.get(path.name)
        if wanted and checksum(path, wanted.partition(":")[0]) != wanted:
            raise DataError(f"{path} differs from the published file: delete it and fetch it again")
