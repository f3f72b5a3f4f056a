"""The result of a build, for people: rows, rejections, checks, samples, locations.

Belongs here: the display. Every figure is read from the stores.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import DEFAULT_HOME, Home
from social_assets.contracts.registry import contracts
from social_assets.defs.ingestion.checks.rule_results import broken_rules
from social_assets.defs.stores import StoresResource
from social_assets.operate.query import run_query
from social_assets.operate.runs.start import RunReport
from social_assets.operate.status import StreamStatus, stream_statuses

RECOMMENDATIONS = 5


def show_summary(home: Home, console: Console, reports: Sequence[RunReport]) -> None:
    """Read back and print what the runs have made."""
    _show_layers(console, stream_statuses())
    _show_rejections(console)
    _show_checks(console, reports)
    _show_rollups(console)
    _show_recommendations(console)
    _show_places(home, console)
    _show_next_commands(home, console)


def _show_layers(console: Console, statuses: Sequence[StreamStatus]) -> None:
    table = _table(
        "Rows by layer", "stream", "raw", "cleaned", "duplicates", "rejected", "warehouse"
    )
    for s in statuses:
        counts = (s.raw, s.cleaned, s.duplicates, s.rejected, s.warehouse)
        table.add_row(s.stream, *(f"{n:,}" for n in counts))
    console.print(table)


def _show_rejections(console: Console) -> None:
    stores = StoresResource(clickhouse=ClickHouseResource()).stores()
    table = _table("Rejected by reason", "stream", "reason", "records")
    for contract in contracts():
        broken = broken_rules(stores.of(contract))
        for rule, found in sorted(broken.items(), key=lambda item: -item[1].records):
            table.add_row(contract.name, rule, f"{found.records:,}")
    console.print(table)


def _show_checks(console: Console, reports: Sequence[RunReport]) -> None:
    counts = sum((report.check_counts for report in reports), start=Counter[str]())
    console.print(
        f"\n[bold]Checks[/]: {counts['passed']} passed, {counts['warned']} warned "
        f"(rejected records within the contract's limits), {counts['failed']} failed; "
        f"{sum(report.materialized for report in reports):,} materializations"
    )
    for report in reports:
        for failed in report.failed_checks:
            console.print(f"  failed: {failed}")


def _show_rollups(console: Console) -> None:
    names, rows = run_query(
        "SELECT database, name FROM system.tables WHERE database = 'rollups'\n"
        "  AND engine = 'View' ORDER BY name"
    )
    for database, view in rows:
        names, sample = run_query(f"SELECT * FROM {database}.{view} LIMIT 1")
        table = _table(f"{database}.{view}", "column", "value")
        for name, value in zip(names, sample[0] if sample else [], strict=False):
            table.add_row(name, str(value))
        console.print(table)


def _show_recommendations(console: Console) -> None:
    _, rows = run_query(
        "SELECT t.user_id, t.rank, t.item_id, round(toFloat64(t.score), 3)\n"
        "FROM recsys.top_n AS t\n"
        "WHERE t.user_id = (SELECT min(user_id) FROM recsys.top_n)\n"
        f"ORDER BY t.rank LIMIT {RECOMMENDATIONS}"
    )
    title = f"Recommended to user {rows[0][0]}" if rows else "No recommendations"
    table = _table(title, "rank", "item", "score")
    for _, rank, item, score in rows:
        table.add_row(str(rank), str(item), str(score))
    console.print(table)


def _show_places(home: Home, console: Console) -> None:
    endpoint = ClickHouseResource().endpoint()
    console.print(
        f"\nDelta tables  {home.lake}\n"
        f"ClickHouse    {endpoint.url}, user {endpoint.user}\n"
        f"Artifacts     {home.artifacts}"
    )


def _show_next_commands(home: Home, console: Console) -> None:
    console.print("\n[bold]Next[/]")
    is_default = home == Home(Path(DEFAULT_HOME))
    command = (
        "social-assets" if is_default else f"social-assets --home {shlex.quote(str(home.path))}"
    )
    for then, why in (
        ("dev", "Dagster UI on http://127.0.0.1:3000, dashboards on http://127.0.0.1:8080"),
        ("status", "rows by layer, and what waits"),
        ('sql "SELECT * FROM rollups.engagement_overview LIMIT 5"', "any query"),
        ("load posts FILE", "files of your own"),
        ("doctor", "whether anything is wrong"),
        ("stop", "ends the embedded ClickHouse"),
    ):
        console.print(f"  {command} {then}", soft_wrap=True, highlight=False, markup=False)
        console.print(f"      {why}", style="dim")


def _table(title: str, *columns: str) -> Table:
    table = Table(*columns, title=title, title_justify="left", box=None, header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right" if column.header not in ("reason", "value", "item") else "left"
    return table
