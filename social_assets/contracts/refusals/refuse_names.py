"""Refuses names that stand for nothing, that the platform has a use for, or that are ambiguous.

Belongs here: what the options and columns of one contract say of each other by name. Reasons that
concern one column alone belong to `refuse_columns`, other options to `refuse`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from social_assets.contracts.column import HashOf, match_key
from social_assets.contracts.refusals.refuse_columns import RefusedError

if TYPE_CHECKING:
    from social_assets.contracts.contract import Contract

RESERVED = frozenset(
    {
        *("source", "origin", "partition", "offset", "timestamp", "ingested_at", "batch_id"),
        *("event_date", "csv_header", "reasons", "verdict", "record_bytes", "record_text"),
        *("too_long", "is_json", "json_text", "json_fields", "csv_fields", "field_count_ok"),
        "quotes_closed",
        *("spare_keys", "landed_bytes"),
    }
)
"""Names that a contract's column cannot have, because the lake and the engine use them."""


def refuse_names(contract: Contract) -> None:
    """Raise RefusedError for a name that cannot be what it is."""
    for option, name in _named(contract):
        if name not in contract.columns:
            raise RefusedError(
                contract.name,
                name,
                f"{option} names it, and {contract.model.__name__} has no such column",
                f"correct `{option}`, or add the column to {contract.model.__name__}; its columns "
                f"are {', '.join(contract.columns)}",
            )
    for name in contract.columns:
        if name in RESERVED or (name == "event_time" and contract.event_time != "event_time"):
            remedy = f'rename it, with metadata={{"source": "{name}"}}'
            if name == "event_time":
                remedy += ', or name it as the contract\'s: event_time="event_time"'
            raise RefusedError(
                contract.name, name, f"the platform has a use of its own for {name}", remedy
            )
    _refuse_unknown_platforms(contract)
    _refuse_ambiguous_spellings(contract)


def _named(contract: Contract) -> Iterator[tuple[str, str]]:
    """The options that name columns, each with such a name."""
    for option in ("key", "critical", "persons", "absent"):
        for name in getattr(contract, option):
            yield option, name
    for option in ("event_time", "time_of_day"):
        if (name := getattr(contract, option)) is not None:
            yield option, name
    for platform, places in contract.sources.items():
        for name in places:
            yield f"the sources of {platform}", name
    for column in contract.columns.values():
        if isinstance(column.derive, HashOf):
            for name in column.derive.columns:
                yield f"the HashOf of {column.name}", name


def _refuse_unknown_platforms(contract: Contract) -> None:
    for column in contract.source_columns:
        named = {place.platform for place in column.places} - {None}
        if named and "platform" not in contract.columns:
            raise RefusedError(
                contract.name,
                column.name,
                f"its source depends on the platform, and {contract.model.__name__} has no column "
                "platform",
                "add that column, or name one source",
            )


def _refuse_ambiguous_spellings(contract: Contract) -> None:
    by_key: dict[str, str] = {}
    for column in contract.source_columns:
        if column.source:
            # A declared place may serve several columns.
            continue
        other = by_key.setdefault(match_key(column.name), column.name)
        if other != column.name:
            raise RefusedError(
                contract.name,
                column.name,
                f"{other} and {column.name} are one name to a source, where case and underscores "
                "do not count",
                "rename one, or give it a `source`",
            )
