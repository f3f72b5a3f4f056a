"""JSON files in the forms of platforms' exports: every value equals that of Python's json."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real_files.conftest import POSTS, Load, Rows

ROWS = 10_000
WORDS = ("hello", 'say "hi"', "a [b] {c}", "two\nlines", "back\\slash\\", "café 😀", "}]", ",")


def expected(seed: int) -> Rows:
    chance = random.Random(seed)  # noqa: S311 - which values, not secrets
    return [
        {
            "post_id": f"p{number}",
            "likes": chance.choice([None, chance.randrange(10**15)]),
            "ratio": chance.choice([None, chance.random()]),
            "text": " ".join(chance.choices(WORDS, k=chance.randrange(1, 4))),
            "mentions": [{"post_id": "other", "likes": 1}][: chance.randrange(2)],
        }
        for number in range(ROWS)
    ]


FORMS: dict[str, Callable[[Rows], str]] = {
    "lines": lambda rows: "\n".join(map(json.dumps, rows)),
    "array": json.dumps,
    "pretty array": lambda rows: json.dumps(rows, indent=2, ensure_ascii=False),
    "array of lines": lambda rows: "[\n" + ",\n".join(map(json.dumps, rows)) + "\n]",
    "wrapped": lambda rows: json.dumps({"meta": {"x": [{"y": 1}]}, "data": rows, "next": None}),
    "activity streams": lambda rows: json.dumps({"type": "X", "orderedItems": rows}, indent=1),
    "nested": lambda rows: json.dumps({"response": {"posts": {"items": rows}}}),
    "archive": lambda rows: "window.YTD.tweets.part0 = " + json.dumps(rows, indent=2),
    "sequence": lambda rows: "\n".join(json.dumps(row, indent=2) for row in rows),
    "lines with commas": lambda rows: ",\n".join(map(json.dumps, rows)),
    "pages": lambda rows: "\n".join(
        json.dumps({"data": rows[start : start + 100], "paging": {"next": "x"}})
        for start in range(0, len(rows), 100)
    ),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_records_are_found_in_any_form(
    load: Load, tmp_path: Path, form: str, encoding: str
) -> None:
    rows = expected(7)
    file = tmp_path / "posts.json"
    file.write_bytes(FORMS[form](rows).encode(encoding))
    found, _ = load(file, POSTS)
    columns = ("post_id", "likes", "ratio", "text")
    assert [[row[name] for name in columns] for row in found] == [
        [row[name] for name in columns] for row in rows
    ]
    assert {row["reasons"] for row in found} == {""}


def test_the_report_says_where_the_records_stand(load: Load, tmp_path: Path) -> None:
    file = tmp_path / "posts.json.gz"
    file.write_bytes(gzip.compress(FORMS["nested"](expected(8)).encode()))
    _, notes = load(file, POSTS)
    assert notes == ["a JSON document, records at response.posts.items"]


def test_a_broken_line_among_lines_is_one_record(load: Load, tmp_path: Path) -> None:
    rows = expected(9)
    lines = list(map(json.dumps, rows))
    file = tmp_path / "posts.ndjson"
    file.write_text("\n".join(['{"post_id": "broken', *lines]))
    found, _ = load(file, POSTS)
    assert [row["reasons"] for row in found] == ["record_not_json_object", *[""] * ROWS]
