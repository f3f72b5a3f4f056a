"""What became of the records of a load: rejected ones by rule, and whether the load is a failure.

Belongs here: counting in the quarantine for some batches, and the sentences that tell it. A load in
which nothing was accepted, or that rejects a larger share than the contract allows, is a failure.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import ibis

from social_assets.contracts.contract import Contract
from social_assets.contracts.options.csv_format import CsvDialect, dialect_and_header
from social_assets.pipeline.stores import StreamStores
from social_assets.transform.validate import FORGOTTEN, TOTALS

SHOWN_CHARACTERS = 40
MOST_EXAMPLES = 200
SHOWN_REASONS = 3
_NO_FAULT = (TOTALS, FORGOTTEN)


@dataclass(frozen=True)
class Rejected:
    """Records of one event date that one rule rejected, and the first one's value."""

    event_date: date
    rule: str
    records: int
    example: str
    origin: str
    row: int


@dataclass(frozen=True)
class LoadedRecords:
    """How many records some batches have landed, and what became of them."""

    records: int
    accepted: int
    rejected: int

    @classmethod
    def of(cls, stream: StreamStores, batches: Iterable[str]) -> LoadedRecords:
        """Count the batches by the ledger."""
        wanted = set(batches)
        entries = [e for e in stream.ledger.entries("cleaned") if e.batch_id in wanted]
        accepted, rejected = sum(e.records for e in entries), sum(e.rejected for e in entries)
        return cls(accepted + rejected + sum(e.duplicates for e in entries), accepted, rejected)


def failure_of_load(
    contract: Contract, loaded: LoadedRecords, rejected: Sequence[Rejected]
) -> list[str]:
    """Why a load counts as failed, its most frequent reasons, and the command that shows more;
    nothing if it did not fail. Records that were loaded before (duplicates), rows of totals and
    records of persons who are forgotten are no failure.
    """
    totals = sum(each.records for each in rejected if each.rule in _NO_FAULT)
    records, bad = loaded.records - totals, loaded.rejected - totals
    if not bad:
        return []
    share = bad / records
    told = f"{bad:,} of {records:,} records of {contract.name} are rejected"
    if not loaded.accepted:
        why = f"nothing was accepted: {told}"
    elif share > contract.fail_above:
        why = f"{told} ({share:.1%}), more than the {contract.fail_above:.1%} of its fail_above"
    else:
        return []
    reasons = _most_frequent([each for each in rejected if each.rule not in _NO_FAULT])
    return [why, *reasons, shown_by(contract.name)]


def shown_by(stream: str) -> str:
    """The command that lists rejected records."""
    return f"Show the records: social-assets quarantine {stream} --limit 20"


def _most_frequent(rejected: Sequence[Rejected]) -> list[str]:
    by_rule: dict[str, list[Rejected]] = {}
    for each in rejected:
        by_rule.setdefault(each.rule, []).append(each)
    counted = sorted(((sum(r.records for r in rs), rs[0]) for rs in by_rule.values()), key=_order)
    return [
        f"  {first.rule}: {count:,} records, such as {first.example!r} "
        f"({first.origin}, row {first.row})"
        for count, first in counted[:SHOWN_REASONS]
    ]


def _order(counted: tuple[int, Rejected]) -> tuple[int, str]:
    return -counted[0], counted[1].rule


def rejected_by_rule(stream: StreamStores, batches: Sequence[str]) -> list[Rejected]:
    """The rejected records of these batches, by event date and rule, most records first."""
    days = stream.quarantine.rows_by_day(verdict="rejected")
    touched = set().union(*(stream.ledger.days("raw").get(batch, set()) for batch in batches))
    listed = sorted(touched & {day for day, rows in days.items() if rows})
    if not listed:
        return []
    columns = ["batch_id", "event_date", "origin", "offset", "reasons", "verdict"]
    with stream.engine.session() as session:
        files = stream.quarantine.files(listed)
        rows = session.scan(files, stream.quarantine.schema, [*columns, "value", "csv_header"])
        rows = rows.filter(rows.verdict == "rejected", rows.batch_id.isin(list(batches)))
        placed = rows.mutate(
            place=ibis.literal("").concat(
                rows.batch_id, ":", rows.offset.cast("string").lpad(20, "0")
            )
        )
        by_rule = placed.mutate(rule=placed.reasons.unnest())
        grouped = by_rule.group_by("event_date", "rule").agg(
            n=by_rule.count(), first=by_rule.place.min()
        )
        counts = session.table(grouped).to_pylist()
        counts.sort(key=lambda row: (-row["n"], row["event_date"], row["rule"]))
        shown = list(dict.fromkeys(row["first"] for row in counts[:MOST_EXAMPLES]))
        examples = placed.filter(placed.place.isin(shown)).select(
            "place", "origin", "offset", "value", "csv_header"
        )
        first = {row["place"]: row for row in session.table(examples).to_pylist()}
    empty = {"value": b"", "csv_header": None, "origin": "", "offset": 0}
    found = []
    for row in counts:
        record = first.get(row["first"], empty)
        found.append(
            Rejected(
                event_date=row["event_date"],
                rule=row["rule"],
                records=row["n"],
                example=example(
                    stream.contract, row["rule"], record["value"] or b"", record["csv_header"]
                ),
                origin=record["origin"],
                row=record["offset"],
            )
        )
    return found


def example(contract: Contract, rule: str, value: bytes, csv_header: str | None) -> str:
    """The value of the rule's column, or the beginning of the record."""
    dialect, header = dialect_and_header(csv_header or "")
    text = value.decode(dialect.encoding, "backslashreplace")
    fields = _fields(text, dialect, header)
    columns = [c for c in contract.columns.values() if rule.startswith(f"{c.name}_")]
    if rule.startswith("event_time_") and contract.event_time:
        columns = [c for c in contract.columns.values() if c.name == contract.event_time]
    if fields is not None and columns:
        column = max(columns, key=lambda c: len(c.name))
        values = (place.value_in(fields) for place in column.places)
        shown = next((value for value in values if value not in (None, "")), None)
        if shown is None:
            return "(none)"
        return _short(shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False))
    return _short(text)


def _fields(text: str, dialect: CsvDialect, header: str) -> dict[str, object] | None:
    try:
        if header:
            return dict(zip(dialect.fields(header), dialect.fields(text), strict=False))
        # Every digit, and NaN as it is written.
        record = json.loads(text, parse_float=str, parse_constant=str)
    except (ValueError, csv.Error, RecursionError):
        return None  # a record that can't be opened is shown as it begins
    return record if isinstance(record, dict) else None


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."
