"""Recommendations of users at a steady rate, while interactions come in that are folded in.

Belongs here: users, posts and a model that are made for it, wrk with pauses between its questions,
and how long a reaction takes until its user's list has it.

    python -m bench.serving.recommendations [--users 20000] [--rate 500] [--seconds 30]

Needs wrk, of Debian. Load generator, API and ClickHouse share the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import recsys
from bench.serving.load import Load, answer_of, figures, serving
from recsys.models.als import ALS
from recsys.registry.deployment_history import promote_model
from resources.clickhouse.resource import client_of
from resources.embedded_clickhouse.lifecycle import ensure_running, stop
from resources.machine.ports import free_port
from resources.settings.home import ENVIRONMENT_VARIABLE, Home
from social_assets.control.api_keys import ApiKeys
from social_assets.control.engine import open_engine
from social_assets.recommend.folders import champions_root
from social_assets.recommend.interactions import FACT, read_interactions_since
from social_assets.recommend.top_n import refresh_top_n
from social_assets.warehouse.dbt.deployment import deploy_warehouse

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

_SCRIPT = Path(__file__).with_name("paced.lua")
_CONNECTIONS = 64
_POSTS, _LIKES = 5_000, 20
_NEW_A_SECOND = 50
_LONGEST_WAIT = 120

_REACTIONS = """
INSERT INTO cleaned.engagement_events (event_id, event_time, event_date, ingested_at, platform,
    account_id, post_id, user_id, metric_type, value, batch_id, source, origin)
SELECT concat({name:String}, toString(number)), {at:DateTime64(6, 'UTC')},
    toDate({at:DateTime64(6, 'UTC')}), {at:DateTime64(6, 'UTC')}, 'Instagram', '1',
    concat('p', toString(intDiv(cityHash64({name:String}, number), 7) % {posts:UInt32})),
    concat('u', toString((number * {step:UInt32}) % {users:UInt32})), 'like', 1,
    'bench', 'file', 'bench'
FROM numbers({count:UInt32})
"""


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--rate", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=30)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="recommendations-") as folder:
        home = Home(Path(folder) / "home")
        os.environ[ENVIRONMENT_VARIABLE] = str(home.path)
        endpoint = ensure_running(home)
        try:
            deploy_warehouse(endpoint, home)
            with client_of(endpoint, "bench") as client:
                _train(client, asked.users)
                key = ApiKeys(open_engine(home)).create("bench", per_minute=1_000_000).text
                port = free_port()
                with serving(home, port):
                    _measure(client, port, key, asked, Path(folder))
        finally:
            stop(home)


def _train(client: Client, users: int) -> None:
    """Reactions of all users, a model of them, and the lists of all users."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start, end = today - timedelta(days=2), today - timedelta(days=1)
    _react(client, "old", start, count=users * _LIKES, users=users)
    matrix = recsys.InteractionMatrix.from_table(read_interactions_since(client, start, end))
    model = ALS(factors=64, iterations=3, seed=1)
    model.fit(matrix.csr)
    folder = recsys.publish(
        model,
        matrix,
        champions_root(),
        version="bench",
        metrics={},
        data_window=(start, end),
        watermarks={FACT: {}},
        code_version="bench",
        make_current=False,
    )
    promote_model(folder)
    refresh_top_n(client, recsys.load(folder), "bench", datetime.now(UTC))


def _react(
    client: Client, name: str, at: datetime, *, count: int, users: int, step: int = 1
) -> None:
    client.command(
        _REACTIONS,
        parameters={
            "name": name,
            "at": at,
            "count": count,
            "users": users,
            "posts": _POSTS,
            "step": step,
        },
    )


def _measure(client: Client, port: int, key: str, asked: argparse.Namespace, folder: Path) -> None:
    paths = folder / "paths.txt"
    lines = (f"/api/v1/users/u{number}/recommendations" for number in range(asked.users))
    paths.write_text("\n".join(lines) + "\n")
    begun = time.perf_counter()
    answer_of(port, key, "/api/v1/users/u1/recommendations")
    print(f"the first answer, which reads all lists: {time.perf_counter() - begun:.2f} s")
    print(f"quiet                       {_paced(port, key, paths, asked)}", flush=True)
    ended = threading.Event()

    def react() -> None:
        number = 0
        while not ended.wait(1):
            number += 1
            name = f"new {number} "
            now, step = datetime.now(UTC), 7 + number
            _react(client, name, now, count=_NEW_A_SECOND, users=asked.users, step=step)

    reacting = threading.Thread(target=react)
    reacting.start()
    try:
        print(
            f"{_NEW_A_SECOND} reactions a second    {_paced(port, key, paths, asked)}", flush=True
        )
    finally:
        ended.set()
        reacting.join()
    _react(client, "last ", datetime.now(UTC), count=1, users=asked.users)
    [[post]] = client.query(
        "SELECT post_id FROM cleaned.engagement_events WHERE event_id = 'last 0'"
    ).result_rows
    begun = time.perf_counter()
    while post not in _folded_in(port, key, "u0"):
        if time.perf_counter() - begun > _LONGEST_WAIT:
            raise TimeoutError(f"a reaction of u0 is not folded in after {_LONGEST_WAIT} s")
        time.sleep(0.25)
    print(
        f"a reaction that the warehouse has is folded in after {time.perf_counter() - begun:.1f} s"
    )


def _folded_in(port: int, key: str, user: str) -> list[str]:
    answer = json.loads(answer_of(port, key, f"/api/v1/users/{user}/recommendations"))
    found: list[str] = answer["folded_in"]
    return found


def _paced(port: int, key: str, paths: Path, asked: argparse.Namespace) -> Load:
    pause = round(_CONNECTIONS / asked.rate * 1000)
    command = ["wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{asked.seconds}s", "--timeout", "10s"]
    command += ["-H", f"Authorization: Bearer {key}", "-s", str(_SCRIPT)]
    command += [f"http://127.0.0.1:{port}", "--", str(paths), str(pause)]
    return figures(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


if __name__ == "__main__":
    main()
