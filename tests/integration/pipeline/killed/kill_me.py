"""A process for kill tests: loads files, rebuilds all days, unloads and replaces files, or deploys
a changed contract.

Reads `load <home> <file>...`, `rebuild <home>`, `unload <home> <batch>`, `replace <home>
<file>...`, `deploy <home>` or `load-changed <home> <file>...` (with the contract CHANGED declared)
from standard input. Forks a child for each line, so that the interpreter starts and
imports once. Answers with the child's process id, and with its exit code.
"""

from __future__ import annotations

import os
import sys
import traceback
from dataclasses import replace
from pathlib import Path

import pandera.ibis as pa

from resources.clickhouse.resource import ClickHouseResource
from social_assets.contracts.contract import Contract
from social_assets.contracts.engagement_events import EngagementEvent
from social_assets.contracts.registry import contract
from social_assets.pipeline.contracts.deploy_contract import deploy_contract
from social_assets.pipeline.files.file_batches import Replace
from social_assets.pipeline.files.unload import unload_pending
from social_assets.pipeline.files.unload_requests import request_unload
from social_assets.pipeline.stores import Stores, StreamStores
from social_assets.pipeline.stream_work import ingest_files, rebuild
from social_assets.transform.duckdb_engine import DuckDBEngine
from tests.lake_of_tests import lake_in


class WithLanguage(EngagementEvent):
    """A column and a rule differ."""

    value: float = pa.Field(gt=1)
    language: str = pa.Field(default="none")


TODAY = contract("engagement_events")
CHANGED = replace(TODAY, model=WithLanguage, key=("event_id", "user_id"))


def stores_in(home: Path, declared: Contract = TODAY) -> StreamStores:
    lake = lake_in(home)
    stores = Stores(lake, DuckDBEngine(home / "spill"), ClickHouseResource())
    return stores.of(declared)


def work(command: str, home: Path, *files: str) -> None:
    is_changed = command in ("deploy", "load-changed")
    stores = stores_in(home, CHANGED if is_changed else TODAY)
    if command == "deploy":
        deploy_contract(stores)
    elif command in ("load", "load-changed"):
        ingest_files(stores, [Path(file) for file in files])
    elif command == "unload":
        with stores.lock():
            request_unload(stores, files)
            stores.unloads.done(unload_pending(stores))
    elif command == "replace":
        ingest_files(stores, [Path(file) for file in files], replace=Replace())
        with stores.lock():
            stores.unloads.done(unload_pending(stores))
    else:
        rebuild(stores, sorted(stores.raw.rows_by_day()))


def answer(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def main() -> None:
    for line in sys.stdin:
        command, home, *files = line.split()
        child = os.fork()
        if child == 0:
            try:
                work(command, Path(home), *files)
            except BaseException:  # noqa: BLE001 - a forked child goes no further
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        answer(child)
        _, status = os.waitpid(child, 0)
        answer(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
