"""A course checkout with one small lab, whose staff's half must never leak."""

from pathlib import Path

MANIFEST = """\
schema = 1
slug = "demo"
title = "A demo lab"
files = [{ path = "demo/answer.py" }]

[limits]
cpu_seconds = 60

[[parts]]
id = "mechanics"
title = "Mechanics"
items = [
  { id = "first", title = "The first thing", points = 10 },
  { id = "second", title = "The second thing", points = 4 },
]
"""


def write_home(home: Path) -> Path:
    """Write the checkout with the lab `demo` into a folder and return it."""
    public = home / "assignments" / "demo"
    (public / "demo").mkdir(parents=True)
    (public / "assignment.toml").write_text(MANIFEST)
    (public / "README.md").write_text("# A demo lab\n\nReturn *42*. <script>alert(1)</script>\n")
    (public / "README.zh.md").write_text("# 演示\n\n返回 42。\n")
    (public / "demo" / "answer.py").write_text("def answer():\n    raise NotImplementedError\n")
    staff = home / "reference" / "demo"
    staff.mkdir(parents=True)
    (staff / "answer.py").write_text("def answer():\n    return 42  # STAFF-CANARY\n")
    return home


def mark_by_hand(home: Path) -> None:
    """Let a person mark the second item of `demo`, worth 4 points, as `report`."""
    manifest = home / "assignments" / "demo" / "assignment.toml"
    second = 'title = "The second thing", points = 4'
    report = f'id = "report", manual = true, {second}'
    manifest.write_text(manifest.read_text().replace(f'id = "second", {second}', report))
