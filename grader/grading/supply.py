"""The empty sandboxes that a grading server keeps ready, and who gets them."""

from __future__ import annotations

import selectors
from collections.abc import Callable
from functools import partial

from grader.errors import SandboxError
from grader.grading.job import Setup
from grader.lab.manifest import Assignment
from grader.sandbox import SandboxSpec
from grader.sandbox.confinement import Confinement
from grader.sandbox.pool import Nursery

Libraries = tuple[str, ...]


class SandboxSupply:
    """The nurseries of one lab, one for each set of libraries that a sandbox hides."""

    def __init__(
        self,
        assignment: Assignment,
        confinement: Confinement,
        setup: Setup,
        selector: selectors.BaseSelector,
        on_lost: Callable[[Nursery, SandboxError], None],
    ) -> None:
        """Keep sandboxes as `setup` says; `selector` calls when one is ready.

        `on_lost` hears of a nursery whose zygote has ended, and every sandbox of it too.
        """
        self._assignment = assignment
        self._confinement = confinement
        self._setup = setup
        self._selector = selector
        self._on_lost = on_lost
        self._nurseries: dict[Libraries, Nursery] = {}

    def warm_up(self) -> set[Libraries]:
        """Start a zygote for each kind of part, and return the kinds by what they hide."""
        kinds = {
            part.without
            for part in self._assignment.parts
            if not all(item.manual for item in part.items)
        }
        for hide in sorted(kinds):
            self.nursery(hide)
        return kinds

    def nursery(self, hide: Libraries) -> Nursery:
        """Return the nursery of the sandboxes without these libraries, a new one if need be."""
        if hide not in self._nurseries:
            nursery = Nursery(self._confinement, self._spec(hide), self._setup.idle)
            self._nurseries[hide] = nursery
            self._selector.register(
                nursery, selectors.EVENT_READ, partial(self._collect, hide, nursery)
            )
        return self._nurseries[hide]

    def _spec(self, hide: Libraries) -> SandboxSpec:
        limits = self._assignment.limits
        return SandboxSpec(
            hide=hide,
            warm=tuple(name for name in ("numpy", "torch") if name not in hide),
            memory_mb=limits.memory_mb,
            cpu_seconds=int(limits.cpu_seconds) + 60,
            gpu=self._assignment.gpu,
            conceal=(self._setup.reference.parent, *self._setup.conceal),
        )

    def _collect(self, hide: Libraries, nursery: Nursery) -> None:
        try:
            nursery.collect()
        except SandboxError as error:
            self._selector.unregister(nursery)
            del self._nurseries[hide]  # whoever needs one next gets a new zygote
            self._on_lost(nursery, error)
            nursery.close()

    def release(self) -> None:
        """Close this process's ends alone: it is a fork, and the sandboxes are its parent's."""
        for nursery in self._nurseries.values():
            nursery.release()

    def close(self) -> None:
        """End every zygote, and with it its sandboxes."""
        for nursery in self._nurseries.values():
            nursery.close()
