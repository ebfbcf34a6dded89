"""Make every picture of the documents anew, and the transcript of `grader run`, from the demo.

`python docs/pictures.py` builds the demo course with its first lab alone, has it graded for real,
opens its pages in headless Chromium, and writes `docs/pictures/*.png` and the block between the
marks in README.md. It needs Chromium and takes some minutes.
"""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from grader.api import Catalogue
from portal.demo.uploads import uploads

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
LAB, TERM = "fnn", "demo-2026"
BEGIN, END = "<!-- grader run: docs/pictures.py writes this -->", "<!-- end of grader run -->"
WINDOW = {"width": 1180, "height": 800}
COLOURS = 96  # of a picture: enough for text and charts, a third of the bytes
PATIENCE = 3600  # seconds for grading, on a machine that has other things to do
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Picture:
    """A page of the demo: who opens it, the way there, and where the picture begins."""

    username: str
    address: str  # below the portal's
    clicks: tuple[str, ...] = ()  # what is clicked from there on
    top: str = "h1"  # what stands on top of the picture


SHOTS = {
    "result.png": Picture(
        "grace", "/", ("main table a >> nth=0", "main a:has-text('Attempt 1') >> nth=0")
    ),
    "explained.png": Picture(
        "grace",
        "/",
        (
            "main table a >> nth=0",
            "main a:has-text('Attempt 1') >> nth=0",
            "text=Explain this score",
        ),
    ),
    "marking.png": Picture("tao", f"/staff/{TERM}/inbox", ("main h2:text-is('To mark') ~ ul a",)),
    "dashboard.png": Picture("ines", f"/staff/{TERM}/dashboard"),
    "gradebook.png": Picture("ines", f"/staff/{TERM}/gradebook"),
    "settings.png": Picture("ines", f"/staff/{TERM}/settings"),
}


def main() -> None:
    """Make all of them."""
    with tempfile.TemporaryDirectory() as folder:
        home = _home(Path(folder))
        _write_transcript(_transcript(home, Path(folder)))
        with _portal(home, Path(folder)) as (address, passwords), sync_playwright() as playwright:
            program = next(filter(None, map(shutil.which, BROWSERS)))
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
            _wait_for_results(browser, address, passwords)
            PICTURES.mkdir(exist_ok=True)
            for name, shot in SHOTS.items():
                page = _page(browser, address, shot.username, passwords[shot.username])
                (PICTURES / name).write_bytes(_small(_take(page, address, shot)))
                page.context.close()
            browser.close()


def _home(folder: Path) -> Path:
    """Copy the course with one lab, so that nothing but this lab is graded."""
    home = folder / "course"
    for half in ("assignments", "reference"):
        shutil.copytree(ROOT / half / LAB, home / half / LAB)
    shutil.copytree(ROOT / "reference" / "datasets", home / "reference" / "datasets")
    return home


def _transcript(home: Path, folder: Path) -> str:
    """Grade three of the demo's uploads on the command line; return what it says."""
    given = folder / "submissions"
    given.mkdir()
    sent = dict(uploads(Catalogue(home).get(LAB)))  # the last one of each
    for username in ("ada", "emmy", "grace"):
        (given / f"{username}.zip").write_bytes(sent[username].data)
    command = ["grader", "run", "--assignment", LAB, "submissions/"]
    said = subprocess.run(  # noqa: S603
        [Path(sys.executable).with_name("grader"), *command[1:]],
        cwd=folder,
        env={**os.environ, "GRADER_HOME": str(home), "COLUMNS": "90"},
        capture_output=True,
        text=True,
        check=False,
    )
    if said.returncode:
        raise SystemExit(said.stdout + said.stderr)
    return f"$ {' '.join(command)}\n{said.stdout.strip()}"


def _write_transcript(text: str) -> None:
    readme = ROOT / "README.md"
    before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise SystemExit(f"README.md has no {BEGIN!r} and {END!r} around the transcript")
    readme.write_text(f"{before}{BEGIN}\n```text\n{text}\n```\n{END}{after}", encoding="utf-8")


@contextmanager
def _portal(home: Path, folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Serve the demo; give its address and the passwords of its people."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [Path(sys.executable).with_name("portal"), "demo", "--port", port]
    server = subprocess.Popen(  # noqa: S603
        [*command, "--instance", str(folder / "instance")],
        env={**os.environ, "GRADER_HOME": str(home), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        passwords: dict[str, str] = {}
        for line in server.stdout or ():
            words = line.split()
            if words[0] in {"student", "ta", "instructor"}:
                passwords[words[1]] = words[2]
            if line.startswith("The portal is at"):
                break
        yield f"http://127.0.0.1:{port}", passwords
    finally:
        server.terminate()
        server.wait()


def _page(browser: Browser, address: str, username: str, password: str) -> Page:
    """Log somebody in."""
    page = browser.new_context(viewport=WINDOW, base_url=address, locale="en").new_page()
    page.set_default_timeout(120_000)
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            page.goto("/login")
            break
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
    page.fill("[name=username]", username)
    page.fill("[name=password]", password)
    page.click("main button[type=submit]")
    return page


def _wait_for_results(browser: Browser, address: str, passwords: dict[str, str]) -> None:
    page = _page(browser, address, "ines", passwords["ines"])
    deadline = time.monotonic() + PATIENCE
    while True:
        page.goto(f"/staff/{TERM}/submissions")
        if not page.locator("main tbody .chip.info").count():
            break
        if time.monotonic() > deadline:
            raise SystemExit("grading has taken too long")
        time.sleep(5)
    page.context.close()


def _take(page: Page, address: str, shot: Picture) -> bytes:
    """Walk to a page and take what its window shows, from its heading on."""
    page.goto(shot.address)
    for where in shot.clicks:
        page.click(where)
        page.wait_for_load_state()
    page.wait_for_load_state("networkidle")
    page.evaluate(
        "top => scrollTo(0, document.querySelector(top).getBoundingClientRect().top - 24)",
        shot.top,
    )
    return page.screenshot()


def _small(png: bytes) -> bytes:
    """Return a picture with few colours: a page has not many more."""
    out = io.BytesIO()
    image = Image.open(io.BytesIO(png)).convert("RGB")
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    main()
