"""`social-assets sql` for people and programs: formats, pipes, files, long results."""

from __future__ import annotations

import csv
import io
import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from resources.settings.home import Home
from social_assets.cli.main import main

KEY = "SELECT toFixedString(unhex('00ff00ff00ff00ff00ff00ff00ff00ff'), 16) AS key, number AS n"
HEX = "00ff" * 8


Sql = Callable[..., subprocess.CompletedProcess[str]]


def process(home: Home, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    """The command as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "social_assets", "--home", str(home.path), "sql", *arguments],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def sql(home: Home, capfd: pytest.CaptureFixture[str]) -> Sql:
    """The command within this process, with pipes as output."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        capfd.readouterr()
        with pytest.raises(SystemExit) as ending:
            main(["--home", str(home.path), "sql", *arguments])
        assert isinstance(ending.value.code, int)
        return subprocess.CompletedProcess(arguments, ending.value.code, *capfd.readouterr())

    return run


def test_a_key_is_hex_in_every_text(sql: Sql) -> None:
    query = f"{KEY} FROM numbers(2)"
    assert sql(query).stdout.splitlines()[1] == f"{HEX}  0"
    assert json.loads(sql(query, "--format", "json").stdout)[1] == {"key": HEX, "n": 1}
    rows = list(csv.reader(io.StringIO(sql(query, "--format", "csv").stdout)))
    assert rows == [["key", "n"], [HEX, "0"], [HEX, "1"]]


def test_a_query_comes_from_a_file_or_standard_input(home: Home, sql: Sql, tmp_path: Path) -> None:
    file = tmp_path / "query.sql"
    file.write_text("SELECT 42 AS answer")
    assert sql(str(file)).stdout.split() == ["answer", "42"]
    assert process(home, "-", text="SELECT 43 AS answer;").stdout.split() == ["answer", "43"]
    refused = sql(str(tmp_path / "absent.sql"))
    assert (refused.returncode, "no file" in refused.stderr) == (2, True)


def test_a_long_value_is_whole_in_a_pipe(sql: Sql) -> None:
    assert sql("SELECT repeat('x', 5000) AS v").stdout.splitlines()[1] == "x" * 5000


def test_the_ending_of_the_output_says_the_format(sql: Sql, tmp_path: Path) -> None:
    for ending in ("csv", "json", "parquet"):
        done = sql(f"{KEY} FROM numbers(3)", "--output", str(tmp_path / f"o.{ending}"))
        assert done.returncode == 0, done.stderr
        assert done.stdout == ""
    table = pq.read_table(tmp_path / "o.parquet")
    assert table["key"].to_pylist()[0].hex() == HEX
    assert len(json.loads((tmp_path / "o.json").read_text())) == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["o.csv", "o.json", "o.parquet"]


def test_a_query_that_fails_on_its_way_leaves_no_file(sql: Sql, tmp_path: Path) -> None:
    query = "SELECT throwIf(number = 2000000, 'too far') FROM numbers(3000000)"
    for ending in ("csv", "parquet"):
        failed = sql(query, "--output", str(tmp_path / f"o.{ending}"))
        assert failed.returncode == 1
        assert failed.stderr.startswith("Error: ")
        assert failed.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_what_json_lacks_is_null_and_numbers_are_numbers(sql: Sql) -> None:
    query = "SELECT nan AS a, inf AS b, toDecimal64(1.5, 2) AS c, 18446744073709551615 AS d"
    (row,) = json.loads(sql(query, "--format", "json").stdout, parse_constant=pytest.fail)
    assert row == {"a": None, "b": None, "c": 1.5, "d": 2**64 - 1}
    assert json.loads(sql("SELECT 1 WHERE 0", "--format", "json").stdout) == []


def test_a_reader_that_goes_leaves_no_trace(home: Home) -> None:
    command = [sys.executable, "-m", "social_assets", "--home", str(home.path), "sql"]
    for form in ("table", "json", "csv"):
        with subprocess.Popen(
            [*command, "SELECT number FROM numbers(100000000)", "--format", form],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            process.stdout.read(100)
            process.stdout.close()
            assert process.wait(60) == 0
            assert process.stderr is not None
            assert process.stderr.read() == b""


def test_millions_of_rows_take_little_memory(home: Home, tmp_path: Path) -> None:
    output = tmp_path / "rows.csv"
    query = "SELECT number, repeat('x', 200) AS text FROM numbers(750000)"  # 150 MB
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    done = process(home, query, "--output", str(output))
    assert done.returncode == 0, done.stderr
    assert output.stat().st_size > 150_000_000
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert max(before, 350_000) >= peak
