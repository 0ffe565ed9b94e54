"""Pages that people keep: one form for all of them, and none of them runs, fetches or tells anything."""

import re
from pathlib import Path

from polyb0t.research import pages
from polyb0t.research.charts import Axis, Point, curve_chart, interval_chart, span_of
from polyb0t.research.report_words import Heading, Sheet

RESEARCH = Path(pages.__file__).parent


def test_every_page_forbids_scripts_and_fetching() -> None:
    page = pages.page("A title", ["<p>text</p>"])

    assert page.startswith("<!doctype html>")
    assert "Content-Security-Policy" in page and "default-src 'none'" in page
    assert page.index("Content-Security-Policy") < page.index("<style>")


def test_there_is_one_place_that_begins_a_page() -> None:
    begun = [path.name for path in RESEARCH.rglob("*.py") if "<!doctype" in path.read_text(encoding="utf-8")]

    assert begun == ["pages.py"]


def test_text_from_outside_is_text() -> None:
    evil = "<script>alert(1)</script>"
    found = Sheet((Heading(evil, text=True),), ((evil,),), None)

    page = pages.page(
        evil,
        [
            *pages.facts([(evil, evil)]),
            pages.paragraph(evil),
            pages.bullets([evil]),
            *pages.section(evil, found),
        ],
    )

    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 9


def test_a_chart_stays_inside_its_frame_and_marks_zero() -> None:
    points = [Point(0, -1.0, -2.0, 0.5), Point(1, 3.0, 2.0, 4.0)]
    low, high = span_of(points)
    across, up = Axis(0, 1, "from", "to & on"), Axis(low, high, "low", "high")

    chart = interval_chart("Two", points, across, up, ["a", "b"]) + curve_chart("One", points, across, up)

    assert "to &amp; on" in chart and ">0<" in chart
    numbers = [float(each) for each in re.findall(r'(?:cx|cy)="([-\d.]+)"', chart)]
    assert len(numbers) == 4 and all(0 <= each <= 720 for each in numbers)


def test_one_point_is_drawn_in_the_middle() -> None:
    point = [Point(5.0, 2.0)]

    assert 'cx="375.0"' in interval_chart("One", point, Axis(5, 5, "", ""), Axis(2, 2, "", ""))
