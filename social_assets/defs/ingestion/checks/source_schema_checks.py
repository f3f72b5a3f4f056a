"""A change of the schema at the source: fields that nothing reads, columns that no longer arrive.

Belongs here: the check of raw records of the newest day, of the run's days, and of the days that
failed before (`failing_days`), before cleaning: it drops an unknown field silently, and replaces a
missing column by its default in every row. Each difference comes with its meaning and a remedy.
"""

import difflib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa
from dagster import (
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetKey,
    MetadataValue,
    TableRecord,
    asset_check,
)

from social_assets.contracts.column import match_key
from social_assets.contracts.contract import Contract
from social_assets.contracts.options.csv_format import dialect_and_header
from social_assets.defs.monitoring.failing_days import failing_days, worst
from social_assets.defs.partitions import days_of_check
from social_assets.defs.stores import StoresResource
from social_assets.ingest.cdc.envelope import CHANGE_COLUMNS, ChangeReader
from social_assets.pipeline.stores import StreamStores

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from social_assets.transform.duckdb_engine import Session

CHECK = "source_has_the_contracts_fields"
SAMPLE_RECORDS = 50_000
"""How many records of a day are read."""

DAYS_OF_A_RUN = 10
"""How many of the newest days of a run are read."""

MISSING_ABOVE = 0.95
"""A column counts as missing if a larger share of the records lacks its field."""

EXAMPLES = 20
_LIKE = 0.6


@dataclass(frozen=True)
class Fields:
    """The fields of a day's records: how many records were read, how many have each field, and an
    example of its value.
    """

    day: date
    records: int
    counts: Mapping[str, int]
    examples: Mapping[str, str]


@dataclass(frozen=True)
class SchemaDifference:
    """One field or column that only the contract or only the source has, and what to do
    about it.
    """

    name: str
    what: str
    share: float
    plan: str
    is_severe: bool = False


def source_schema(contract: Contract) -> AssetChecksDefinition:
    """Every field of a day's records is in the contract, and every column is in the records."""
    asset = AssetKey(["raw", contract.name])

    @asset_check(
        asset=asset,
        name=CHECK,
        description=(
            "Warns where records of a day have a field that no column of the contract "
            f"reads, or over {MISSING_ABOVE:.0%} lack a column's field (error for a required one)"
        ),
    )
    def check(context: AssetCheckExecutionContext, stores: StoresResource) -> AssetCheckResult:
        stream = stores.stores().of(contract)
        failing = failing_days(context.instance, AssetCheckKey(asset, CHECK))
        due = _days_to_look_at(stream, days_of_check(context) or [], failing)
        return worst(
            {day: day_result(contract, read_fields(stream, day)) for day in due}
            or {None: day_result(contract, None)}
        )

    return check


def _days_to_look_at(
    stream: StreamStores, of_run: Sequence[date], failing: set[date]
) -> list[date]:
    """The newest day, the newest days of the run, and the failing days, if they have rows."""
    held = sorted(day for day, rows in stream.raw.rows_by_day().items() if rows)
    newest_of_run = sorted(set(of_run).intersection(held))[-DAYS_OF_A_RUN:]
    return sorted({*held[-1:], *newest_of_run, *failing.intersection(held)})


def read_fields(stream: StreamStores, day: date) -> Fields:
    """Read the fields of a day's records."""
    from social_assets.transform.decode import key_counts, opened

    with stream.engine.session() as session:
        sample = _sample(session, stream, day)
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
        dialect, line = dialect_and_header(row["csv_header"])
        for name in dialect.fields(line):
            counts[name] += row["records"]
    return Fields(day, total, dict(counts), examples)


def _sample(session: "Session", stream: StreamStores, day: date) -> "ir.Table":
    """Some raw records of a day; of changes, the rows that they carry."""
    contract = stream.contract
    columns = [*(CHANGE_COLUMNS if contract.capture else ("value",)), "csv_header"]
    raw = session.scan(stream.raw.files([day]), stream.raw.schema, columns)
    sample = raw.limit(SAMPLE_RECORDS)
    if contract.capture is None:
        return sample.rename(record_bytes="value")
    rows = session.table(sample)
    opened = ChangeReader(contract).opened(rows)
    return session.rows(pa.table({"record_bytes": opened, "csv_header": rows["csv_header"]}))


def differences(contract: Contract, fields: Fields) -> list[SchemaDifference]:
    """The differences of source and contract, the worst first."""
    nested = {
        match_key(p.steps[0]): (c.name,)
        for c in contract.source_columns
        for p in (*c.places, *c.time_source)
    }
    by_key: dict[str, tuple[str, ...]] = {**nested, **contract.named_columns}
    left = {match_key(name) for name in contract.unread}
    present: Counter[str] = Counter()
    unknown: dict[str, int] = {}
    for field, records in fields.counts.items():
        columns = by_key.get(match_key(field), ())
        for column in columns:
            # One spelling replaces another.
            present[column] = min(fields.records, present[column] + records)
        if not columns and match_key(field) not in left:
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


def day_result(contract: Contract, fields: Fields | None) -> AssetCheckResult:
    """The validation result of a day; None means no day."""
    if fields is None or not fields.records:
        return AssetCheckResult(
            passed=True, description="not validated: no records that can be read"
        )
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
) -> SchemaDifference:
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
    return SchemaDifference(name, "missing", share, plan, is_severe=is_required)


def _unknown(contract: Contract, name: str, fields: Fields, gone: list[str]) -> SchemaDifference:
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
    return SchemaDifference(name, "unknown field", fields.counts[name] / fields.records, plan)


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
