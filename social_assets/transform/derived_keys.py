"""Keys of records that have no natural one: computed from columns, from bytes, or from the source.

Belongs here: the expressions of these keys. When a key makes a record a duplicate is decided by
`landed_keys` and `first_landed`.
"""

from __future__ import annotations

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from social_assets.contracts.column import HashOf, HashOfRecord, PlaceInSource

_LENGTH = 32
"""Of 64 hex digits of SHA-256: 128 bits, as the ids of batches have."""

SOURCE_COLUMNS = {"origin": "string", "batch_id": "string"}
"""What PlaceInSource reads beside the columns that every query has."""

ELEMENT_COLUMN = {"element_number": "int32"}
"""What it reads besides of a contract with `explode`."""


@ibis.udf.scalar.builtin(name="sha256", signature=((dt.string,), dt.string))
def _sha256(text: str) -> str: ...  # type: ignore[empty-body]


@ibis.udf.scalar.builtin(name="sha256", signature=((dt.binary,), dt.string))
def _sha256_of_bytes(value: bytes) -> str: ...  # type: ignore[empty-body]


def derived_key(
    records: ir.Table, derivation: HashOf | HashOfRecord | PlaceInSource
) -> ir.StringValue:
    """The key of each typed record."""
    match derivation:
        case HashOf(columns=columns):
            # With the lengths, ('a', 'bc') and ('ab', 'c') differ; a null has none.
            parts = [records[name].cast("string") for name in columns]
            told = [p.length().cast("string").concat(":", p).fill_null("-") for p in parts]
            return _cut(_sha256(ibis.literal("").join(told)))
        case HashOfRecord():
            return _cut(_sha256_of_bytes(records.record_bytes))
        case PlaceInSource():
            number = records.offset.cast("string")
            of_file = records.batch_id.concat(":", number)
            place = records.partition.cast("string").concat(":", number)
            of_topic = records.origin.concat(":", place)
            if "element_number" in records.columns:
                element = records.element_number.cast("string")
                of_topic = ibis.coalesce(of_topic.concat(":", element), of_topic)
            return ibis.cases((records.source == "file", of_file), else_=of_topic)


def _cut(digest: ir.StringValue) -> ir.StringValue:
    return digest.substr(0, _LENGTH)
