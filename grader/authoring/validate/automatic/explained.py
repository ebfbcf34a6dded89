"""Survivors that a person has looked at: ``reference/<slug>/equivalent.toml``.

An automatic mutant that no test can tell from the reference, or that is as right as the
reference, is explained there::

    [[equivalent]]
    mutant = "fnn/layers.py:cross_entropy:number:1f3a5b7c:2"
    why = "the loss is divided by the same number again two lines below"

One that reaches a bar on some machines or keys and misses it on others has ``by_chance = true``:
then it may be killed, too.
"""

from __future__ import annotations

import tomllib
from collections import Counter

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from grader.errors import ManifestError, ManifestProblem
from grader.lab.catalogue import Lab

EXPLAINED_NAME = "equivalent.toml"


class Equivalence(BaseModel):
    """Why a mutant may survive."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    mutant: str = Field(min_length=1)
    why: str = Field(min_length=1)
    by_chance: bool = False  # a bar lies within its spread


class _Explanations(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    equivalent: tuple[Equivalence, ...] = ()


def load_explained(lab: Lab) -> dict[str, Equivalence]:
    """Return what explains mutants, by their names; ManifestError if the file is wrong."""
    file = lab.reference / EXPLAINED_NAME if lab.reference else None
    if file is None or not file.is_file():
        return {}
    try:
        found = _Explanations.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ManifestError([ManifestProblem(file, "", f"is not valid TOML: {error}")]) from None
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise ManifestError(
            [ManifestProblem(file, ".".join(map(str, d["loc"])), d["msg"]) for d in details]
        ) from None
    counts = Counter(one.mutant for one in found.equivalent)
    doubled = [
        ManifestProblem(file, name, "stands twice; keep one") for name in counts if counts[name] > 1
    ]
    if doubled:
        raise ManifestError(doubled)
    return {one.mutant: one for one in found.equivalent}
