"""A change of the schema at the source: fields that nobody reads, columns that came no more.

Here belongs the look at the newest day's raw records, before the contract has made something of
them: an unknown field is dropped without a word by cleaning, and a missing column becomes its
default on every row. Each difference comes with a plan: what it means, and what to do.
"""

from __future__ import annotations

import csv
import difflib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from dagster import (
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    MetadataValue,
    TableRecord,
    asset_check,
)

from social_assets.contracts.contract import Contract, match_key
from social_assets.defs.stores import StoresResource
from social_assets.pipeline.stores import StreamStores

CHECK = "source_has_the_contracts_fields"
SAMPLE_RECORDS = 50_000
"""Records of the newest day that are looked at."""

MISSING_ABOVE = 0.95
"""A column counts as gone where a larger share of the records lacks its field."""

EXAMPLES = 20
_LIKE = 0.6


@dataclass(frozen=True)
class Fields:
    """What the records of a day bring: how many were looked at, how many have each field, and an
    example of its value.
    """

    day: date
    records: int
    counts: Mapping[str, int]
    examples: Mapping[str, str]


@dataclass(frozen=True)
class Difference:
    """One field or column that contract and source do not share, and what to do about it."""

    name: str
    what: str
    share: float
    plan: str
    is_severe: bool = False


def source_schema(contract: Contract) -> AssetChecksDefinition:
    """Every field of the newest day's records is in the contract, and the other way round."""

    @asset_check(
        asset=["raw", contract.name],
        name=CHECK,
        description=(
            "Warns where records of the newest day have a field that no column of the contract "
            f"reads, or over {MISSING_ABOVE:.0%} lack a column's field (error for a required one)"
        ),
    )
    def check(stores: StoresResource) -> AssetCheckResult:
        fields = read_fields(stores.stores().of(contract))
        return verdict(contract, fields)

    return check


def read_fields(stream: StreamStores) -> Fields | None:
    """What the newest day's records bring; None without records."""
    from social_assets.transform.decode import key_counts, opened

    days = [day for day, rows in stream.raw.rows_by_day().items() if rows]
    if not days:
        return None
    day = max(days)
    with stream.engine.session() as session:
        raw = session.scan(stream.raw.files([day]), stream.raw.schema, ["value", "csv_header"])
        sample = raw.rename(record_bytes="value").limit(SAMPLE_RECORDS)
        with session.stored(opened(sample, stream.contract.max_record_bytes)) as records:
            keys = session.table(key_counts(records)).to_pylist()
            lines = records.filter(records.csv_header.notnull())
            headers = session.table(lines.group_by("csv_header").agg(records=lines.count()))
            objects = session.table(records.filter(records.is_json).count().as_table())
            examples = _examples(
                session.strings(records.filter(records.is_json).select("json_text").limit(EXAMPLES))
            )
    counts = Counter({row["key"]: row["records"] for row in keys})
    total = objects.column(0)[0].as_py()
    for row in headers.to_pylist():
        total += row["records"]
        for name in next(csv.reader([row["csv_header"]]), []):
            counts[name] += row["records"]
    return Fields(day, total, dict(counts), examples)


def differences(contract: Contract, fields: Fields) -> list[Difference]:
    """What source and contract do not share, the worst first."""
    by_key = {c.match_key: c.name for c in contract.source_columns}
    left = {match_key(name) for name in contract.unread}
    present: Counter[str] = Counter()
    unknown: dict[str, int] = {}
    for field, records in fields.counts.items():
        column = by_key.get(match_key(field))
        if column is not None:
            # Spellings stand in for each other.
            present[column] = min(fields.records, present[column] + records)
        elif match_key(field) not in left:
            unknown[field] = records
    gone = [
        c.name
        for c in contract.source_columns
        if c.name not in contract.absent
        and fields.records - present[c.name] > MISSING_ABOVE * fields.records
    ]
    found = [_gone(contract, name, present[name], fields, list(unknown)) for name in gone]
    found += [_unknown(contract, name, fields, gone) for name in sorted(unknown)]
    return sorted(found, key=lambda each: (not each.is_severe, -each.share))


def verdict(contract: Contract, fields: Fields | None) -> AssetCheckResult:
    """The check result."""
    if fields is None or not fields.records:
        return AssetCheckResult(passed=True, description="not judged: no records that can be read")
    found = differences(contract, fields)
    severe = any(each.is_severe for each in found)
    metadata: dict[str, MetadataValue] = {
        "day": MetadataValue.text(fields.day.isoformat()),
        "records_looked_at": MetadataValue.int(fields.records),
    }
    if found:
        metadata["differences"] = MetadataValue.table(
            [
                TableRecord(
                    {"name": e.name, "what": e.what, "share": round(e.share, 4), "plan": e.plan}
                )
                for e in found
            ]
        )
    names = ", ".join(f"{each.name} ({each.what})" for each in found[:5])
    return AssetCheckResult(
        passed=not found,
        severity=AssetCheckSeverity.ERROR if severe else AssetCheckSeverity.WARN,
        description=f"on {fields.day}: {names}" if found else None,
        metadata=metadata,
    )


def _gone(
    contract: Contract, name: str, present: int, fields: Fields, unknown: list[str]
) -> Difference:
    column = contract.columns[name]
    is_required = name in contract.required
    effect = (
        "it is required: every such record is rejected"
        if is_required
        else f"its rows get {'null' if column.default is None else column.default!r}"
    )
    near = _nearest(name, unknown)
    remedy = (
        f"renamed to {near}? Then rename the column, or ask the source for {name} again"
        if near
        else f"ask the source; if it may lack, add it to `absent` of contract {contract.name}"
    )
    share = 1 - present / fields.records
    plan = f"{effect}; {remedy}; then backfill the days since"
    return Difference(name, "missing", share, plan, is_severe=is_required)


def _unknown(contract: Contract, name: str, fields: Fields, gone: list[str]) -> Difference:
    near = _nearest(name, gone)
    example = fields.examples.get(name)
    shown = f", such as {example}" if example else ""
    remedy = (
        f"the new name of {near}? Then rename the column and backfill the days since"
        if near
        else f"wanted: add a column to {contract.model.__name__} and backfill, raw has kept it; "
        f"not wanted: add it to `unread` of contract {contract.name}"
    )
    plan = f"nobody reads it{shown}; {remedy}"
    return Difference(name, "unknown field", fields.counts[name] / fields.records, plan)


def _nearest(name: str, others: list[str]) -> str:
    by_key = {match_key(other): other for other in others}
    near = difflib.get_close_matches(match_key(name), by_key, n=1, cutoff=_LIKE)
    return by_key[near[0]] if near else ""


def _examples(texts: list[str]) -> dict[str, str]:
    """A value of each field that the few texts have."""
    found: dict[str, str] = {}
    for text in texts:
        for name, value in json.loads(text).items():
            found.setdefault(name, json.dumps(value, ensure_ascii=False)[:60])
    return found
