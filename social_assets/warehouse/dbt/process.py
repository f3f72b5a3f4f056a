"""The process that dbt runs in: commands on a manifest parsed before, a JSON line a node.

Run as `python -m social_assets.warehouse.dbt.process`, it reads a command a line
(see `commands`), and lives until there are no more. What dbt and its macros print goes to stderr,
never among the reports. A process of its own, since dbt keeps its state in globals; one that
stays and forks for each command, since dbt takes 2 s of CPU to import. The manifest is handed
over as dbt parses the
whole project again whenever `--vars` change (measured: 3 s of CPU).
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any, TextIO

# Not named below: loaded here once, before any command is forked.
import dbt.adapters.clickhouse
import dbt.task.run
import dbt.task.test  # noqa: F401
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from dbt.parser.manifest import extended_mashumuro_decoder

_reports: TextIO


def main() -> None:
    """Run a command a line until there are no more; after each, a line with its exit code."""
    global _reports  # noqa: PLW0603 - of the process, as stdout is
    _reports = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # Ctrl-C is for whoever gives the commands, and for a command that runs.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # By the descriptor: a buffered reader could hold a next line that a fork would then have too.
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
    """Be the process of one command: its environment, its exit code."""
    os.environ.clear()
    os.environ.update(command["environment"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(run(command["partial_parse"], command["arguments"]))


def run(partial_parse: str | None, arguments: list[str]) -> int:
    """Run dbt; print what became of each node; 1 when one failed."""
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
