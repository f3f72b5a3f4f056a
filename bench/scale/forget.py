"""Forgets one person, then a thousand in one pass, by the command line: seconds of each.

    python -m bench.scale.forget [--records 1000000 --persons 1000]

A home of its own has events of 14 days, some by each of many users. Every pass searches the whole
home afterwards, and rebuilds the days that the persons have touched: those of one person are few,
those of a thousand are all. A pass that ends before ClickHouse has deleted old files is repeated.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import date
from itertools import islice
from pathlib import Path

from bench.figures import Figure
from resources.embedded_clickhouse.lifecycle import stop
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.demo.samples.bench_records import write_bench_records

_DAYS = 14
_END = date(2026, 11, 14)
_MOST_PASSES = 6


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--persons", type=int, default=1_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="forget-") as name:
        home, file = Home(Path(name) / "home"), Path(name) / "events.ndjson"
        write_bench_records(file, options.records, end=_END, days=_DAYS)
        users = _users(file, options.records, options.persons + 1)
        try:
            _run(home, "load", "engagement_events", str(file))
            file.unlink()
            for persons in (users[:1], users[1:]):
                case = f"{len(persons):,} of {options.records:,} records"
                given = "\n".join(persons)
                for number in range(1, _MOST_PASSES):
                    began = time.perf_counter()
                    done = _run(home, "forget", given=given, check=False)
                    passed = f"pass {number}, {'done' if done.returncode == 0 else 'pending'}"
                    print(Figure(case, passed, time.perf_counter() - began, "s").line())
                    # Not a line for each request.
                    told = [line for line in done.stdout.splitlines() if "request " not in line]
                    print("\n".join(told), flush=True)
                    if done.returncode == 0:
                        break
                    given = ""
        finally:
            stop(home)


def _users(file: Path, records: int, number: int) -> list[str]:
    """Users from the whole file, so that they have touched all days."""
    with file.open() as lines:
        chosen = islice(lines, 0, None, max(1, records // (2 * number)))
        found = dict.fromkeys(json.loads(line)["user_id"] for line in chosen)
    return list(found)[:number]


def _run(
    home: Home, *arguments: str, given: str = "", check: bool = True
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, ENVIRONMENT_VARIABLE: str(home.path)}
    command = [sys.executable, "-m", "social_assets", *arguments]
    return subprocess.run(
        command, input=given, env=environment, stdout=subprocess.PIPE, text=True, check=check
    )


if __name__ == "__main__":
    main()
