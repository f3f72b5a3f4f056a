"""The demonstration: seeded sample files through the whole graph, and a summary of what came out.

Here belongs the order of it and what is shown. The files are `samples`', the runs are `runs`', and
every figure in the summary is read back from the stores.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from time import perf_counter

from rich.console import Console
from rich.table import Table

from resources.clickhouse import ClickHouseResource
from resources.home import Home
from resources.stores import StoresResource
from social_assets.checks.contract_rules import broken_rules
from social_assets.contracts.registry import contracts
from social_assets.defs.warehouse_deployment import deploy_warehouse
from social_assets.operate.query import run_query
from social_assets.operate.runs import Progress, RunReport, rebuild_days, recommend
from social_assets.operate.status import StreamStatus, stream_statuses
from social_assets.samples import generate

RECOMMENDATIONS = 5


@dataclass(frozen=True)
class Days:
    """The days that the samples cover: as many as asked for, ending yesterday."""

    first: date
    last: date


def run_demo(home: Home, console: Console, *, events: int, days: int, seed: int) -> None:
    """Generate, build, recommend, summarize. Raises RunFailedError if a run fails."""
    started = perf_counter()
    last = datetime.now(UTC).date() - timedelta(days=1)
    span = Days(last - timedelta(days=days - 1), last)

    def progress(line: str) -> None:
        console.print(f"  [dim]{perf_counter() - started:6.1f} s[/]  {line}")

    # dbt makes the warehouse's tables in a process of its own, for which the second core is free;
    # whoever needs them waits for it.
    with ThreadPoolExecutor(1) as beside:
        deployment = beside.submit(deploy_warehouse, ClickHouseResource().endpoint(), home)
        console.print(f"[bold]1. {events:,} events over {days} days, as files[/]")
        files = generate(home.landing, events=events, days=days, end=last, seed=seed)
        progress(f"{len(files)} files, {sum(f.records for f in files):,} records in {home.landing}")
        console.print("[bold]2. raw, cleaned, star, rollups and their checks[/]")
        built = rebuild_days(home, span.first, span.last, (), progress)
        deployment.result()
    console.print("[bold]3. recommenders[/]")
    trained = recommend(home, progress)
    seconds = perf_counter() - started
    _summarize(home, console, (built, trained), progress)
    console.print(f"\n[bold]Done in {seconds:.0f} s.[/]")


def _summarize(
    home: Home, console: Console, reports: Sequence[RunReport], progress: Progress
) -> None:
    progress("reading back what came out")
    _show_layers(console, stream_statuses())
    _show_rejections(console)
    _show_checks(console, reports)
    _show_rollups(console)
    _show_recommendations(console)
    _show_places(home, console)


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
        broken = broken_rules(stores.of(contract), None)
        for rule, found in sorted(broken.items(), key=lambda item: -item[1].records):
            table.add_row(contract.name, rule, f"{found.records:,}")
    console.print(table)


def _show_checks(console: Console, reports: Sequence[RunReport]) -> None:
    counts = sum((report.check_counts for report in reports), start=type(reports[0].check_counts)())
    console.print(
        f"\n[bold]Checks[/]: {counts['passed']} passed, {counts['warned']} warned "
        f"(rejected records within the contract's limits), {counts['failed']} failed; "
        f"{sum(report.materialized for report in reports):,} materializations"
    )


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
        f"ClickHouse    {endpoint.url}, user {endpoint.user}; "
        'try: social-assets sql "SELECT * FROM rollups.engagement_overview LIMIT 5"\n'
        f"Artifacts     {home.artifacts}\n"
        "UI            make dev, then http://127.0.0.1:3000"
    )


def _table(title: str, *columns: str) -> Table:
    table = Table(*columns, title=title, title_justify="left", box=None, header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right" if column.header not in ("reason", "value", "item") else "left"
    return table
