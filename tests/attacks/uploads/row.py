"""What a hostile upload is.

`files` gets a folder of the host with a secret in it, for links to point at, and returns what a
browser would send. `says` is a part of the sentence that tells the student what to do: a reason if
the upload is refused, a notice or an ignored name if it is taken. Whatever a payload holds behind
LEAKED must be seen by nobody.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import upload_craft as craft

MARKER = "LEAKED-5b1e"
LEAK = f"print('{MARKER}')\n".encode()
Files = Sequence[tuple[str, bytes]]


@dataclass(frozen=True)
class Upload:
    """One hostile upload for the tiny lab."""

    name: str
    tries: str
    files: Callable[[Path], Files]
    says: str
    taken: bool = False
    in_portal: str = ""  # what the portal's form refuses it with, where that is another sentence


def entry(name: str, tries: str, member: str, says: str, *, taken: bool = False) -> Upload:
    """Return a row of the honest zip with one more entry of this name."""
    return Upload(name, tries, lambda _: craft.zipped(craft.Member(member, LEAK)), says, taken)


def kind(name: str, tries: str, mode: int, says: str) -> Upload:
    """Return a row of the honest zip with one more entry of this Unix mode."""
    member = craft.Member("x.bin", b"\1\2", mode=mode)
    return Upload(name, tries, lambda _: craft.zipped(member), says)


def one_zip(
    name: str, tries: str, make: Callable[[], bytes], says: str, *, taken: bool = False
) -> Upload:
    """Return a row of one zip."""
    return Upload(name, tries, lambda _: [("hw.zip", make())], says, taken)


def one_notebook(
    name: str, tries: str, make: Callable[[], bytes], says: str, *, taken: bool = False
) -> Upload:
    """Return a row of one notebook."""
    return Upload(name, tries, lambda _: [("hw.ipynb", make())], says, taken)


def renamed(name: str, what: str, data: bytes, says: str) -> Upload:
    """Return a row of an archive that is no zip, though its name says so."""
    tries = f"sends {what} under the name of a zip"
    return Upload(name, tries, lambda _: [("hw.zip", data)], says)
