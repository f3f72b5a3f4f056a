"""All of cleaning for one set of raw records: open, clean, validate, store.

Belongs here: the order of these operations, and the discovery of spellings. Each operation is an
expression in its own module.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import ibis
import ibis.expr.types as ir

from social_assets.contracts.contract import Contract
from social_assets.transform.decode import (
    Shape,
    distinct_headers,
    distinct_keys,
    opened,
    shape_of,
    with_fields,
)
from social_assets.transform.duckdb_engine import Session
from social_assets.transform.standardize import cleaned
from social_assets.transform.validate import validated

PROVENANCE = ("source", "origin", "partition", "offset", "timestamp", "ingested_at", "batch_id")
INPUT = ("value", "csv_header", *PROVENANCE, "event_date")
SAMPLE_ROWS = 1_000


@contextmanager
def validated_records(session: Session, raw: ir.Table, contract: Contract) -> Iterator[ir.Table]:
    """Every raw record (columns INPUT) with its cleaned columns and `reasons`, '' if accepted.

    Only rejected records keep `value` and `csv_header`. Takes one pass, or one more if later
    records spell a column in a way that is not in the first thousand.
    """
    shape = _first_shape(session, raw, contract)
    while True:
        with session.stored(_validated(session, raw, contract, shape)) as stored:
            wider = _wider(session, stored, contract, shape)
            if wider is None:
                yield stored
                return
            shape = wider


def _first_shape(session: Session, raw: ir.Table, contract: Contract) -> Shape:
    sample = opened(_records(raw.limit(SAMPLE_ROWS)), contract.max_record_bytes)
    return shape_of(
        contract, session.strings(distinct_keys(sample)), session.strings(distinct_headers(raw))
    )


def _wider(session: Session, stored: ir.Table, contract: Contract, shape: Shape) -> Shape | None:
    spare = session.strings(stored.select(key=stored.spare_keys.unnest()).distinct())
    known = {key for keys in shape.spellings.values() for key in keys}
    wider = shape_of(contract, known.union(spare), shape.headers)
    return None if wider == shape else wider


def _validated(session: Session, raw: ir.Table, contract: Contract, shape: Shape) -> ir.Table:
    records = session.view(opened(_records(raw), contract.max_record_bytes))
    columns = [c.name for c in contract.source_columns]
    # A view: the shape differs from file to file, while most of the query stays the same.
    fields = session.view(with_fields(records, shape, columns))
    table = validated(cleaned(fields, contract), contract)
    rejected = table.reasons != ""
    return table.select(
        *[c.name for c in contract.cleaned_columns],
        *PROVENANCE,
        "event_date",
        "reasons",
        "spare_keys",
        record_bytes=ibis.cases((rejected, table.landed_bytes)),
        csv_header=ibis.cases((rejected, table.csv_header)),
    )


def _records(raw: ir.Table) -> ir.Table:
    """Rename the bytes for the expressions. A tombstone has none: it is validated, and rejected, as
    a record without text.
    """
    return raw.rename(landed_bytes="value").mutate(record_bytes=raw.value.fill_null(b""))
