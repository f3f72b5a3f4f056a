"""CSV files in the dialects of public data sets: every value equals that of Python's csv."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import replace
from pathlib import Path

import pytest

from social_assets.contracts.options.csv_format import CsvFormat
from social_assets.ingest.records import FileError
from tests.real_files.conftest import POSTS, Load, Rows

ROWS = 10_000
COLUMNS = ("post_id", "likes", "ratio", "text")
WORDS = ("hello", 'say "hi"', "a, b; c | d", "two\nlines", "café", "€ 5", "x:y", " ", "'quoted'")


def expected(seed: int, words: tuple[str, ...] = WORDS) -> Rows:
    chance = random.Random(seed)  # noqa: S311 - which values, not secrets
    return [
        {
            "post_id": f"p{number}",
            "likes": chance.choice([None, chance.randrange(10**9)]),
            "ratio": chance.choice([None, chance.randrange(10**6) / 64]),
            "text": " ".join(chance.choices(words, k=chance.randrange(4))).strip() or None,
        }
        for number in range(ROWS)
    ]


def written(
    rows: Rows, delimiter: str, *, decimal: str = ".", end: str = "\n", header: bool = True
) -> str:
    """The rows as Python writes them, missing values as empty fields."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end)
    if header:
        writer.writerow(COLUMNS)
    for row in rows:
        texts = ["" if row[name] is None else str(row[name]) for name in COLUMNS]
        writer.writerow([texts[0], texts[1], texts[2].replace(".", decimal), texts[3]])
    return out.getvalue()


def values(rows: Rows) -> list[tuple[object, ...]]:
    return [tuple(row[name] for name in COLUMNS) for row in rows]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_delimiter_and_encoding_are_found(
    load: Load, tmp_path: Path, delimiter: str, encoding: str
) -> None:
    rows = expected(1)
    file = tmp_path / "posts.csv"
    file.write_bytes(written(rows, delimiter, end="\r\n").encode(encoding))
    found, notes = load(file, POSTS)
    assert values(found) == values(rows)
    assert {row["reasons"] for row in found} == {""}
    assert any("delimiter" in note for note in notes) == (delimiter != ",")
    assert any("encoding" in note for note in notes) == (not encoding.startswith("utf-8"))


def test_a_decimal_comma_is_found_where_a_number_has_no_other_meaning(
    load: Load, tmp_path: Path
) -> None:
    rows = expected(2)
    file = tmp_path / "posts.csv"
    file.write_text(written(rows, ";", decimal=","))
    found, notes = load(file, POSTS)
    assert values(found) == values(rows)
    assert "decimal comma" in notes


@pytest.mark.parametrize(
    "before", ["sep=;\n", "Posts of 2025\n\n", "Export;Posts;all\nFrom;2025-01-01\n\n"]
)
def test_rows_before_the_header_are_skipped(load: Load, tmp_path: Path, before: str) -> None:
    rows = expected(3)
    file = tmp_path / "posts.csv"
    file.write_text(before + written(rows, ";"))
    found, notes = load(file, POSTS)
    assert values(found) == values(rows)
    assert f"header in line {before.count(chr(10)) + 1}" in notes


@pytest.mark.parametrize("delimiter", ["\t", "::"])
def test_a_file_without_header_is_read_by_the_names_of_its_contract(
    load: Load, tmp_path: Path, delimiter: str
) -> None:
    rows = expected(4, ("hello", "a, b", "café"))
    contract = replace(POSTS, csv=CsvFormat(delimiter=delimiter, header=COLUMNS))
    file = tmp_path / "posts.dat"
    file.write_text(written(rows, "\t", header=False).replace("\t", delimiter))
    found, _ = load(file, contract)
    assert values(found) == values(rows)


def test_another_alphabet_is_read_in_its_encoding(load: Load, tmp_path: Path) -> None:
    rows = expected(5, ("Привет", "как дела", "сегодня хорошая погода"))
    file = tmp_path / "posts.csv"
    file.write_bytes(written(rows, ";").encode("cp1251"))
    found, notes = load(file, POSTS)
    assert values(found) == values(rows)
    assert "encoding cp1251" in notes


def test_a_row_of_totals_is_rejected_and_a_record_named_total_is_not(
    load: Load, tmp_path: Path
) -> None:
    file = tmp_path / "posts.csv"
    file.write_text("text,post_id,likes,ratio\nTotal,,30,\nTotal,p1,10,0.5\nb,p2,20,\n")
    found, _ = load(file, POSTS)
    assert [row["reasons"] for row in found] == ["record_of_totals", "", ""]


def test_utf_8_with_a_broken_record_stays_utf_8(load: Load, tmp_path: Path) -> None:
    rows = expected(6)
    broken = b"p_broken,1,2.5,caf\xe9\n"
    file = tmp_path / "posts.csv"
    file.write_bytes(written(rows, ",").encode() + broken)
    found, notes = load(file, POSTS)
    assert values(found[:-1]) == values(rows)
    assert found[-1]["reasons"] == "record_not_utf8"
    assert notes == []


def test_an_absent_column_is_refused_with_the_delimiter_that_was_tried(
    load: Load, tmp_path: Path
) -> None:
    file = tmp_path / "posts.csv"
    file.write_text("id;likes;text\n1;2;a\n")
    with pytest.raises(FileError, match=r"lacks post_id.*read with the delimiter semicolon"):
        load(file, POSTS)
