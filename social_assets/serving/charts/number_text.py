"""Numbers as people read them, by unit: thousands apart, percent, hours of many minutes.

Belongs here: the texts of values, and the formats of axes. The page shows these texts as they are,
so that page, report and table can't differ.
"""

from __future__ import annotations

from datetime import datetime

from social_assets.metrics.grain import Grain

MISSING = "–"  # noqa: RUF001 - a dash in a table
RATIO, MINUTES = "ratio", "minutes"
_LARGE = ((1e12, "T"), (1e9, "B"), (1e6, "M"))

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def number_text(value: float | None, unit: str, *, is_whole: bool, is_short: bool = False) -> str:
    """A value with its unit where the unit is not plain: `1,234`, `12.3%`, `4.5 min`."""
    if value is None:
        return MISSING
    if unit == RATIO:
        return _percent(value)
    if unit == MINUTES:
        if is_short and abs(value) >= 600:
            return f"{number_text(value / 60, '', is_whole=True, is_short=True)} h"
        return f"{_plain(value, is_whole=is_whole)} min"
    return _short(value, is_whole=is_whole) if is_short else _plain(value, is_whole=is_whole)


def change_text(change: float | None) -> str:
    """A relative change, with its sign: `+12.3%`."""
    if change is None:
        return MISSING
    if abs(change) >= 10:
        return f"{change + 1:,.0f}x"
    return f"{change:+.1%}".replace("-", "\u2212")


def axis_format(greatest: float, unit: str) -> str:
    """A d3 format for the labels of an axis from zero to the greatest value."""
    if unit == RATIO:
        return ".0%" if greatest > 0.08 else ".1%" if greatest > 0.008 else ".2%"
    if greatest < 5:
        return ".2~f"
    return ",~f" if greatest < 10_000 else "~s"


def group_text(dimension: str, label: str) -> str:
    """How a page names a group: weekdays by name, hours with two digits."""
    if dimension == "weekday" and label.isdigit() and 1 <= int(label) <= 7:
        return WEEKDAYS[int(label) - 1]
    if dimension in ("hour_of_day", "told_hour"):
        if label == "-1":
            return "unknown"
        return label.zfill(2)
    return label or "(none)"


def time_text(bucket: datetime, grain: Grain) -> str:
    """A bucket's begin, in the zone it is given in."""
    if grain is Grain.HOUR:
        return f"{bucket:%a %-d %b %Y, %H:%M}"
    if grain is Grain.MONTH:
        return f"{bucket:%B %Y}"
    if grain is Grain.WEEK:
        return f"week of {bucket:%-d %b %Y}"
    return f"{bucket:%a %-d %b %Y}"


def _percent(value: float) -> str:
    percent = abs(value) * 100
    digits = 0 if percent >= 1000 else 1 if percent >= 1 else 2
    return f"{value * 100:,.{digits}f}%"


def _short(value: float, *, is_whole: bool) -> str:
    for size, letter in _LARGE:
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value / 1_000:.0f}k" if abs(value) >= 100_000 else _plain(value, is_whole=is_whole)


def _plain(value: float, *, is_whole: bool) -> str:
    if is_whole or abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:,.1f}" if abs(value) >= 100 else f"{value:,.2f}"
