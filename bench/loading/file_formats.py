"""Measures the reading of text files: how fast each form is cut into records, and validated.

    python -m bench.loading.file_formats

Writes the same records as CSV in several dialects and as JSON in several documents. Reports CPU
seconds, since the machine may have other work.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pandera.ibis as pa

from social_assets.contracts.contract import Contract
from social_assets.ingest.files.open_file import read_records
from social_assets.transform.duckdb_engine import DuckDBEngine, Session

TARGET = 300_000
"""Records a CPU second that are cut from a CSV file."""


class Post(pa.DataFrameModel):
    """Posts of a bench."""

    post_id: str = pa.Field(description="The post")
    likes: int = pa.Field(description="Likes")
    ratio: float = pa.Field(description="A share")
    text: str = pa.Field(description="Its text")


CONTRACT = Contract("posts_of_files", Post, ("post_id",), ("csv", "ndjson"), "team:bench")
COLUMNS = ("post_id", "likes", "ratio", "text")
Record = dict[str, object]


def main() -> int:
    """Print the table; returns 0 if the target is met by all forms of CSV."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    met = True
    print(f"{'form':28}{'MB':>6}{'CPU s':>8}{'records/CPU s':>15}")
    with (
        tempfile.TemporaryDirectory(prefix="file_formats") as folder,
        DuckDBEngine(Path(folder) / "spill").session() as session,
    ):
        for form, (name, written) in forms(options.records).items():
            path = Path(folder) / name
            path.write_bytes(written())
            runs = [_seconds(session, path, options.records) for _ in range(options.runs)]
            seconds = statistics.median(runs)
            speed = options.records / seconds
            print(f"{form:28}{path.stat().st_size / 1e6:6.0f}{seconds:8.2f}{speed:15,.0f}")
            met &= speed >= TARGET or not form.startswith("csv")
    return 0 if met else 1


def forms(count: int) -> Mapping[str, tuple[str, Callable[[], bytes]]]:
    """What is measured: a file's name and what writes its content."""
    text = "some text of a post, with a comma " + "x" * 40
    broken = text + "\nand a second line"
    one = [_record(n, text) for n in range(count)]
    two = [_record(n, broken if n % 5 else text) for n in range(count)]
    pages = [one[start : start + 100] for start in range(0, count, 100)]
    return {
        "csv": ("a.csv", lambda: _csv(one, ",").encode()),
        "csv, line breaks in 4 of 5": ("b.csv", lambda: _csv(two, ",").encode()),
        "csv, semicolon, cp1252": ("c.csv", lambda: _csv(one, ";", "é").encode("cp1252")),
        "csv, tab, UTF-16": ("d.csv", lambda: _csv(one, "\t").encode("utf-16")),
        "JSON, a record a line": (
            "e.ndjson",
            lambda: "".join(f"{json.dumps(each)}\n" for each in one).encode(),
        ),
        "JSON, array": ("f.json", lambda: json.dumps(one).encode()),
        "JSON, pretty array": ("g.json", lambda: json.dumps(one, indent=2).encode()),
        "JSON, pages of 100": (
            "h.json",
            lambda: "".join(f"{json.dumps({'data': page})}\n" for page in pages).encode(),
        ),
    }


def _record(number: int, text: str) -> Record:
    return {"post_id": f"p{number}", "likes": number, "ratio": number / 64, "text": text}


def _csv(records: list[Record], delimiter: str, ending: str = "") -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([*list(each.values())[:3], f"{each['text']}{ending}"] for each in records)
    return out.getvalue()


def _seconds(session: Session, path: Path, count: int) -> float:
    """The CPU seconds in which a file is cut into records."""
    started = time.process_time()
    found = sum(batch.num_rows for batch in read_records(CONTRACT, path, session.json_records))
    assert found == count, f"{path.name}: {found} of {count} records"
    return time.process_time() - started


if __name__ == "__main__":
    sys.exit(main())
