"""What the parent tells the trusted process: one grading job, as JSON on its standard input."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from grader.submission.model import AcceptedFile, Submission


class Job(BaseModel):
    """One submission to grade. Crosses between two processes of ours, never to the sandbox."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parent: int  # pid; the trusted process ends when its parent does
    public: Path
    reference: Path
    key: str  # hex
    variant: str | None
    tier: int | None
    minimum_tier: int | None
    name: str
    files: dict[str, str]  # path -> base64
    ignored: tuple[str, ...]
    notices: tuple[str, ...]
    only: tuple[str, ...] = ()  # ids of the tests to run; empty for the whole suite

    @classmethod
    def describe(
        cls,
        submission: Submission,
        *,
        parent: int,
        public: Path,
        reference: Path,
        key: bytes,
        variant: str | None,
        tier: int | None,
        minimum_tier: int | None,
        only: tuple[str, ...] = (),
    ) -> Self:
        """Pack a submission and its circumstances."""
        return cls(
            parent=parent,
            public=public.resolve(),
            reference=reference.resolve(),
            key=key.hex(),
            variant=variant,
            tier=tier,
            minimum_tier=minimum_tier,
            name=submission.name,
            files={f.path: base64.b64encode(f.content).decode() for f in submission.files},
            ignored=submission.ignored,
            notices=submission.notices,
            only=only,
        )

    def submission(self) -> Submission:
        """Unpack the submission."""
        return Submission(
            name=self.name,
            files=tuple(
                AcceptedFile(path, base64.b64decode(content))
                for path, content in self.files.items()
            ),
            ignored=self.ignored,
            notices=self.notices,
        )
