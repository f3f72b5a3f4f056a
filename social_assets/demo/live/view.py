"""The display of a live demonstration in a terminal: one page, drawn again each second.

Belongs here: only drawing; the figures are given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from social_assets.demo.live.figures import Rollup, ShownFigures
from social_assets.demo.live.freshness import Delays

BAR_WIDTH = 18

KEEPS_NOTHING = (
    "The broker lives in this process and keeps nothing: its topics end with the demo. "
    "What was read stays in the lake. For a broker that keeps data: make kafka"
)


@dataclass(frozen=True)
class Moment:
    """The values shown at one moment. `behind` and `delays` are in seconds, of engagement
    events.
    """

    elapsed: float
    ui: str
    rate: float
    sent: Mapping[str, int]
    held_back: int
    figures: ShownFigures
    behind: float
    delays: Delays | None


def page(now: Moment) -> Group:
    """The whole page."""
    rollups = Columns(
        [
            _rollup("rollups.engagement_hourly, events of this hour", now.figures.by_metric),
            _rollup("rollups.platform_daily, interactions of today", now.figures.by_platform),
        ],
        padding=(0, 4),
    )
    parts: list[RenderableType] = [
        Panel(Text(KEEPS_NOTHING), title="demo-live", title_align="left", border_style="yellow"),
        Text(
            f"UI  {now.ui}    {now.elapsed:4.0f} s    {now.rate:,.0f} records/s    Ctrl-C ends it"
        ),
        Text(""),
        _streams(now),
        Text(""),
        Text.assemble(("Freshness  ", "bold"), freshness(now)),
        Text(""),
        rollups,
    ]
    return Group(*parts)


def line(now: Moment) -> str:
    """The values in one line, for output that is not a terminal."""
    sent, figures = sum(now.sent.values()), now.figures
    return (
        f"{now.elapsed:5.0f} s  sent {sent:,}  lag {figures.lag:,}  "
        f"accepted {sum(s.accepted for s in figures.streams.values()):,}  "
        f"in engagement_hourly {figures.counted:,}  {freshness(now)}{_held_back(now)}"
    )


def freshness(now: Moment) -> str:
    """The time from an event's creation to its count in the hourly rollup, in words."""
    if now.delays is None:
        return f"the first drains are starting; no event is counted yet, after {now.behind:.1f} s"
    return (
        f"created to counted in the rollup: p50 {now.delays.p50:.2f} s, p95 {now.delays.p95:.2f} s "
        f"(last minute); oldest event not yet counted: {now.behind:.1f} s"
    )


def _streams(now: Moment) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("topic")
    for name in ("sent", "in the lake", "lag", "accepted", "quarantined"):
        table.add_column(name, justify="right", min_width=11)
    for name, stream in now.figures.streams.items():
        table.add_row(
            name,
            f"{now.sent.get(name, 0):,}",
            f"{stream.read:,}",
            Text(f"{stream.lag:,}", style="yellow" if stream.lag else "green"),
            f"{stream.accepted:,}",
            f"{max(0, stream.read - stream.accepted):,}",
        )
    if now.held_back:
        table.caption_justify = "left"
        table.caption = _held_back(now).strip()
    return table


def _held_back(now: Moment) -> str:
    if not now.held_back:
        return ""
    return f"  {now.held_back:,} records not made up: the broker would have dropped unread ones"


def _rollup(title: str, rows: Sequence[Rollup]) -> Table:
    table = Table(title=title, title_justify="left", box=None, show_header=False, pad_edge=False)
    most = max((row.count for row in rows), default=0)
    for row in rows:
        bar = "█" * max(1, round(BAR_WIDTH * row.count / most)) if most else ""
        table.add_row(row.name, Text(f"{row.count:,}", justify="right"), Text(bar, style="cyan"))
    return table
