"""Tries a contract on the first records of a file; writes nothing into the home.

Belongs here: what becomes of these records, by the same reader and the same rules as in a load.
Duplicates of records that were loaded before are not known here.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from social_assets.contracts.column import Column
from social_assets.contracts.contract import Contract
from social_assets.contracts.registry import contracts
from social_assets.ingest.files.open_file import read_records
from social_assets.ingest.records import RECORDS, FileError, ReadPosition, shown_path
from social_assets.lake.schemas import schema
from social_assets.pipeline.files.file_errors import blaming
from social_assets.pipeline.files.land import Provenance
from social_assets.quality.load_result import LoadedRecords, Rejected, example, failure_of_load
from social_assets.transform.duckdb_engine import DuckDBEngine
from social_assets.transform.landed_keys import KEY_HASH
from social_assets.transform.validate import SEPARATOR, rules
from social_assets.transform.validate_block import BlockValidator

TRIED = 100
EXAMPLES = 4


class NoStreamFitsError(ValueError):
    """No stream, or more than one, can read a file; the text names the options that say which."""


@dataclass(frozen=True)
class TriedReason:
    """A rule that rejected records: how many, and the first one's value and number."""

    rule: str
    meaning: str
    records: int
    example: str
    row: int


@dataclass(frozen=True)
class TriedColumn:
    """The cleaned values of a column: how many are null or the default, and the first ones."""

    column: str
    type: str
    missing: int
    values: tuple[object, ...]


@dataclass(frozen=True)
class ContractTrial:
    """What a contract would do with the first records of a file. `rows` are the accepted ones."""

    stream: str
    file: str
    notes: tuple[str, ...]
    records: int
    is_whole: bool
    accepted: int
    duplicates: int
    rejected: int
    reasons: tuple[TriedReason, ...]
    columns: tuple[TriedColumn, ...]
    rows: tuple[dict[str, object], ...]
    would_fail: bool


def fitting_contract(path: Path) -> Contract:
    """The only contract that accepts a record of a file. Raises NoStreamFitsError."""
    fitting = [each for each in contracts() if _accepts_any(each, path)]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(each.name for each in fitting)
    told = f"several streams accept records of {shown_path(path)}: {names}"
    if not fitting:
        told = f"no stream accepts a record of {shown_path(path)}"
    raise NoStreamFitsError(
        f"{told}; name one with --stream NAME, or a contract's file with --contract FILE"
    )


def try_file(contract: Contract, path: Path, most: int = TRIED) -> ContractTrial:
    """Read, clean and validate the first records of a file. Raises FileError."""
    position = ReadPosition()
    with tempfile.TemporaryDirectory() as spill, DuckDBEngine(Path(spill)).session() as session:
        read = blaming(path, read_records(contract, path, session.json_records, position))
        records = _first(read, most + 1)
        is_whole = records.num_rows <= most
        now = datetime.now(UTC)
        block = _block(contract, path, records.slice(0, most), now)
        answer = BlockValidator(session, contract).of(block)
    is_accepted = pc.equal(answer["reasons"], "")
    accepted = answer.filter(is_accepted)
    repeated = accepted.num_rows - len(
        set(zip(accepted["event_date"].to_pylist(), accepted[KEY_HASH].to_pylist(), strict=True))
    )
    reasons = _reasons(contract, block, answer["reasons"].to_pylist())
    rejected = block.num_rows - accepted.num_rows
    counted = LoadedRecords(block.num_rows, accepted.num_rows, rejected)
    by_rule = [
        Rejected(now.date(), each.rule, each.records, each.example, path.name, each.row)
        for each in reasons
    ]
    rows = accepted.select([c.name for c in contract.cleaned_columns])
    return ContractTrial(
        stream=contract.name,
        file=shown_path(path),
        notes=tuple(position.notes),
        records=block.num_rows,
        is_whole=is_whole,
        accepted=accepted.num_rows - repeated,
        duplicates=repeated,
        rejected=rejected,
        reasons=tuple(reasons),
        columns=tuple(_column(each, rows[each.name]) for each in contract.cleaned_columns),
        rows=tuple(rows.to_pylist()),
        would_fail=bool(failure_of_load(contract, counted, by_rule)),
    )


def _accepts_any(contract: Contract, path: Path) -> bool:
    try:
        return try_file(contract, path).accepted > 0
    except FileError:
        return False


def _first(read: Iterable[pa.RecordBatch], most: int) -> pa.Table:
    batches: list[pa.RecordBatch] = []
    count = 0
    for batch in read:
        batches.append(batch.slice(0, most - count))
        count += batches[-1].num_rows
        if count >= most:
            break
    return pa.Table.from_batches(batches, RECORDS)


def _block(contract: Contract, path: Path, records: pa.Table, now: datetime) -> pa.Table:
    """The records as rows of raw, as if they landed now."""
    landed = datetime.combine(now.date(), time(), UTC)
    provenance = Provenance(path.name, "trial", landed, now)
    whole = records.combine_chunks().to_batches()
    batch = whole[0] if whole else pa.RecordBatch.from_pylist([], RECORDS)
    return provenance.block(batch, schema("raw", contract))


def _reasons(contract: Contract, block: pa.Table, found: Sequence[str]) -> list[TriedReason]:
    counts: Counter[str] = Counter()
    first: dict[str, int] = {}
    for row, names in enumerate(found):
        for name in filter(None, names.split(SEPARATOR)):
            counts[name] += 1
            first.setdefault(name, row)
    meanings = {rule.name: rule.description for rule in rules(contract)}
    told = []
    for name, count in counts.most_common():
        (record,) = (
            block.slice(first[name], 1).select(["value", "csv_header", "offset"]).to_pylist()
        )
        shown = example(contract, name, record["value"] or b"", record["csv_header"])
        told.append(TriedReason(name, meanings.get(name, ""), count, shown, record["offset"]))
    return told


def _column(column: Column, values: pa.ChunkedArray) -> TriedColumn:
    listed = values.to_pylist()
    present = [v for v in listed if v is not None and v != column.default]
    distinct = list({str(value): value for value in present}.values())
    return TriedColumn(
        column.name, column.type, len(listed) - len(present), tuple(distinct[:EXAMPLES])
    )
