"""The process in which dbt runs: commands on a prepared manifest, with one JSON line a node.

Run as `python -m social_assets.warehouse.dbt.process`, it reads one command a line (see
`commands`), until there are no more. The output of dbt and its macros goes to stderr, never between
the reports. dbt needs its own process, since it keeps state in globals. The process stays and forks
for each command, since importing dbt takes 2 s of CPU. The manifest is passed on, since dbt parses
the whole project again whenever `--vars` change (measured: 3 s of CPU).
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, TextIO

# Not used below: imported here once, before any command is forked.
import dbt.adapters.clickhouse
import dbt.task.run
import dbt.task.test  # noqa: F401
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from dbt.parser.manifest import extended_mashumuro_decoder

_reports: TextIO


def main() -> None:
    """Run one command a line until there are no more; after each, print a line with its
    exit code.
    """
    global _reports  # noqa: PLW0603 - of the process, as stdout is
    _reports = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # Ctrl-C is for the parent process, and for a running command.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Read from the descriptor: a buffered reader could hold the next line, which a fork would copy.
    while line := _read_line(0):
        child = os.fork()
        if child == 0:
            _become(json.loads(line))
        _, status = os.waitpid(child, 0)
        _print({"exit": os.waitstatus_to_exitcode(status)})


def _read_line(descriptor: int) -> bytes:
    parts = []
    while (part := os.read(descriptor, 1 << 16)) and not part.endswith(b"\n"):
        parts.append(part)
    return b"".join([*parts, part])


def _become(command: dict[str, Any]) -> None:
    """Execute one command in the forked process: its environment, its exit code."""
    os.environ.clear()
    os.environ.update(command["environment"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(run(command["partial_parse"], command["arguments"]))


def run(partial_parse: str | None, arguments: list[str]) -> int:
    """Run dbt; print the result of each node; returns 1 if one failed."""
    manifest = None if partial_parse is None else _parsed(Path(partial_parse))
    done = dbtRunner(manifest=manifest, callbacks=[_report]).invoke(arguments)
    if done.exception is not None:
        _print({"failed": str(done.exception)})
    return 0 if done.success else 1


def _parsed(partial_parse: Path) -> Manifest:
    return Manifest.from_msgpack(partial_parse.read_bytes(), decoder=extended_mashumuro_decoder)


def _report(event: Any) -> None:
    if event.info.name == "NodeFinished":
        result = event.data.run_result
        _print(
            {
                "node": event.data.node_info.unique_id,
                "status": result.status,
                "seconds": result.execution_time,
                "message": result.message,
            }
        )


def _print(line: dict[str, object]) -> None:
    print(json.dumps(line), file=_reports, flush=True)


if __name__ == "__main__":
    main()
