"""Colours and type of charts, light and dark.

Belongs here: the Vega configuration of a theme. A specification names styles and ranges, and no
colour, so that one specification serves both themes. The colours of groups differ in lightness as
well as in hue, so that people with a colour vision deficiency can tell them apart, and each has a
contrast of 4.5 : 1 against its ground, since labels have the colour of their line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from social_assets.serving.charts.vega import Specification

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"


@dataclass(frozen=True)
class Theme:
    """The colours of one theme."""

    name: str
    ground: str
    text: str
    muted: str
    grid: str
    categories: tuple[str, ...]
    ramp: tuple[str, ...]


LIGHT = Theme(
    name="light",
    ground="#ffffff",
    text="#1c2430",
    muted="#5b6675",
    grid="#e3e7ec",
    categories=(
        "#1f5fae",
        "#b8480b",
        "#127a52",
        "#8c3fa0",
        "#7a6100",
        "#0b7489",
        "#a8325c",
        "#5b6675",
        "#2f3b8f",
        "#4c5a16",
    ),
    ramp=("#eef4fb", "#bcd6ef", "#7fb0de", "#3f83c2", "#1f5fae", "#123a70"),
)
DARK = Theme(
    name="dark",
    ground="#171c23",
    text="#e8ecf1",
    muted="#a3afbd",
    grid="#2e3743",
    categories=(
        "#7db4f5",
        "#f59a5b",
        "#5fd3a2",
        "#dd9be8",
        "#e2c94f",
        "#5ccbe0",
        "#f58fb0",
        "#a3afbd",
        "#a9b1ff",
        "#b5c96a",
    ),
    ramp=("#1d2733", "#22405f", "#2c629a", "#4a8bcf", "#7db4f5", "#d3e6ff"),
)
THEMES = (LIGHT, DARK)


def themed(specification: Specification, theme: Theme) -> Specification:
    """The specification with the colours of a theme."""
    return {**specification, "config": configuration(theme)}


def configuration(theme: Theme) -> dict[str, Any]:
    """Vega-Lite's `config`."""
    axis = {
        "labelColor": theme.muted,
        "titleColor": theme.muted,
        "gridColor": theme.grid,
        "domainColor": theme.grid,
        "tickColor": theme.grid,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
    }
    return {
        "background": theme.ground,
        "font": FONT,
        "view": {"stroke": None},
        "axis": axis,
        "legend": {
            "labelColor": theme.text,
            "titleColor": theme.muted,
            "labelFontSize": 11,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
        },
        "range": {"category": list(theme.categories), "ramp": list(theme.ramp)},
        "mark": {"color": theme.categories[0]},
        "text": {"color": theme.text},
        "style": {
            "label": {"fill": theme.text, "fontSize": 11},
            "end_label": {"fontSize": 11, "fontWeight": 600},
            "before": {"color": theme.muted, "stroke": theme.muted},
            "before_label": {"fill": theme.muted, "fontSize": 11},
            "interval": {"color": theme.categories[0]},
            "spark": {"stroke": theme.categories[0]},
            "cell": {"stroke": theme.ground, "strokeWidth": 1},
        },
    }
