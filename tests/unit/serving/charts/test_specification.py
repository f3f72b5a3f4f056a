"""The specification of a tile: axes, labels, themes, descriptions."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
import vl_convert

from social_assets.metrics.grain import Grain
from social_assets.serving.charts.figures import ColumnRole, TileColumn, TileFigures
from social_assets.serving.charts.number_text import change_text, number_text
from social_assets.serving.charts.specification import specification
from social_assets.serving.charts.theme import DARK, LIGHT, THEMES, Theme, themed
from social_assets.serving.charts.tile import Chart, Tile, TileError
from social_assets.serving.dashboards.health.tile import HealthTile
from social_assets.serving.dashboards.registry import dashboards

VALUE = TileColumn("likes", "Likes", ColumnRole.VALUE, is_whole=True)
GROUP = TileColumn("platform", "Platform", ColumnRole.GROUP)
BUCKET = TileColumn("bucket", "Time", ColumnRole.TIME)
LINES = Tile("t", "Likes", ("likes",), Chart.LINE, by=("platform",))


def over_time(groups: int, days: int = 5) -> TileFigures:
    begin = datetime(2026, 11, 1)
    rows = [
        (begin + timedelta(days=day), f"group {group}", 100 + group)
        for group in range(groups)
        for day in range(days)
    ]
    return TileFigures((BUCKET, GROUP, VALUE), tuple(rows), Grain.DAY)


def test_seventeen_dashboards_are_declared() -> None:
    assert len(dashboards()) == 17


def test_labels_of_close_lines_do_not_cover_each_other() -> None:
    spec = specification(LINES, over_time(8))
    assert spec is not None
    labels = next(layer["data"]["values"] for layer in spec["layer"] if "data" in layer)
    places = sorted(label["at"] for label in labels)
    greatest = spec["layer"][0]["encoding"]["y"]["scale"]["domain"][1]
    assert all(b - a >= greatest * 13 / spec["height"] for a, b in pairwise(places))
    assert places[-1] <= greatest * 1.1


def test_the_axis_of_lines_reaches_the_values_below_zero() -> None:
    column = TileColumn("sentiment", "Sentiment", ColumnRole.VALUE, "score")
    begin = datetime(2026, 11, 1)
    rows = tuple((begin + timedelta(days=n), -0.7 + n * 0.5) for n in range(3))
    tile = Tile("t", "Sentiment", ("sentiment",), Chart.LINE)
    spec = specification(tile, TileFigures((BUCKET, column), rows, Grain.DAY))
    assert spec is not None
    assert spec["layer"][0]["encoding"]["y"]["scale"]["domain"] == pytest.approx([-0.8, 0.3])


@pytest.mark.parametrize("chart", [Chart.BARS, Chart.COLUMNS])
def test_bars_begin_at_zero(chart: Chart) -> None:
    tile = Tile("t", "Likes", ("likes",), chart, by=("platform",))
    figures = TileFigures((GROUP, VALUE), (("A", 1000), ("B", 1001)))
    spec = specification(tile, figures)
    assert spec is not None
    assert '"domain": [0, ' in str(spec).replace("'", '"') or "'zero': True" in str(spec)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_every_colour_of_a_theme_can_be_read_on_its_ground(theme: Theme) -> None:
    for color in (*theme.categories, theme.text, theme.muted):
        assert contrast(color, theme.ground) >= 4.5, color


def test_a_specification_names_no_colour() -> None:
    spec = specification(LINES, over_time(3))
    assert "#" not in str(spec)
    assert themed(spec or {}, DARK)["config"]["background"] == DARK.ground


@pytest.mark.parametrize(
    ("chart", "by", "figures"),
    [
        (Chart.LINE, ("platform",), over_time(3)),
        (Chart.STACK, ("platform",), over_time(3)),
        (Chart.BARS, ("platform",), TileFigures((GROUP, VALUE), (("A", 3), ("B", None)))),
        (Chart.COLUMNS, ("weekday",), TileFigures((GROUP, VALUE), (("1", 3), ("7", 1)))),
    ],
)
def test_vega_draws_every_chart_for_the_report(
    chart: Chart, by: tuple[str, ...], figures: TileFigures
) -> None:
    spec = specification(Tile("t", "Likes", ("likes",), chart, by=by), figures)
    assert "<svg" in vl_convert.vegalite_to_svg(themed(spec or {}, LIGHT))


LIFTS = TileFigures(
    (
        TileColumn("compared", "Metric and variant", ColumnRole.GROUP),
        TileColumn("lift", "Lift", ColumnRole.VALUE, "ratio"),
        TileColumn("low", "Lower bound", ColumnRole.LOW, "ratio"),
        TileColumn("high", "Upper bound", ColumnRole.HIGH, "ratio"),
    ),
    (("Likes, newest", 0.05, 0.01, 0.09), ("Clicks, newest", None, None, None)),
)
INTERVALS = HealthTile("t", "Lift", Chart.INTERVALS, lambda _: LIFTS, "", ())


def test_intervals_show_zero_and_leave_out_what_is_not_known() -> None:
    spec = specification(INTERVALS, LIFTS)
    assert spec is not None
    assert [row["g"] for row in spec["data"]["values"]] == ["Likes, newest"]
    least, greatest = spec["layer"][1]["encoding"]["x"]["scale"]["domain"]
    assert least < 0 and greatest > 0.09
    assert "#" not in str(spec)
    assert "<svg" in vl_convert.vegalite_to_svg(themed(spec, LIGHT))


def test_intervals_are_no_chart_of_metrics() -> None:
    with pytest.raises(TileError, match="shows no metrics"):
        Tile("t", "T", ("likes",), Chart.INTERVALS, by=("platform",))


EXPECTED = TileFigures(
    (
        BUCKET,
        TileColumn("actual", "Actual", ColumnRole.VALUE, is_whole=True),
        TileColumn("forecast", "Expected", ColumnRole.VALUE, is_whole=True),
        TileColumn("low", "Lower bound", ColumnRole.LOW, is_whole=True),
        TileColumn("high", "Upper bound", ColumnRole.HIGH, is_whole=True),
    ),
    (
        (datetime(2026, 11, 1), 100.0, 101.0, 90.0, 112.0),
        (datetime(2026, 11, 2), 150.0, 102.0, 91.0, 113.0),
        (datetime(2026, 11, 3), None, 103.0, 92.0, 114.0),
    ),
    Grain.DAY,
)
BAND = HealthTile("t", "Engagement", Chart.BAND, lambda _: EXPECTED, "", ())


def test_a_band_marks_values_outside_of_it_and_goes_on_where_nothing_is_known() -> None:
    spec = specification(BAND, EXPECTED)
    assert spec is not None
    data = spec["data"]["values"]
    assert [row["outside"] for row in data] == [None, 150.0, None]
    assert data[1]["tip"] == "Mon 2 Nov 2026\n150, expected 102\n95 %: 91 to 113"
    assert data[2]["v"] is None
    least, greatest = spec["layer"][0]["encoding"]["y"]["scale"]["domain"]
    assert least == 0
    assert greatest > 150
    assert "#" not in str(spec)
    assert "<svg" in vl_convert.vegalite_to_svg(themed(spec, LIGHT))


def test_bands_of_several_groups_have_a_colour_each() -> None:
    columns, rows = EXPECTED.columns, EXPECTED.rows
    both = tuple((at, name, *values) for name in ("X", "YouTube") for at, *values in rows)
    figures = TileFigures((columns[0], GROUP, *columns[1:]), both, Grain.DAY)
    spec = specification(BAND, figures)
    assert spec is not None
    assert spec["layer"][0]["encoding"]["color"]["scale"]["domain"] == ["X", "YouTube"]
    assert "<svg" in vl_convert.vegalite_to_svg(themed(spec, DARK))


def test_a_band_is_no_chart_of_metrics() -> None:
    with pytest.raises(TileError, match="shows no metrics"):
        Tile("t", "T", ("likes",), Chart.BAND)


def test_a_chart_has_no_second_axis() -> None:
    with pytest.raises(TileError, match="one axis can't show"):
        Tile("t", "T", ("likes", "engagement_rate"), Chart.LINE)


def test_what_does_not_add_up_is_not_stacked() -> None:
    with pytest.raises(TileError, match="do not add up"):
        Tile("t", "T", ("unique_users",), Chart.STACK, by=("platform",))


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.1234, "ratio", "12.3%"),
        (0.00123, "ratio", "0.12%"),
        (1234567, "likes", "1.23M"),
        (90_000, "minutes", "1,500 h"),
        (None, "likes", "\u2013"),
    ],
)
def test_numbers_are_short_and_have_their_unit(value: float | None, unit: str, text: str) -> None:
    assert number_text(value, unit, is_whole=True, is_short=True) == text


def test_a_change_has_its_sign() -> None:
    assert [change_text(c) for c in (0.5, -0.25, None)] == ["+50.0%", "\u221225.0%", "\u2013"]


def contrast(one: str, other: str) -> float:
    """WCAG 2."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: str) -> float:
    parts = [int(color[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
