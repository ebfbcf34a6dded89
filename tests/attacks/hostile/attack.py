"""What one row of the attack suite says: who attacks what, and what that may bring."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

# Words a row writes when it has got hold of something. LEAKED may stand nowhere at all. SMUGGLED
# goes with what hidden tests must hand over, their inputs: staff may read it, students may not.
LEAKED, SMUGGLED = "LEAKED", "SMUGGLED"

Files = Mapping[str, str]


class Wall(StrEnum):
    """What stops an attack."""

    CONFINEMENT = "confinement"  # the tier's own walls have a part in it
    SPLIT = "split"  # that verdict and wire are the trusted process's: the same on every tier


SPLIT = Wall.SPLIT


@dataclass(frozen=True)
class Attack:
    """One hostile submission, made from a lab's skeleton, or from its reference if it names losses.

    `files` replace those of the skeleton or the reference, or are added to them. What is made from
    the reference is right but for its attack, so that no row holds for another reason: `loses` must
    earn nothing and `earned` everything; what hangs on both is not looked at. In the files' text
    ``@HOST@`` becomes a dict of what an attacker could know of the machine, ``@SKELETON@`` and
    ``@REFERENCE@`` the text that the skeleton and the reference have in this place.
    """

    name: str
    tries: str  # one sentence, for docs/attacks.md
    covers: tuple[str, ...]  # ids of `design.ITEMS`
    files: Files
    lab: str = "tiny"
    earned: tuple[str, ...] = ()  # items or tests whose points the code deserves all the same
    loses: tuple[str, ...] = ()  # tests or items, of an attack within the reference
    before: tuple[Files, ...] = ()  # submissions graded first, on the same machine
    wall: Wall = Wall.CONFINEMENT  # in doubt
    not_on: Mapping[int, str] = field(default_factory=dict)  # tier -> why it cannot hold there


def maths(body: str, top: str = "") -> dict[str, str]:
    """Return the tiny lab's NumPy file: every call runs `body` and then gives a wrong answer.

    `body` sees the argument as `x`; `secret` tells whether it came from a hidden test.
    """
    inner = "\n    ".join(line for line in body.strip("\n").split("\n"))
    return {
        "tiny/maths.py": f"import os, sys\n{top}\n"
        "def attack(x, secret):\n"
        f"    {inner}\n"
        "def double(x):\n    attack(x, x.shape == (3, 5))\n    return x\n"
        "def estimate(n):\n    attack(n, True)\n    return 0.0\n"
    }
