"""kill -9 at any moment of a load or a rebuild; the same command again gives the same tables."""

from __future__ import annotations

import random
import re
import signal
from datetime import date
from pathlib import Path

import pytest

from resources.clickhouse.resource import ClickHouseResource
from social_assets.demo.samples import generate
from social_assets.ingest.files.open_file import content_hash
from tests.integration.pipeline.accounts import contents, counts
from tests.integration.pipeline.killed.kill_me import stores_in
from tests.integration.pipeline.killed.killed_worker import Worker

MOMENTS = 20
WITHIN = 0.8
"""Of the undisturbed duration: where the machine got faster meanwhile, a kill finds no one."""
SEED = 2026


@pytest.mark.endurance
def test_killed_and_repeated_a_load_and_a_rebuild_give_the_tables_of_an_undisturbed_run(
    clickhouse: ClickHouseResource, worker: Worker, tmp_path: Path
) -> None:
    samples = generate(tmp_path / "samples", events=3_000, days=4, end=date(2026, 3, 4))
    files = [file.path for file in samples if file.stream == "engagement_events"]
    home = tmp_path / "undisturbed"
    code, load_seconds = worker.run("load", home, *files)
    assert code == 0
    undisturbed = contents(stores_in(home))
    code, rebuild_seconds = worker.run("rebuild", home)
    assert code == 0
    assert contents(stores_in(home)) == undisturbed

    moments = random.Random(SEED)  # noqa: S311 - which moments, not secrets
    killed = 0
    for number in range(MOMENTS):
        # Every second time, the rebuild is killed in a home whose load was killed before.
        is_load = number % 2 == 0
        if is_load:
            home = tmp_path / f"killed{number}"
            with clickhouse.client() as client:
                client.command("DROP DATABASE cleaned SYNC")
        command = ("load", home, *files) if is_load else ("rebuild", home)
        seconds = load_seconds if is_load else rebuild_seconds
        code, _ = worker.run(*command, kill_after=moments.random() * WITHIN * seconds)
        killed += code == -signal.SIGKILL
        assert worker.run(*command)[0] == 0
        counts(stores_in(home))
        assert contents(stores_in(home)) == undisturbed, f"moment {number} of seed {SEED}"
    assert killed >= MOMENTS // 4


@pytest.mark.endurance
@pytest.mark.parametrize("command", ["unload", "replace"])
def test_killed_and_repeated_an_unload_gives_the_tables_of_an_undisturbed_run(
    clickhouse: ClickHouseResource, worker: Worker, tmp_path: Path, command: str
) -> None:
    samples = generate(tmp_path / "samples", events=3_000, days=4, end=date(2026, 3, 4))
    files = [file.path for file in samples if file.stream == "engagement_events"]
    what = content_hash(files[0]) if command == "unload" else files[0]

    def prepared(name: str) -> Path:
        home = tmp_path / name
        with clickhouse.client() as client:
            client.command("DROP DATABASE IF EXISTS cleaned SYNC")
        assert worker.run("load", home, *files)[0] == 0
        return home

    home = prepared("undisturbed")
    code, seconds = worker.run(command, home, what)
    assert code == 0
    undisturbed = without_batches(contents(stores_in(home)))

    moments = random.Random(SEED)  # noqa: S311 - which moments, not secrets
    killed = 0
    for number in range(MOMENTS // 2):
        home = prepared(f"killed{number}")
        code, _ = worker.run(command, home, what, kill_after=moments.random() * WITHIN * seconds)
        killed += code == -signal.SIGKILL
        assert worker.run(command, home, what)[0] == 0
        counts(stores_in(home))
        found = without_batches(contents(stores_in(home)))
        assert found == undisturbed, f"moment {number} of seed {SEED}"
    assert killed >= MOMENTS // 8


def without_batches(found: dict[str, list[tuple[object, ...]]]) -> dict[str, list[list[str]]]:
    """The rows without batches: the generation of a replaced batch depends on the attempts."""
    return {
        name: sorted(
            [re.sub(r"^([0-9a-f]{32})\.\d+$", r"\1", str(each)) for each in row] for row in rows
        )
        for name, rows in found.items()
    }
