"""CSV records equal those of Python's csv for any block size; a stray quote costs one line."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from social_assets.ingest.files.csv_records import CsvRecords
from social_assets.ingest.files.lines import line_batches
from tests.unit.ingest.blocks import blocks_of

HEADER = "id,text,n"
FIELDS = st.text(st.sampled_from('ab ",\n\r;é') | st.characters(exclude_categories=["Cs"]))
ROWS = st.lists(st.tuples(FIELDS, FIELDS, FIELDS), max_size=20)


def records(text: str, block: int = 1 << 20, max_record_bytes: int = 1 << 20) -> list[str]:
    """The records of a CSV file, without its header."""
    cut = CsvRecords(max_record_bytes)
    found = line_batches(blocks_of(text.encode(), block), max_record_bytes, cut)
    values = [value for batch in found for value in batch["value"].to_pylist()]
    return [value.decode("utf-8", "replace") for value in values[1:]]


def parsed(texts: list[str]) -> list[tuple[str, ...]]:
    return [tuple(next(csv.reader(io.StringIO(text, newline="")))) for text in texts]


@given(
    ROWS,
    st.integers(1, 60) | st.just(1 << 20),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
)
def test_records_are_those_that_were_written_for_any_text_and_block_size(
    rows: list[tuple[str, str, str]], block: int, end: str, quoting: int
) -> None:
    if quoting == csv.QUOTE_MINIMAL:
        # Python leaves a carriage return without quotes.
        rows = [tuple(text.replace("\r", " ") for text in row) for row in rows]
    written = io.StringIO(newline="")
    written.write(HEADER + end)
    csv.writer(written, quoting=quoting, lineterminator=end).writerows(rows)  # type: ignore[arg-type]
    found = records(written.getvalue(), block)
    assert parsed(found) == rows


@pytest.mark.parametrize("block", [1, 7, 1 << 20])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('1,"a\nb",2\n3,c,4\n', ['1,"a\nb",2', "3,c,4"]),
        # A quote for inches, which does not begin a field.
        ('1,5" pipe,2\n3,"a\nb",4\n', ['1,5" pipe,2', '3,"a\nb",4']),
        # Never closed: each following line is a record.
        ('1,"open,2\n3,c,4\n5,"x\ny",6\n', ['1,"open,2', "3,c,4", '5,"x\ny",6']),
        ('1,"open,2\n3,c,4\n5,d,6\n', ['1,"open,2', "3,c,4", "5,d,6"]),
        ('1,"a,2\n3,"b,4\n5,c,6\n', ['1,"a,2', '3,"b,4', "5,c,6"]),
        # A record of the wrong width stays one record: no part of it is taken for another.
        ('1,"a\n2,b,3\nc"\n4,d,5\n', ['1,"a\n2,b,3\nc"', "4,d,5"]),
        ('1,"say ""hi""\nall",2\n', ['1,"say ""hi""\nall",2']),
        ('1,"a\n\nb",2\n', ['1,"a\n\nb",2']),
        ('1,"a\n","b\nc"\n', ['1,"a\n","b\nc"']),
    ],
)
def test_a_stray_quote_costs_its_own_record_alone(
    body: str, expected: list[str], block: int
) -> None:
    assert records(f"{HEADER}\n{body}", block) == expected


def test_a_header_may_have_line_breaks_too() -> None:
    assert records('id,"text\nof it",n\n1,a,2\n', block=5) == ["1,a,2"]


def test_a_field_that_stays_open_too_long_is_given_up() -> None:
    lines = "".join(f"{n},{'x' * 20},0\n" for n in range(100))
    found = records(f'{HEADER}\n0,"open,0\n{lines}', block=64, max_record_bytes=200)
    assert len(found) == 101
    assert found[0] == '0,"open,0'


def test_records_are_numbered_by_their_first_lines() -> None:
    batches = line_batches([b'id,text\n1,"a\nb"\n\n2,c\n'], splitter=CsvRecords(1000))
    assert [n for batch in batches for n in batch["offset"].to_pylist()] == [1, 2, 5]


def test_many_stray_quotes_cost_no_more_passes() -> None:
    body = "".join(f'{n},"open,{n}\n' for n in range(10_000))
    assert len(records(f"{HEADER}\n{body}")) == 10_000
