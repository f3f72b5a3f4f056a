"""kill -9 at any moment of a deployment; a load and the same command give the undisturbed rows."""

from __future__ import annotations

import json
import random
import signal
from datetime import date
from pathlib import Path

import pytest

from resources.clickhouse.resource import ClickHouseResource
from social_assets.demo.samples import generate
from tests.integration.pipeline.accounts import contents, counts
from tests.integration.pipeline.killed.kill_me import CHANGED, TODAY, stores_in
from tests.integration.pipeline.killed.killed_worker import Worker

MOMENTS = 12
SEED = 2027


@pytest.mark.endurance
@pytest.mark.timeout(1200)
def test_killed_and_repeated_a_deployment_gives_the_rows_of_an_undisturbed_one(
    clickhouse: ClickHouseResource, worker: Worker, tmp_path: Path
) -> None:
    samples = generate(tmp_path / "samples", events=2_000, days=5, end=date(2026, 3, 5))
    files = [file.path for file in samples if file.stream == "engagement_events"]
    before, after = files[:4], files[4:]
    # Events that are duplicates under the key before, and rows under the new one.
    others = tmp_path / "others.ndjson"
    records = [json.loads(line) for line in before[0].read_bytes().splitlines()[:50]]
    others.write_text("".join(json.dumps({**r, "user_id": "another"}) + "\n" for r in records))

    def prepared(name: str) -> Path:
        home = tmp_path / name
        with clickhouse.client() as client:
            client.command("DROP DATABASE IF EXISTS cleaned SYNC")
        assert worker.run("load", home, *before, others)[0] == 0
        return home

    home = prepared("undisturbed")
    old = contents(stores_in(home))
    code, seconds = worker.run("deploy", home)
    assert code == 0
    new = contents(stores_in(home, CHANGED))
    assert worker.run("load-changed", home, *after)[0] == 0
    undisturbed = contents(stores_in(home, CHANGED))
    assert len(new["cleaned"]) != len(old["cleaned"])

    moments = random.Random(SEED)  # noqa: S311 - which moments, not secrets
    killed = 0
    for number in range(MOMENTS):
        home = prepared(f"killed{number}")
        code, _ = worker.run("deploy", home, kill_after=moments.random() * seconds)
        killed += code == -signal.SIGKILL
        what = f"moment {number} of seed {SEED}"
        seen = contents(stores_in(home, CHANGED))
        for table in ("cleaned", "warehouse"):
            assert seen[table] in (old[table], new[table]), f"{table} is a mixture: {what}"
        assert worker.run("load-changed", home, *after)[0] == 0
        assert worker.run("deploy", home)[0] == 0
        stores = stores_in(home, CHANGED)
        counts(stores)
        assert contents(stores) == undisturbed, what
        assert not stores.in_force.undeployed
    assert killed >= MOMENTS // 3
    assert stores_in(home, TODAY).in_force.changes
