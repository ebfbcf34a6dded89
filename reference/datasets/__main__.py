"""Download data sets, and see which are here: ``python -m <package>.datasets fetch cora``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .download import fetch
from .kinds import DataError
from .registry import (
    GENERATORS,
    LOADERS,
    STAND_INS,
    cache_folder,
    locate,
    module_of,
    package_of,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 done, 1 a set cannot be had, 2 wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "list":
            _list()
        else:
            for name in options.names:
                for path in fetch(name, options.folder, say=_say):
                    print(path)
    except DataError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="say which sets are here, which can be downloaded")
    download = commands.add_parser("fetch", help="download sets, or what is missing of them")
    download.add_argument("names", nargs="+", metavar="NAME")
    download.add_argument("--folder", type=Path, help=f"where to (default: {cache_folder()})")
    return parser


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _list() -> None:
    for name in LOADERS:
        if name in STAND_INS:
            print(f"{name:20} {_state(name)}")
    for name in GENERATORS:
        print(f"{name:20} computed when it is asked for")


def _state(name: str) -> str:
    try:
        place, package = locate(name), package_of(name)
        sources = getattr(module_of(name), "SOURCES", {}).get(name, ())
    except DataError as error:
        return str(error)
    if place is not None:
        return f"in {place}"
    ways = []
    if sources:
        ways.append(f"to be fetched, {sum(source.size for source in sources) / 1e6:.1f} MB")
    if package:
        ways.append(f"in a package: {package.install}")
    return f"{', or '.join(ways) or 'to be put there by hand'}; stand-in: {STAND_INS[name]}"


if __name__ == "__main__":
    sys.exit(main())
