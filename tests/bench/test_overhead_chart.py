"""The picture is an SVG on a white card, the same for the same figures."""

from overhead import chart
from overhead.figures import Figures


def test_the_picture_is_repeatable(tmp_path):
    found = [
        Figures(name, 3, cpu, cpu, cpu, cpu, cpu, cpu, 30.0, 60.0, None, 500.0, *[(cpu, cpu)] * 2)
        for name, cpu in (("ours", 0.4), ("pytest", 2.0), ("floor", 0.0))
    ]
    titles = {name: name for name in ("ours", "pytest", "floor")}
    files = [tmp_path / "one.svg", tmp_path / "two.svg"]
    for file in files:
        chart.draw(found, titles, file)
    first, second = (file.read_text() for file in files)
    assert first == second
    assert "fill: #ffffff" in first
