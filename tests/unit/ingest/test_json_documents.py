"""Records of JSON documents equal those of Python's json, for any values, layout and block size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from social_assets.ingest.files import json_documents
from social_assets.ingest.files.json_documents import Layout, document_batches
from social_assets.ingest.files.lines import CUT
from social_assets.ingest.records import FileError
from tests.unit.ingest.blocks import blocks_of

HERE = Path("some.json")
TEXT = st.text(st.sampled_from('ab"\\{}[],: \né😀'), max_size=8)
SCALARS = st.none() | st.integers() | TEXT | st.booleans()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)
)
OBJECTS = st.lists(st.dictionaries(TEXT, VALUES, max_size=3), max_size=5)
BLOCKS = st.integers(1, 40) | st.just(1 << 20)
INDENTS = st.sampled_from([None, 1, 4])


def records(
    text: str, layout: Layout, block: int = 1 << 20, max_record_bytes: int = 1 << 20
) -> list[bytes]:
    batches = document_batches(blocks_of(text.encode(), block), HERE, layout, max_record_bytes)
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert [row["offset"] for row in rows] == list(range(1, len(rows) + 1))
    return [row["value"] for row in rows]


@given(st.lists(VALUES, max_size=5), BLOCKS, INDENTS, st.sampled_from(["", "window.a.b0 = "]))
def test_the_elements_of_an_array_are_its_records(
    values: list[Any], block: int, indent: int | None, prefix: str
) -> None:
    found = records(prefix + json.dumps(values, indent=indent), Layout((None,)), block)
    assert [json.loads(each) for each in found] == values


@given(OBJECTS, VALUES, BLOCKS, INDENTS)
def test_an_array_within_objects_is_found_by_its_path(
    objects: list[Any], other: Any, block: int, indent: int | None
) -> None:
    page = {"meta": other, "data": {"items": objects, "x": [1]}, "items": [other], "more": other}
    text = json.dumps(page, indent=indent, ensure_ascii=False)
    found = records(f"{text}\n{text}", Layout.of("data.items"), block)
    assert [json.loads(each) for each in found] == 2 * objects


@given(OBJECTS, BLOCKS, st.sampled_from([1, 4]))
def test_objects_in_sequence_are_records(objects: list[Any], block: int, indent: int) -> None:
    text = "\n".join(json.dumps(each, indent=indent) for each in objects)
    assert [json.loads(each) for each in records(text, Layout(()), block)] == objects


def test_a_record_keeps_its_bytes() -> None:
    text = '[ {"n": 1.50,\n  "t":"\\u00e9"} ,\n{ } ]'
    assert records(text, Layout((None,))) == [b'{"n": 1.50,\n  "t":"\\u00e9"}', b"{ }"]


@pytest.mark.parametrize("block", [1, 7, 1 << 20])
def test_a_record_over_the_limit_is_cut_and_the_next_is_whole(block: int) -> None:
    text = json.dumps([{"t": "x" * 100}, {"t": "y"}])
    long, short = records(text, Layout((None,)), block, max_record_bytes=20)
    assert (long, short) == ((b'{"t": "' + b"x" * 13) + CUT, b'{"t": "y"}')


@pytest.mark.parametrize("text", ['[{"a": 1}, {"a"', '[{"a": 1}', '{"data": [{"a": 1}]'])
def test_a_document_that_ends_too_early_is_refused_with_the_place(text: str) -> None:
    layout = Layout.of("data" if "data" in text else "")
    with pytest.raises(FileError, match="ends before it is complete, after record"):
        records(text, layout)


def test_a_path_that_is_nowhere_is_refused() -> None:
    with pytest.raises(FileError, match="no array of records at data"):
        records('{"items": []}', Layout.of("data"))


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("", (None,)),
        ("data", ("data", None)),
        ("a.b", ("a", "b", None)),
        ("pages[].data", ("pages", None, "data", None)),
        ("[].data", (None, "data", None)),
    ],
)
def test_a_path_is_read_and_written_alike(text: str, path: tuple[str | None, ...]) -> None:
    assert Layout.of(text).path == path
    assert str(Layout(path)) == text


def test_a_text_outside_of_the_records_that_would_fill_the_memory_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(json_documents, "MOST_OUTSIDE", 100)
    text = '{"note": "' + "x" * 90 + '", "data": [{"a": 1}]}'
    assert records(text, Layout.of("data"), block=10) == [b'{"a": 1}']
    with pytest.raises(FileError, match="outside of the records, after record 0"):
        records(text.replace("x", "xx"), Layout.of("data"), block=10)
