"""People in front of a browser, whose clicks and keys are counted, step by step."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Error, Page

# What axe looks at: all of it in the light, and what a scheme changes in the dark.
LIGHT = "{}"
DARK = "{runOnly: {type: 'rule', values: ['color-contrast', 'link-in-text-block']}}"


@dataclass
class Step:
    """What one step of a journey took."""

    name: str
    clicks: int = 0
    keys: int = 0
    seconds: float = 0.0


@dataclass
class Journey:
    """The steps so far, and what axe found on the pages that were met for the first time."""

    axe: str  # the checker's script
    steps: list[Step] = field(default_factory=list)
    pages: set[str] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count what happens in the block under a name; looking at pages takes no time of it.

        What several people do in turn is one step: a name that was there before goes on.
        """
        known = next((one for one in self.steps if one.name == name), Step(name))
        if known in self.steps:
            self.steps.remove(known)
        self.steps.append(known)
        began = time.perf_counter()
        yield
        self.steps[-1].seconds += time.perf_counter() - began

    def table(self) -> str:
        """Return the steps as a table, their sums at the end."""
        whole = Step("together")
        for one in self.steps:
            whole.clicks += one.clicks
            whole.keys += one.keys
            whole.seconds += one.seconds
        lines = [f"{'step':<58} {'clicks':>6} {'keys':>6} {'seconds':>8}"]
        lines += [
            f"{one.name:<58} {one.clicks:>6} {one.keys:>6} {one.seconds:>8.1f}"
            for one in (*self.steps, whole)
        ]
        return "\n".join(lines)

    def look(self, page: Page) -> None:
        """Check a page's accessibility and width, light and dark, when its kind is new."""
        kind = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\b\d+\b", "*", page.url.split("/", 3)[3])
        kind = f"{kind.partition('?')[0]} {page.title()}"
        if kind in self.pages:
            return
        began = time.perf_counter()
        self.pages.add(kind)
        for scheme, rules in (("light", LIGHT), ("dark", DARK)):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            self.violations += [f"{kind}, {scheme}: {one}" for one in self._found_on(page, rules)]
        page.emulate_media(color_scheme="light")
        if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            self.violations.append(f"{kind}: wider than its window")
        self.steps[-1].seconds -= time.perf_counter() - began

    def _found_on(self, page: Page, rules: str, tries: int = 3) -> list[str]:
        """Return what axe finds; a page that loads itself anew meanwhile is looked at again."""
        run = (
            f"axe.run({rules}).then(r => r.violations.map(v => `${{v.id}}: ${{v.nodes[0].html}}`))"
        )
        for left in reversed(range(tries)):
            try:
                page.evaluate(self.axe)
                return list(page.evaluate(run))
            except Error:
                if not left:
                    raise
                page.wait_for_load_state()
        raise AssertionError("tries is at least one")


@dataclass
class Somebody:
    """A person in front of a page."""

    page: Page
    journey: Journey
    username: str = ""  # of who has logged in

    def go(self, address: str) -> None:
        """Open a page by its address, which is typed."""
        self.page.goto(address)
        self.journey.steps[-1].keys += len(address) + 1
        self.journey.look(self.page)

    def click(self, where: str) -> None:
        """Click something, and look at the page where that leads."""
        self.page.click(where)
        self._settle()
        self.journey.steps[-1].clicks += 1

    def fill(self, where: str, text: str) -> None:
        """Click into a field and type."""
        self.page.fill(where, text)
        self.journey.steps[-1].clicks += 1
        self.journey.steps[-1].keys += len(text)

    def choose(self, where: str, label: str) -> None:
        """Open a list and choose from it."""
        value = self.page.locator(f"{where} option", has_text=label).first.get_attribute("value")
        self.page.select_option(where, value)
        self.journey.steps[-1].clicks += 2

    def attach(self, where: str, name: str, data: bytes) -> None:
        """Press a file's button and choose the file."""
        sent = {"name": name, "mimeType": "application/octet-stream", "buffer": data}
        self.page.set_input_files(where, [sent])
        self.journey.steps[-1].clicks += 2

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)
        self.journey.steps[-1].keys += len(keys)

    def type(self, text: str) -> None:
        """Type where the cursor is."""
        self.page.keyboard.type(text)
        self.journey.steps[-1].keys += len(text)

    def enter(self) -> None:
        """Press Enter, which sends a form or follows a link, and wait for the next page."""
        with self.page.expect_navigation():
            self.press("Enter")
        self._settle()

    def tab_until(self, wanted: str, most: int = 60) -> None:
        """Press Tab until the cursor is on what a selector finds."""
        for _ in range(most):
            self.press("Tab")
            if self.page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
                return
        raise AssertionError(f"{wanted} is not reached within {most} tabs")

    def wait(self, until: Callable[[Page], bool], tries: int = 240) -> None:
        """Reload the page until something is seen."""
        for _ in range(tries):
            if until(self.page):
                return
            self.page.wait_for_timeout(1000)
            self.page.reload()
        raise AssertionError(f"not seen on {self.page.url}")

    def _settle(self) -> None:
        self.page.wait_for_load_state()
        self.journey.look(self.page)
