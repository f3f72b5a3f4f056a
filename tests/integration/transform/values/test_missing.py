"""What means that there is no value, in CSV and where the contract declares it."""

from __future__ import annotations

import json
from datetime import datetime

import pandera.ibis as pa
import pytest

from social_assets.contracts.contract import Contract
from social_assets.contracts.registry import contract
from tests.integration.transform.raw_records import Validate
from tests.integration.transform.values.streams import read_csv, read_json, stream_of

WORDS = ["#N/A", "NA", "N/A", "-", "nan", "NaN", "NULL", "null", "None", "\\N", "<NA>", "#n/a"]
VIDEO = contract("video_interactions")


@pytest.mark.parametrize("kind", [int, float, bool, datetime, list[str]])
def test_a_column_that_is_not_text_takes_every_null_spelling_of_csv(
    validate: Validate, kind: type
) -> None:
    stream = stream_of(kind)
    assert read_csv(validate, stream, WORDS) == [None] * len(WORDS)
    (reasons,) = read_json(validate, stream, ['"NA"'])
    assert reasons == [f"value_not_{stream.columns['value'].type}"]
    assert read_json(validate, stream, ["NaN"]) == [None]


def test_text_keeps_what_can_be_text(validate: Validate) -> None:
    words = ["#N/A", "<NA>", "\\N", "NaN", "NA", "-", "Null", "nan", "NULL", "N/A"]
    kept = [None] * 4 + words[4:]
    assert read_csv(validate, stream_of(str), words) == kept
    assert read_json(validate, stream_of(str), [f'"{word}"' for word in ("NA", "NaN", "-")]) == [
        *("NA", "NaN", "-")
    ]


def test_declared_null_spellings_hold_for_every_format_and_type(validate: Validate) -> None:
    for kind in (str, int):
        stream = stream_of(kind, {"null_spellings": ["keine Angabe", "?"]})
        assert read_csv(validate, stream, ["Keine angabe", "?", "5"]) == [None, None, kind(5)]
        assert read_json(validate, stream, ['"?"', "5"]) == [None, kind(5)]
    stream = stream_of(str, null_spellings=("-",))
    assert read_csv(validate, stream, ["-", "a-b"]) == [None, "a-b"]


def test_an_id_of_csv_is_neither_a_word_for_nothing_nor_a_decimal(validate: Validate) -> None:
    posts = contract("posts")
    ids = ["nan", "NULL", "NaN", "12345.0", "12345.10", "v1.0", "007", "NA"]
    rows = validate(posts, [f"{each},5".encode() for each in ids], "post_id,account_id")
    assert [row["reasons"] or row["post_id"] for row in rows] == [
        *[["post_id_missing"]] * 3,
        *("12345", "12345.10", "v1.0", "007", "NA"),
    ]


def test_a_required_column_that_says_there_is_nothing_is_missing(validate: Validate) -> None:
    rows = validate(VIDEO, [b"1,#N/A,30", b"-,2,30"], "user_id,video_id,age")
    assert [row["reasons"] for row in rows] == [["video_id_missing"], ["user_id_missing"]]


def test_an_empty_header_spelling_lets_another_one_speak(validate: Validate) -> None:
    rows = validate(VIDEO, [b",1,2,30", b"7,1,2,30", b"#N/A,1,2,30"], "user_id,UserID,video_id,age")
    assert [row["user_id"] for row in rows] == ["1", "7", "1"]


class Answer(pa.DataFrameModel):
    """An answer to a text, and to the one that began it all."""

    answer_id: str = pa.Field()
    began_with: str = pa.Field(nullable=True)
    answers: str = pa.Field(nullable=True, metadata={"missing_if_equal_to": "began_with"})
    level: int = pa.Field(default=0)
    above: int = pa.Field(default=-1, metadata={"missing_if_equal_to": "level"})


ANSWERS = Contract(
    name="answers", model=Answer, key=("answer_id",), formats=("ndjson", "csv"), owner="team:tests"
)


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"began_with": "t1", "answers": "t1"}, None),
        ({"began_with": "t1", "answers": "t2"}, "t2"),
        ({"answers": "t1"}, "t1"),
        ({"began_with": "t1"}, None),
        ({"began_with": " t1 ", "answers": "t1"}, None),
    ],
)
def test_a_value_that_equals_that_of_another_column_is_missing(
    validate: Validate, fields: dict[str, str], kept: str | None
) -> None:
    (row,) = validate(ANSWERS, [json.dumps({"answer_id": "a", **fields}).encode()])
    assert (row["reasons"], row["answers"]) == ([], kept)


def test_such_a_value_becomes_the_default_in_csv_too(validate: Validate) -> None:
    rows = validate(ANSWERS, [b"a,3,3", b"b,3,2", b"c,,0"], "answer_id,level,above")
    assert [(row["level"], row["above"]) for row in rows] == [(3, -1), (3, 2), (0, 0)]
