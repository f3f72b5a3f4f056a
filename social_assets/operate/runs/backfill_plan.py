"""The plan of a backfill, shown before it runs. Writes nothing.

Belongs here: which days go in which run, and how many rows each layer has of them. The run belongs
to `runs.start.rebuild_days`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from dagster import AssetKey, AssetSelection

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.contracts.registry import contract, contracts, refuse_broken
from social_assets.defs.partitions import daily, day_range, runs_of_days
from social_assets.defs.stores import StoresResource
from social_assets.lake.schemas import Layer
from social_assets.operate.runs.locations import Location
from social_assets.pipeline.stores import Stores
from social_assets.transform.text.sources import TEXT_SOURCES
from social_assets.warehouse.day_sizes import sizes_by_day
from social_assets.warehouse.dbt.tables import Warehouse
from social_assets.warehouse.pending_days import BUILT
from social_assets.warehouse.search_tables import DOCUMENTS
from social_assets.warehouse.text_tables import SENTIMENT

Rows = Mapping[date, int]

SHOWN = 3

_SENTIMENT = AssetKey(SENTIMENT.split("."))
_DOCUMENTS = AssetKey(DOCUMENTS.split("."))

LAKE_LAYERS: Mapping[str, Layer] = {
    "raw": "raw",
    "cleaned": "cleaned",
    "quarantine": "quarantine",
}


class NoSuchAssetError(LookupError):
    """The named asset is not one that a backfill makes."""

    def __init__(self, names: Iterable[str], known: Iterable[AssetKey]) -> None:
        super().__init__(
            f"no asset {', '.join(sorted(names))} to backfill; there are "
            f"{', '.join(key.to_user_string() for key in sorted(known))}"
        )


class NoDaysError(LookupError):
    """There are no days to rebuild."""

    def __init__(self) -> None:
        super().__init__("there are no records yet: load files first")


class NoSuchDaysError(LookupError):
    """The named days have no partition, or no asset or source has rows of them."""

    def __init__(self, which: str, known: str) -> None:
        super().__init__(f"nothing to backfill {which}: {known}")


@dataclass(frozen=True)
class Swap:
    """One asset in a backfill: the rows of its days now, and those of its sources.

    `rows` is None for an asset that stores none, such as a view. `emptied` are days that have rows
    although their sources have none; `refused` are days with an expired source, which the run would
    refuse.
    """

    asset: AssetKey
    days: int
    rows: int | None
    source_rows: int
    emptied: tuple[date, ...]
    refused: tuple[date, ...]


@dataclass(frozen=True)
class BackfillPlan:
    """The runs of a backfill, with first and last day of each, and the result for each asset."""

    runs: tuple[tuple[date, date], ...]
    swaps: tuple[Swap, ...]

    @property
    def partitions(self) -> int:
        """How many partitions of all assets would be made."""
        days = sum(len(day_range(first, last)) for first, last in self.runs)
        return days * len(self.swaps)


def plan_backfill(
    home: Home, first: date | None, last: date | None, assets: Sequence[str] = ()
) -> BackfillPlan:
    """Plan to rebuild days: of all layers, or only of the named assets (`star/fact_engagement`).

    Without a first or last day, it takes the days that have rows in these assets or their sources,
    except days with an expired source; each range without gaps is one run. Between two given dates
    it takes every day: a day without rows in the source empties the days behind it. Raises
    NoSuchAssetError, NoDaysError, NoSuchDaysError.
    """
    stores = StoresResource(clickhouse=ClickHouseResource()).stores()
    upstream = _upstream(home)
    wanted = {AssetKey.from_user_string(name): name for name in assets}
    unknown = wanted.keys() - upstream.keys()
    for key in unknown:
        # Say why, if it is of a stream whose contract cannot be used.
        refuse_broken(key.path[-1])
    if unknown:
        raise NoSuchAssetError((wanted[key] for key in unknown), upstream)
    chosen = list(upstream)
    if assets:
        together = made_together(assets)
        chosen = [key for key in upstream if key in together]
    named = {*chosen, *(source for key in chosen for source in upstream[key])}
    held = {key: _rows(stores, home, key) for key in upstream if key in named}
    expired = {
        key: stores.lake.expired_days().days(*(each.to_user_string() for each in upstream[key]))
        for key in chosen
    }
    found = {day for rows in held.values() for day in rows or ()}
    refuse_days_beyond(first, last, found, daily().start.date())
    if first and last:
        runs = [(first, last)]
    else:
        if not found:
            raise NoDaysError
        kept = found.difference(*expired.values())
        runs = runs_of_days(kept, first or min(found), last or max(found))
    days = {day for begin, until in runs for day in day_range(begin, until)}
    return BackfillPlan(tuple(runs), tuple(swaps(chosen, upstream, held, expired, days)))


def refuse_days_beyond(first: date | None, last: date | None, held: set[date], since: date) -> None:
    """Raise NoSuchDaysError if a range has days without a partition, or no day with rows.

    `since` is the first partition: Dagster refuses a run of earlier days.
    """
    if not held:
        if first and last:
            raise NoDaysError
        return
    # Tomorrow has a partition, for records of clocks that are fast: it exists if there are any.
    today = datetime.now(UTC).date()
    tomorrow = today + timedelta(days=1)
    until = tomorrow if tomorrow in held else today
    for named, day in (("--from", first), ("--to", last)):
        if day is not None and not since <= day <= until:
            raise NoSuchDaysError(f"for {named} {day}", f"days are {since} to {until}")
    begin, end = first or min(held), last or max(held)
    if not any(begin <= day <= end for day in held):
        raise NoSuchDaysError(
            f"from {begin} to {end}",
            f"no asset or source has rows of these days; there are rows of {min(held)} to "
            f"{max(held)}",
        )


def made_together(assets: Sequence[str]) -> set[AssetKey]:
    """The named assets, and those that are always made with them: cleaned and quarantine."""
    graph = Location.BATCH.definitions().resolve_asset_graph()
    named = AssetSelection.assets(*(AssetKey.from_user_string(name) for name in assets))
    return set(named.required_multi_asset_neighbors().resolve(graph))


def swaps(
    chosen: Sequence[AssetKey],
    upstream: Mapping[AssetKey, Sequence[AssetKey]],
    held: Mapping[AssetKey, Rows | None],
    expired: Mapping[AssetKey, set[date]],
    days: set[date],
) -> Iterator[Swap]:
    """The result for each asset, from the rows and expired days of all; a pure function.

    In the order of the layers, since an emptied day empties the layers behind it.
    """
    filled = {key: set(rows or ()) for key, rows in held.items()}
    for key in chosen:
        rows, sources = held[key], upstream[key]
        if sources:
            fed = set().union(*(filled[source] for source in sources))
            filled[key] = (filled[key] - days) | (fed & days)
        before = {day for day in rows or () if day in days}
        yield Swap(
            asset=key,
            days=len(days),
            rows=None if rows is None else sum(rows[day] for day in before),
            source_rows=sum(
                n for each in sources for day, n in (held[each] or {}).items() if day in days
            ),
            emptied=tuple(sorted(before - filled[key] - expired[key])),
            refused=tuple(sorted(days & expired[key])),
        )


def _upstream(home: Home) -> dict[AssetKey, list[AssetKey]]:
    """Every asset that a backfill makes, in the order of the layers, and its sources."""
    project = Warehouse.of(home)
    raw = [AssetKey(["raw", each.name]) for each in contracts()]
    found: dict[AssetKey, list[AssetKey]] = {key: [] for key in raw}
    for layer in ("cleaned", "quarantine"):
        found |= {AssetKey([layer, key.path[-1]]): [key] for key in raw}
    for layer in BUILT:
        found |= project.upstream(layer)
    texts = [AssetKey(["cleaned", each.stream]) for each in TEXT_SOURCES]
    return found | {_SENTIMENT: texts, _DOCUMENTS: [*texts, _SENTIMENT]}


def _rows(stores: Stores, home: Home, key: AssetKey) -> Rows | None:
    """The current rows by day; None for an asset that stores none."""
    layer, name = key.path
    if layer in LAKE_LAYERS:
        return stores.lake.table(LAKE_LAYERS[layer], contract(name)).rows_by_day()
    tables = {_SENTIMENT: SENTIMENT, _DOCUMENTS: DOCUMENTS}
    if key not in tables:
        tables = _tables_of_dbt(home, layer)
    if key not in tables:
        return None
    with stores.clickhouse.client("backfill plan") as client:
        sizes = sizes_by_day(client, tables[key])
        return {day: size.rows for day, size in sizes.items()}


def _tables_of_dbt(home: Home, layer: str) -> dict[AssetKey, str]:
    return {table.asset: table.qualified_name for table in Warehouse.of(home).tables(layer)}


def plan_rows(plan: BackfillPlan) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    """The plan as a table: its columns, and one row an asset."""
    names = ("asset", "days", "rows_now", "rows_in_sources", "emptied", "refused")
    return names, [
        (
            swap.asset.to_user_string(),
            swap.days,
            swap.rows,
            swap.source_rows,
            _listed(swap.emptied),
            _listed(swap.refused),
        )
        for swap in plan.swaps
    ]


def _listed(days: Sequence[date]) -> str:
    if len(days) <= SHOWN:
        return ", ".join(day.isoformat() for day in days)
    return f"{len(days)} days of {days[0]} to {days[-1]}"
