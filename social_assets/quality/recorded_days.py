"""Records what the invariants find on each day, for those who answer questions about these days.

Belongs here: the moment at which states are read, and what is recorded of a comparison. The table
belongs to `warehouse.compared_days`; results in Dagster to `defs/monitoring/invariant_results`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from social_assets.pipeline.stores import Stores, StreamStores
from social_assets.quality.day_comparison import DayComparison, compare_days, expired_days
from social_assets.quality.invariants import Invariant, invariants, invariants_of_stream
from social_assets.warehouse.compared_days import (
    INVARIANTS_OF_LAYERS,
    ComparedDay,
    forget_compared,
    partition_states,
    record_compared,
)
from social_assets.warehouse.present_tables import DATABASES, present_tables


@contextmanager
def recorded(
    stores: Stores, of: Sequence[Invariant], comment: str
) -> Iterator[list[DayComparison]]:
    """A list for the comparisons of the block, which are recorded when it ends.

    Nothing is recorded if the block fails.
    """
    tables = {name for invariant in of for name in _counted(invariant)}
    with stores.clickhouse.client(comment) as client:
        states = partition_states(client, tables)
    compared: list[DayComparison] = []
    yield compared
    with stores.clickhouse.client(comment) as client:
        record_compared(client, [_of(each) for each in compared], states)


def record_days(stream: StreamStores, days: Collection[date]) -> None:
    """Compare days by the invariants of a stream, and record what they find."""
    if not days:
        return
    comment = stream.log_comment or "conservation"
    listed = comparable(stream)
    with recorded(stream.stores, listed, comment) as compared:
        for invariant in listed:
            compared.extend(compare_days(invariant, stream.stores, sorted(days), comment))


def comparable(stream: StreamStores) -> list[Invariant]:
    """The invariants of a stream, without those of tables that wait for a deployment."""
    with stream.stores.clickhouse.client(stream.log_comment or "conservation") as client:
        present = present_tables(client)
    return [
        each
        for each in invariants_of_stream(stream.name)
        if each.asset.path[0] not in DATABASES or _name(each) in present
    ]


def forget_expired_days(stores: Stores, comment: str) -> None:
    """Delete the results of days that retention has removed."""
    with stores.clickhouse.client(comment) as client:
        for invariant in invariants():
            if expired := expired_days(invariant, stores):
                forget_compared(client, _name(invariant), expired)


def _of(comparison: DayComparison) -> ComparedDay:
    invariant = comparison.invariant
    return ComparedDay(
        _name(invariant), invariant.name, comparison.day, comparison.passed, _counted(invariant)
    )


def _name(invariant: Invariant) -> str:
    return ".".join(invariant.asset.path)


def _counted(invariant: Invariant) -> tuple[str, ...]:
    """The tables of the warehouse that an invariant counts in. Those of the lake are left out: what
    changes there is loaded, and changes the day here as well.
    """
    return tuple(
        ".".join(table.path) for table in invariant.tables if table.path[0] in INVARIANTS_OF_LAYERS
    )
