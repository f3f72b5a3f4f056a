"""`social-assets forget`: no file of the home has the id any more, and all rows of others stay."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from resources.clickhouse.resource import ClickHouseResource
from resources.settings.home import Home
from social_assets.operate.forget import all_requests
from social_assets.operate.runs.start import forget_persons, rebuild_days
from social_assets.operate.status import stream_statuses
from social_assets.pipeline.privacy.home_files import has_id
from social_assets.pipeline.privacy.ids_in_bytes import IdsInBytes

pytestmark = [pytest.mark.endurance, pytest.mark.timeout(1800)]

GONE = "planted-person-7f3a9"
FIRST, DAYS = date(2026, 10, 7), 5
USERS, TASTES = 40, 4
KILLED_AFTER_SECONDS = (5.0, 9.0, 13.0)


def event(number: int, user: str, post: int = 0, day: int = 0, **fields: object) -> str:
    at = f"{FIRST + timedelta(days=day)}T10:00:{number % 60:02}Z"
    named = {"event_id": f"e{number}", "event_time": at, "post_id": f"p{post}", "user_id": user}
    what = {"platform": "x", "account_id": "1", "value": 1, "metric_type": "like"}
    return json.dumps(named | what | fields) + "\n"


def events() -> str:
    """Users of four tastes, each of which likes the ten posts of its taste on some days."""
    others = [
        event(
            user * 100 + n, f"u{user}", user % TASTES * 10 + n, (user // TASTES * 3 + n * 7) % DAYS
        )
        for user in range(USERS)
        for n in range(10)
        if (user + n) % 7
    ]
    own = [event(10_000 + n, GONE, n % 10, n % DAYS) for n in range(20)]
    hidden = [
        event(10_001, GONE),
        event(10_100, GONE, value=-1),
        event(10_101, "u1", seen_by=[{"id": GONE}]),
        '{"user_id": "' + GONE + '", "cut off\n',
    ]
    return "".join([*others, *own, *hidden])


def command(home: Home, *arguments: str) -> list[str]:
    return [
        *(sys.executable, "-W", "ignore", "-m", "social_assets", "--home", str(home.path)),
        *arguments,
    ]


def run(home: Home, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(home, *arguments), input=given, capture_output=True, text=True, check=False
    )


def files_with_the_id(home: Home) -> list[str]:
    """The files with the id in their bytes, or in a value of a compressed table."""
    found = subprocess.run(
        ["grep", "-rlF", GONE, str(home.path)], capture_output=True, text=True, check=False
    )
    tables = (each for each in home.path.rglob("*.parquet") if has_id(each, IdsInBytes([GONE])))
    paths = {*map(Path, found.stdout.splitlines()), *tables}
    return sorted(str(each.relative_to(home.path)) for each in paths)


def rows_of_others() -> list[tuple[str, int]]:
    with ClickHouseResource().client() as client:
        found = client.query(
            "SELECT user_id, count() FROM cleaned.engagement_events\n"
            f"WHERE user_id != '{GONE}' AND length(event_id) < 6 GROUP BY 1 ORDER BY 1"
        )
        return [(user, rows) for user, rows in found.result_rows]


def rows_of_the_key() -> dict[str, int]:
    """The rows of the person in each table that knows users by the hash of their id."""
    with ClickHouseResource().client() as client:
        tables = client.query(
            "SELECT concat(database, '.', table) FROM system.columns WHERE name = 'user_key'\n"
            "AND (database, table) IN (\n"
            "  SELECT database, name FROM system.tables WHERE engine LIKE '%MergeTree')\n"
            "ORDER BY 1"
        ).result_rows
        count = f"SELECT count() FROM {{}} WHERE user_key = MD5('{GONE}')"
        return {name: client.query(count.format(name)).first_row[0] for (name,) in tables}


def test_a_person_is_forgotten_everywhere_although_the_command_is_killed(home: Home) -> None:
    landing = home.landing / "engagement_events"
    landing.mkdir(parents=True, exist_ok=True)
    file = landing / "engagement.ndjson"
    file.write_text(events())
    os.utime(file, (0, 0))
    # Takes the waiting files.
    rebuild_days(home, FIRST, FIRST + timedelta(days=DAYS - 1), (), lambda _: None)
    trained = run(home, "recsys", "train")
    assert trained.returncode == 0, trained.stdout + trained.stderr
    before = rows_of_others()
    assert len(before) == USERS
    places = {each.split("/")[0] for each in files_with_the_id(home)}
    assert places >= {"artifacts", "clickhouse", "dagster", "lake", "landing"}
    features = {f"features.{name}" for name in ("sessions", "user_days", "user_posts")}
    assert features < {table for table, rows in rows_of_the_key().items() if rows}

    for seconds in KILLED_AFTER_SECONDS:
        with subprocess.Popen(
            command(home, "forget"), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        ) as process:
            try:
                process.communicate(GONE, timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
    done = run(home, "forget", given=GONE)
    while "old files of" in done.stderr:  # ClickHouse takes up to ten minutes to delete them.
        done = run(home, "forget", given=GONE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert files_with_the_id(home) == []
    assert set(rows_of_the_key().values()) == {0}
    assert GONE not in done.stdout + done.stderr
    assert rows_of_others() == before
    assert all(each.is_conserved for each in stream_statuses())
    assert all(each.done_at for each in all_requests(home))


def test_what_arrives_of_a_forgotten_person_is_rejected_and_deleted_by_the_next_run(
    home: Home, tmp_path: Path
) -> None:
    later = tmp_path / "later.ndjson"
    later.write_text(event(20_000, GONE) + event(20_001, "u1"))
    loaded = run(home, "load", "engagement_events", str(later))
    assert loaded.returncode == 0, loaded.stderr
    assert "person_forgotten" in loaded.stdout
    assert files_with_the_id(home) != []
    forget_persons(home, lambda _: None)
    tables = [each for each in files_with_the_id(home) if each.startswith("lake/")]
    assert tables == []
