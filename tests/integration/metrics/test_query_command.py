"""`social-assets query` on a warehouse: tables for people, files for programs."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from social_assets.cli.main import cli
from tests.integration.warehouse.conftest import WarehouseUnderTest

RANGE = ("--from", "2026-03-09", "--to", "2026-03-15")


def query(warehouse: WarehouseUnderTest, *arguments: str) -> str:
    arguments = ("--home", str(warehouse.home.path), "query", *arguments)
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_foot_of_the_table_says_where_the_numbers_come_from(filled: WarehouseUnderTest) -> None:
    said = query(filled, "likes,reach", "--by", "platform", *RANGE, "--zone", "Europe/Berlin")
    lines = said.splitlines()
    assert lines[0].split() == ["platform", "likes", "reach"]
    foot = said[said.index("\n\n") :]
    assert "likes in likes, reach in users" in foot
    assert "2026-03-09 00:00 to 2026-03-16 00:00, Europe/Berlin" in foot
    assert "from rollups.engagement_platform_daily, rollups.engagement_platform_hourly: " in foot
    assert " rows read in " in foot
    assert "newest event 2026-04-" in foot
    assert "invariants not checked since the last change: 2026-0" in foot
    assert "reach and reported_reach differ: " in foot


def test_a_comparison_shows_the_earlier_value_and_the_change(filled: WarehouseUnderTest) -> None:
    asked = ("events", "--grain", "week", *RANGE, "--compare", "previous")
    (row,) = csv.DictReader(io.StringIO(query(filled, *asked, "--format", "csv")))
    now, before = float(row["events"]), float(row["events_before"])
    assert row["week"] == "2026-03-09"
    assert float(row["events_change"]) == pytest.approx(now / before - 1)
    assert f"{now / before - 1:+.1%}" in query(filled, *asked)


def test_all_formats_hold_the_same_rows(filled: WarehouseUnderTest, tmp_path: Path) -> None:
    asked = ("events,average_value", "--by", "post,platform", "--grain", "day", *RANGE)
    document = json.loads(query(filled, *asked, "--format", "json"))
    rows = document["rows"]
    assert len(rows) > 100
    assert document["tables"] == ["rollups.engagement_daily"]
    assert document["is_complete"] is True
    assert document["invariants"]["state"] == "not_checked"
    assert document["invariants"]["unchecked_days"][0].startswith("2026-0")
    files = {form: tmp_path / f"answer.{form}" for form in ("csv", "parquet", "json")}
    for file in files.values():
        query(filled, *asked, "--output", str(file))
    assert json.loads(files["json"].read_text())["rows"] == rows
    assert pq.read_table(files["parquet"]).to_pylist() == rows
    texts = [{name: str(value) for name, value in row.items()} for row in rows]
    with files["csv"].open(newline="") as file:
        assert list(csv.DictReader(file)) == texts


def test_filters_of_one_dimension_add_up_and_quotes_keep_a_comma(
    filled: WarehouseUnderTest,
) -> None:
    asked = ("events", "--by", "post", "--where", 'post="a,b",01', "--where", "post=p1")
    rows = json.loads(query(filled, *asked, *RANGE, "--format", "json"))["rows"]
    assert {row["post"] for row in rows} == {"a,b", "01", "p1"}


def test_the_smallest_groups_come_first_on_request_and_the_rest_last(
    filled: WarehouseUnderTest,
) -> None:
    asked = ("events", "--by", "post", "--limit", "2", "--others", "--order-by", "-events")
    rows = json.loads(query(filled, *asked, *RANGE, "--format", "json"))["rows"]
    assert [row["post"] for row in rows][2:] == ["others"]
    assert rows[0]["events"] <= rows[1]["events"] < rows[2]["events"]


def test_hours_tell_their_offset(filled: WarehouseUnderTest) -> None:
    asked = ("events", "--grain", "hour", "--from", "2026-03-29", "--to", "2026-03-29")
    rows = json.loads(query(filled, *asked, "--zone", "Europe/Berlin", "--format", "json"))["rows"]
    hours = [row["hour"] for row in rows]
    assert hours[0] == "2026-03-29T00:00+01:00"
    assert hours[-1] == "2026-03-29T23:00+02:00"
    assert not any("T02:" in hour for hour in hours)
