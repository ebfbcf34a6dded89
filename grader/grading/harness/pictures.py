"""Pictures of a run, drawn by the trusted process from plain numbers."""

from __future__ import annotations

import hashlib
import io

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from grader.grading.collected import TestSpec
from grader.grading.harness.run import SuiteRun
from grader.report.report import Artifact, Visibility

_SIZE_INCHES = (6.4, 4.0)
_DPI = 120


class Pictures:
    """The pictures of one test."""

    def __init__(self, run: SuiteRun, spec: TestSpec) -> None:
        self._run = run
        self._spec = spec
        self._drawn: list[tuple[str, str, Visibility, Figure]] = []

    def axes(self, name: str, caption: str, visibility: Visibility) -> Axes:
        """Return fresh axes; what is drawn on them is saved under `name`."""
        figure = Figure(figsize=_SIZE_INCHES, dpi=_DPI, layout="constrained")
        self._drawn.append((name, caption, visibility, figure))
        return figure.subplots()

    def save(self) -> None:
        """Render every picture to PNG and add it to the run's artifacts."""
        for name, caption, visibility, figure in self._drawn:
            buffer = io.BytesIO()
            # Without the metadata the same picture has the same digest at every regrade.
            figure.savefig(buffer, format="png", metadata={"Software": None})
            data = buffer.getvalue()
            digest = hashlib.sha256(data).hexdigest()
            self._run.pictures[digest] = data
            self._run.artifacts.append(
                Artifact(
                    name=name,
                    caption=caption,
                    sha256=digest,
                    test=self._spec.id,
                    visibility=visibility,
                )
            )
