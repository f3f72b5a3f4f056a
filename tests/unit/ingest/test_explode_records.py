"""Records are cut into one record for each element of an array, without a changed byte."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from social_assets.contracts.options.explode import Explode
from social_assets.ingest.files import explode_records
from social_assets.ingest.files.explode_records import exploded
from social_assets.ingest.records import RECORDS, ReadPosition

COMMENTS = Explode("comments")


def cut(records: Sequence[bytes], explode: Explode = COMMENTS) -> list[bytes]:
    values = pa.array([b"other", *records], pa.binary())[1:]  # a slice, as readers give
    batch = pa.record_batch(
        [values, pa.nulls(len(records), pa.string()), pa.array(range(1, len(records) + 1))],
        RECORDS,
    )
    made = list(exploded([batch], explode, ReadPosition()))
    numbers = [number for each in made for number in each.column("offset").to_pylist()]
    assert numbers == list(range(1, len(numbers) + 1))
    return [value for each in made for value in each.column("value").to_pylist()]


@pytest.mark.parametrize(
    ("record", "pieces"),
    [
        (
            b'{"id": 1.50, "comments": [{"x": 1},  {"x":\t2.0}], "z": 0}',
            [
                b'{"id": 1.50, "comments": [{"x": 1}], "z": 0}',
                b'{"id": 1.50, "comments": [{"x":\t2.0}], "z": 0}',
            ],
        ),
        (
            b'{"comments" :\n[ "a]",["b"] ]}',
            [b'{"comments" :\n["a]"]}', b'{"comments" :\n[["b"]]}'],
        ),
        (b'{"x":{"comments":[1,2]},"comments":[3]}', [b'{"x":{"comments":[1,2]},"comments":[3]}']),
        (b'{"v":"comments","comments":[3]}', [b'{"v":"comments","comments":[3]}']),
        (b'{"comments":["\\"],[\\\\"]}', [b'{"comments":["\\"],[\\\\"]}']),
        (b'{"comments":[1],"comments":[2,3]}', [b'{"comments":[1],"comments":[2,3]}']),
        (b' {"comments": []}', []),
        (b'{"comments":[ ]}', []),
    ],
)
def test_a_piece_has_the_bytes_of_its_element_and_of_what_encloses_it(
    record: bytes, pieces: list[bytes]
) -> None:
    assert cut([record]) == pieces


@pytest.mark.parametrize(
    "record",
    [
        b'{"id": 1}',
        b'{"comments": null}',
        b'{"comments": {"x": 1}}',
        b'{"comments": "a,b"}',
        b'{"comments": [1, 2}',
        b'{"comments": [1, 2',
        b'{"comments": ["1, 2]}',
        b'{"comments": [1, 2]}}',
        b'[{"comments": [1, 2]}]',
        b"comments",
        b'"',
        b"\\",
        b'{"comments": [1, 2\xff',
    ],
)
def test_a_record_that_cannot_be_cut_stays_and_harms_no_other(record: bytes) -> None:
    good = b'{"comments": [1, 2]}'
    ones = [b'{"comments": [1]}', b'{"comments": [2]}']
    assert cut([good, record, good]) == [*ones, record, *ones]


def test_an_absent_array_gives_no_record_where_it_may_be_absent() -> None:
    explode = Explode("comments", may_be_absent=True)
    records = [b'{"id": 1}', b'{"comments": null}', b'{"comments": "x"}', b'{"comments": [7]}']
    assert cut(records, explode) == records[2:]


def test_arrays_within_elements_are_cut_too() -> None:
    record = (
        b'{"data": [{"n": "a", "values": [{"v": 1}, {"v": 2}]}, {"n": "b", "values": []},'
        b' {"n": "c"}, {"n": "d", "values": [3]}, null], "p": {}}'
    )
    assert cut([record], Explode("data[].values")) == [
        b'{"data": [{"n": "a", "values": [{"v": 1}]}], "p": {}}',
        b'{"data": [{"n": "a", "values": [{"v": 2}]}], "p": {}}',
        b'{"data": [{"n": "c"}], "p": {}}',
        b'{"data": [{"n": "d", "values": [3]}], "p": {}}',
        b'{"data": [null], "p": {}}',
    ]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "comments", '"', "é"]), inner, max_size=3)
    ),
    max_leaves=8,
)
POSTS = st.lists(
    st.fixed_dictionaries({"b": VALUES, "comments": st.lists(VALUES, max_size=4), "z": VALUES}),
    max_size=6,
)


@given(posts=POSTS, indent=st.sampled_from([None, 1]), is_ascii=st.booleans())
def test_the_pieces_of_any_json_hold_each_element_once(
    posts: list[dict[str, object]], indent: int | None, is_ascii: bool
) -> None:
    texts = [json.dumps(post, indent=indent, ensure_ascii=is_ascii).encode() for post in posts]
    found = [json.loads(piece) for piece in cut(texts)]
    assert found == [
        {**post, "comments": [each]}
        for post in posts
        for each in post["comments"]  # type: ignore[attr-defined]
    ]


def test_large_records_are_cut_in_parts_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explode_records, "PIECE_BYTES", 100)
    posts = [{"t": "x" * 40, "comments": list(range(size))} for size in (0, 9, 1, 30)]
    found = cut([json.dumps(post).encode() for post in posts])
    assert [json.loads(each)["comments"] for each in found] == [
        [number]
        for post in posts
        for number in post["comments"]  # type: ignore[attr-defined]
    ]
